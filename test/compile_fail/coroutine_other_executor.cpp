// expect: brigade: a coroutine job is an asio::awaitable<R> with the default executor type
#include <boost/asio/awaitable.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <brigade/brigade.hpp>

boost::asio::awaitable<int, boost::asio::io_context::executor_type> work();

void use(brigade::worker_pool& pool) { pool.async_submit(work, boost::asio::detached); }
