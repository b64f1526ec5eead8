// brigade: the numbers of pools for Prometheus, by way of the prometheus-cpp library.
//
//   auto const collector = std::make_shared<brigade::prometheus_collector>();
//   collector->add(pool);
//   prometheus::Exposer exposer{"127.0.0.1:9464"};  // or a prometheus::Gateway, to push
//   exposer.RegisterCollectable(collector);
//
// Optional: link brigade::prometheus. The metrics are listed in docs/monitoring.md.
//
// Thread safety: distinct objects: safe; shared objects: safe.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <mutex>
#include <string>
#include <vector>

#include <brigade/metrics.hpp>
#include <brigade/pool_view.hpp>

namespace brigade {

class worker_pool;

struct prometheus_options {
  /// Upper bounds of the histograms' buckets, in seconds: positive, finite and growing. One more
  /// bucket, without a bound, is always there. Each costs two samples a pool and scrape.
  std::vector<double> buckets{0.00001, 0.00005, 0.0001, 0.0005, 0.001, 0.005, 0.01, 0.025,
                              0.05,    0.1,     0.25,   0.5,    1,     2.5,   5,    10};
};

/// A pool at one moment, and the name that it was added under.
struct pool_reading {
  std::string executor;
  pool_metrics metrics;
};

/// Turns snapshots of any number of pools into metric families, each sample labelled with its
/// pool's name as `executor`.
///
/// Keeps no pool alive: one that is destroyed, during a scrape even, is left out from then on. To
/// have the last numbers of a pool scraped or pushed, do that before it is destroyed; `join()` and
/// the other ways to end it leave its numbers readable.
class prometheus_collector final : public ::prometheus::Collectable {
 public:
  /// Throws: `std::invalid_argument` that names the bucket which is out of order.
  explicit prometheus_collector(prometheus_options options = {});
  ~prometheus_collector() override;

  /// Collects from `pool`, under its own name or under `executor`.
  ///
  /// Throws: `std::invalid_argument` where a living pool is collected under this name already (the
  /// samples of the two could not be told apart), where the name is not UTF-8, or where `pool` is a
  /// view of none; `std::bad_alloc`.
  /// Thread safety: any thread, during a scrape too.
  void add(worker_pool const& pool);
  void add(pool_view pool, std::string executor);

  /// Collects from `pool` no longer. A scrape that has begun may still show it. Whether it was
  /// collected from.
  ///
  /// Thread safety: any thread, during a scrape too.
  bool remove(worker_pool const& pool);

  /// One snapshot of each pool that is there, in the order in which they were added.
  ///
  /// Throws: `std::bad_alloc`.
  /// Thread safety: any thread.
  /// Cost: `worker_pool::metrics()` a pool.
  [[nodiscard]] std::vector<pool_reading> read() const;

  /// All families, in a fixed order; one snapshot a pool. What prometheus-cpp calls.
  ///
  /// Throws: `std::bad_alloc`.
  /// Thread safety: any thread.
  /// Cost: `worker_pool::metrics()` and some 50 samples a pool, and one for each worker.
  [[nodiscard]] std::vector<::prometheus::MetricFamily> Collect() const override;

 private:
  struct entry {
    pool_view pool;
    std::string executor;
  };

  std::vector<double> buckets_;
  mutable std::mutex mutex_;  // guards pools_; held for no longer than it takes to copy it
  std::vector<entry> pools_;
};

}  // namespace brigade
