// A program of somebody else's: all that it has of brigade is what its build system found.
// SPDX-License-Identifier: BSL-1.0
#include <atomic>
#include <boost/asio/use_future.hpp>
#include <brigade/brigade.hpp>
#include <cstdio>
#include <functional>
#include <stop_token>

static int twelve() { return 12; }
static int ten(std::stop_token) { return 10; }

int main() {
  std::atomic<int> posted{0};
  brigade::worker_pool pool{{.threads = 2, .capacity = 8, .name = "outside"}};
  if (auto const refused = pool.try_post([&] { posted = 20; })) return 1;
  int const submitted = pool.async_submit(std::bind(twelve), boost::asio::use_future).get() +
                        pool.async_submit(ten, boost::asio::use_future).get();
  pool.join();
  std::printf("brigade %d.%d: %d\n", BRIGADE_VERSION_MAJOR, BRIGADE_VERSION_MINOR,
              posted + submitted);
  return posted + submitted == 42 ? 0 : 1;
}
