// expect: use of deleted function|call to deleted constructor
#include <brigade/brigade.hpp>

void use(brigade::worker_pool& pool) { brigade::worker_pool copy = pool; }
