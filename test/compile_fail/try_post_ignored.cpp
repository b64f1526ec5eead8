// expect: ignoring return value
#include <brigade/brigade.hpp>

void use(brigade::worker_pool& pool) {
  pool.try_post([] {});
}
