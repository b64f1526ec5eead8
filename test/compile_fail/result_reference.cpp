// expect: brigade: .* void, or default-constructible and movable \(and no reference\)
#include <boost/asio/detached.hpp>
#include <brigade/brigade.hpp>

int total = 0;

void use(brigade::worker_pool& pool) {
  pool.async_submit([]() -> int& { return total; }, boost::asio::detached);
}
