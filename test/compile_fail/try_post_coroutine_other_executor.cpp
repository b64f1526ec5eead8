// expect: brigade: try_post would throw the coroutine away without running it
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <brigade/brigade.hpp>

boost::asio::awaitable<int, boost::asio::io_context::executor_type> work();

bool use(brigade::worker_pool& pool) { return !pool.try_post(work); }
