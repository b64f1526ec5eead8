// expect: nothing, this compiles
// The same program without a mistake: it shows that the other cases fail for their reason alone.
#include <boost/asio/use_future.hpp>
#include <brigade/brigade.hpp>

int use(brigade::worker_pool& pool) {
  if (pool.try_post([] {})) return 1;
  return pool.async_submit([] { return 1; }, boost::asio::use_future).get();
}
