// expect: brigade: a job's result must be void, or default-constructible and movable
#include <boost/asio/awaitable.hpp>
#include <boost/asio/detached.hpp>
#include <brigade/brigade.hpp>

struct counter {
  explicit counter(int start);
};

boost::asio::awaitable<counter> count();

void use(brigade::worker_pool& pool) { pool.async_submit(count, boost::asio::detached); }
