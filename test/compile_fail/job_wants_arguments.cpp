// expect: brigade: a job is called as R\(\), R\(std::stop_token\), asio::awaitable<R>\(\) or
#include <boost/asio/detached.hpp>
#include <brigade/brigade.hpp>

void use(brigade::worker_pool& pool) {
  pool.async_submit([](int number) { return number; }, boost::asio::detached);
}
