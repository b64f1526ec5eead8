// brigade: the umbrella over the core. Optional components have headers and targets of their own.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brigade/error.hpp>
#include <brigade/histogram.hpp>
#include <brigade/metrics.hpp>
#include <brigade/observer.hpp>
#include <brigade/options.hpp>
#include <brigade/permit.hpp>
#include <brigade/pool_dump.hpp>
#include <brigade/pool_view.hpp>
#include <brigade/retry.hpp>
#include <brigade/running_job.hpp>
#include <brigade/shutdown.hpp>
#include <brigade/shutdown_all.hpp>
#include <brigade/signals.hpp>
#include <brigade/task_group.hpp>
#include <brigade/version.hpp>
#include <brigade/worker_pool.hpp>
