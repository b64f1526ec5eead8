// expect: brigade: a job's result must be void, or default-constructible and movable
#include <boost/asio/detached.hpp>
#include <brigade/brigade.hpp>

struct celsius {
  explicit celsius(int degrees);
};

void use(brigade::worker_pool& pool) {
  pool.async_submit([] { return celsius{20}; }, boost::asio::detached);
}
