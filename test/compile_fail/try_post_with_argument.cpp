// expect: brigade: try_post takes a callable that is called as f\(\)
#include <stop_token>

#include <brigade/brigade.hpp>

bool use(brigade::worker_pool& pool) {
  return !pool.try_post([](std::stop_token stop) { return stop.stop_requested(); });
}
