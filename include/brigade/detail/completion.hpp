// How a completion handler gets its arguments: on its executor, from its allocator, never inside
// the initiating call.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <exception>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/execution.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/recycling_allocator.hpp>
#include <boost/asio/system_context.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/system/system_error.hpp>

#include <brigade/detail/control_context.hpp>
#include <brigade/detail/job_frame.hpp>
#include <brigade/detail/pool_core.hpp>

namespace brigade::detail {

struct no_executor {};

/// The executor of the io_context that the pool's own threads run, in a type-erased one such as a
/// coroutine's; null where that is another.
inline asio::io_context::executor_type const* own_executor_in(
    pool_core const& core, asio::any_io_executor const& executor) noexcept {
  auto const* const plain = executor.target<asio::io_context::executor_type>();
  bool const own = plain != nullptr && core.owns_threads() && core.is_own_context(plain->context());
  return own ? plain : nullptr;
}

/// Where a handler wants to run: its associated executor with outstanding work tracked on it, or
/// `no_executor` for the pool's own. Nothing is tracked on a pool that owns its threads: they stay
/// for as long as a job is in flight or a handler on its way to them.
template <class Handler>
auto executor_of([[maybe_unused]] pool_core const& core, [[maybe_unused]] Handler const& handler) {
  using associated = typename asio::associated_executor<Handler, no_executor>::type;
  if constexpr (std::is_same_v<associated, no_executor>) {
    return no_executor{};
  } else {
    auto const where = asio::get_associated_executor(handler, core.executor());
    if constexpr (std::is_same_v<associated, asio::any_io_executor>) {
      if (own_executor_in(core, where) != nullptr) return asio::any_io_executor(where);
    }
    return asio::prefer(where, asio::execution::outstanding_work.tracked);
  }
}

template <class Handler>
using executor_of_t = std::decay_t<decltype(executor_of(std::declval<pool_core const&>(),
                                                        std::declval<Handler const&>()))>;

template <class Handler>
auto allocator_of(Handler const& handler) {
  return asio::get_associated_allocator(handler, asio::recycling_allocator<void>());
}

/// The host's context is gone, and its handlers cannot be called any more: says so.
inline void report_lost_handler(pool_core& core) noexcept {
  core.report_handler_error(std::make_exception_ptr(boost::system::system_error(
      asio::error::operation_aborted,
      "brigade: the host's execution context was destroyed before the pool; a completion handler "
      "was destroyed uncalled")));
}

/// A handler and its arguments, to be called once with none. One that was posted to a host says so
/// if it is destroyed uncalled.
template <class Handler, class... Args>
class completion {
 public:
  using allocator_type = std::decay_t<decltype(allocator_of(std::declval<Handler const&>()))>;

  template <class... A>
  explicit completion(Handler&& handler, A&&... args)
      : handler_(std::move(handler)), args_(std::forward<A>(args)...) {}
  completion(completion&&) = default;
  completion& operator=(completion&&) = delete;
  ~completion() {
    if (host_pool_) report_lost_handler(*host_pool_);
  }

  /// The handler depends on the host of `core` from now on.
  void depend_on_host(pool_core& core) noexcept { host_pool_ = core.shared_from_this(); }

  [[nodiscard]] allocator_type get_allocator() const noexcept { return allocator_of(handler_); }

  void operator()() {
    // A host's thread works for the pool while it runs one of its handlers.
    if (auto const core = std::exchange(host_pool_, nullptr)) {
      job_frame const here(*core, false);
      call();
    } else {
      call();
    }
  }

 private:
  void call() {
    std::apply([this](Args&... args) { std::move(handler_)(std::move(args)...); }, args_);
  }

  Handler handler_;
  std::tuple<Args...> args_;
  std::shared_ptr<pool_core> host_pool_;
};

/// A handler on its way, with the work that keeps its executor's context running.
///
/// That work must be the last thing that goes, even after the handler has run: when run() of that
/// context returns, its owner may destroy it, and what is left of a handler (a binder's move copies
/// its executor) may still refer to it. Hence the order of the members, and that nobody moves
/// `where` out.
template <class Handler>
struct addressed_handler {
  using executor = executor_of_t<Handler>;

  addressed_handler(pool_core const& core, Handler&& h)
      : where(executor_of(core, h)), handler(std::move(h)) {}

  [[no_unique_address]] executor where;
  Handler handler;
};

template <class A, class B>
inline constexpr bool same_template = false;
template <template <class, class> class Template, class A1, class A2, class B1, class B2>
inline constexpr bool same_template<Template<A1, A2>, Template<B1, B2>> = true;

/// What a future's promise is told on: a wrapper of the system executor which does not say so.
using promise_executor = asio::associated_executor_t<
    asio::async_completion<asio::use_future_t<>, void()>::completion_handler_type>;

/// Whether `Executor` is the system executor or the wrapper of it that a future's promise runs on.
/// Work posted there, and as little as asking for its context, starts a hidden thread pool, which
/// main's end destroys while a thread that just posted to it may still be inside.
template <class Executor>
constexpr bool is_system_executor() {
  if constexpr (same_template<Executor, promise_executor>) {
    return true;
  } else if constexpr (asio::can_query_v<Executor, asio::execution::context_t>) {
    return std::is_same_v<std::decay_t<decltype(asio::query(std::declval<Executor const&>(),
                                                            asio::execution::context))>,
                          asio::system_context>;
  } else {
    return false;
  }
}

/// Whether `executor` runs handlers on the pool. One that cannot be asked for its context, such as
/// `any_completion_executor`, is compared with the pool's own.
template <class Executor>
bool belongs_to_pool([[maybe_unused]] pool_core const& core,
                     [[maybe_unused]] Executor const& executor) {
  // The first keeps the second from asking. NOLINTNEXTLINE(bugprone-branch-clone)
  if constexpr (is_system_executor<Executor>()) {
    return false;
  } else if constexpr (asio::can_query_v<Executor, asio::execution::context_t>) {
    return core.is_own_context(asio::query(executor, asio::execution::context));
  } else if constexpr (std::is_convertible_v<asio::any_io_executor, Executor>) {
    return executor ==
           asio::prefer(Executor(core.executor()), asio::execution::outstanding_work.tracked);
  } else {
    return false;
  }
}

/// Whether asio::post() to `Executor` is possible, and reaches a context that somebody runs.
template <class Executor>
inline constexpr bool may_post_to =
    asio::can_require_v<Executor, asio::execution::blocking_t::never_t> &&
    !is_system_executor<Executor>();

/// Whether asio::dispatch() to `executor` would call in place: it is that of the pool, whose threads
/// are its own, and this is one of them. Asked beforehand, because dispatch() takes a block of memory
/// for a call through a type-erased executor.
template <class Executor>
bool dispatches_in_place([[maybe_unused]] pool_core const& core,
                         [[maybe_unused]] Executor const& executor) noexcept {
  if constexpr (std::is_same_v<Executor, asio::any_io_executor>) {
    auto const* const own = own_executor_in(core, executor);
    return own != nullptr && own->running_in_this_thread() &&
           asio::query(*own, asio::execution::blocking) == asio::execution::blocking.possibly;
  } else {
    return false;
  }
}

/// An executor of an io_context on which work is tracked, as in a coroutine's completion handler.
using tracked_io_executor = std::decay_t<decltype(asio::require(
    std::declval<asio::io_context::executor_type>(), asio::execution::outstanding_work.tracked))>;

/// asio::dispatch(), in one block of memory and not two where a type-erased executor is one of an
/// io_context: the second one would be taken on this thread and given back on the other, each time.
template <class Executor, class Function>
void dispatch_to(Executor const& executor, Function&& function) {
  if constexpr (std::is_same_v<Executor, asio::any_io_executor>) {
    if (auto const* const plain = executor.template target<tracked_io_executor>()) {
      asio::dispatch(*plain, std::forward<Function>(function));
      return;
    }
  }
  asio::dispatch(executor, std::forward<Function>(function));
}

/// Calls the handler from a thread that works for the pool, after the job: in place where it runs
/// on the pool, else by its executor.
template <class Handler, class... Args>
void complete_here(pool_core& core, addressed_handler<Handler>&& to, Args... args) {
  if constexpr (std::is_same_v<executor_of_t<Handler>, no_executor>) {
    static_cast<void>(std::move(to.handler)(std::move(args)...));
  } else {
    if (core.host_is_gone() && belongs_to_pool(core, to.where)) return report_lost_handler(core);
    if (dispatches_in_place(core, to.where)) {
      static_cast<void>(std::move(to.handler)(std::move(args)...));
      return;
    }
    completion<Handler, Args...> call(std::move(to.handler), std::move(args)...);
    if (!core.owns_threads() && belongs_to_pool(core, to.where)) call.depend_on_host(core);
    dispatch_to(to.where, std::move(call));
  }
}

/// The same from any thread, and never inside this call. Not behind the jobs, where the handler's
/// executor allows it.
template <class Handler, class... Args>
void complete_later(pool_core& core, addressed_handler<Handler>&& to, Args... args) {
  completion<Handler, Args...> call(std::move(to.handler), std::move(args)...);
  bool on_pool = true;
  if constexpr (!std::is_same_v<executor_of_t<Handler>, no_executor>) {
    on_pool = belongs_to_pool(core, to.where);
  }
  if (on_pool && core.host_is_gone()) return report_lost_handler(core);
  if (on_pool && !core.owns_threads()) call.depend_on_host(core);
  // Holds the pool's threads until the completion is in their queue; empty once they have ended.
  auto const ticket =
      on_pool && core.owns_threads() ? core.gate().enter() : delivery_gate::ticket{};
  if (on_pool && core.owns_threads() && !ticket) {
    asio::post(control_context().get_executor(), std::move(call));
    return;
  }
  if constexpr (std::is_same_v<executor_of_t<Handler>, no_executor>) {
    if (core.owns_threads()) {
      asio::post(core.own_executor(),
                 std::move(call));  // any_io_executor would take a second block
    } else {
      asio::post(core.executor(), std::move(call));
    }
  } else {
    if constexpr (may_post_to<executor_of_t<Handler>>) {
      asio::post(to.where, std::move(call));
    } else {
      asio::post(control_context().get_executor(),
                 [where = to.where, call = std::move(call)]() mutable {
                   asio::dispatch(where, std::move(call));
                 });
    }
  }
}

}  // namespace brigade::detail
