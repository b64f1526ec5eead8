// expect: brigade: try_post takes a callable that is called as f\(\)
#include <functional>
#include <vector>

#include <brigade/brigade.hpp>

auto use(brigade::worker_pool& pool, std::vector<std::function<void(int)>> const& jobs) {
  return pool.try_post_bulk(jobs.begin(), jobs.end());
}
