// The queue against a naive model: which jobs are queued, in which order, and whether there is
// room.
// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/job_queue.hpp>

#include <brigade/detail/job_ending.hpp>

#include <algorithm>
#include <deque>
#include <random>
#include <vector>

#include "support/catch.hpp"

using namespace brigade::detail;
using boost::system::error_code;

namespace {

/// A job that is a number; a buried one is a shell that says so.
struct numbered {
  explicit numbered(int* out, int n) noexcept : taken(out), number(n) {}
  int* taken;
  int number;
  static void run(void* storage, job_context&) { give(storage); }
  static bool discard(void* storage, job_ending const&) {
    give(storage);
    return true;
  }
  static void give(void* storage) {
    auto* const self = std::launder(static_cast<numbered*>(storage));
    *self->taken = self->number;
    self->~numbered();
  }
};

class bench {
 public:
  explicit bench(std::size_t capacity) : queue(capacity, counts) {}

  bool push(int number) {
    auto const claim = queue.admit(submitter::outsider);
    if (claim.answer != verdict::admitted) return false;
    queue.open(claim).emplace<numbered>(&taken, number);
    queue.publish(claim);
    positions.push_back(claim.position);
    return true;
  }

  /// The number of the next job, or -1.
  int pop() {
    inline_job job;
    job_note note;
    while (queue.take(job, note)) {
      if (job.discard({})) return taken;
    }
    return -1;
  }

  bool try_finish() {
    return queue.gate().try_finish([this] { return counts.finished(); });
  }

  void finish() { counts.elsewhere().add_end(outcome::completed); }

  ledger counts{1};
  job_queue queue;
  int taken = -1;
  std::vector<std::uint64_t> positions;
};

}  // namespace

TEST_CASE("a queue admits its capacity and not one more", "[unit][job_queue]") {
  auto const capacity = GENERATE(1, 2, 3, 63, 64, 65, 1000);
  bench b(static_cast<std::size_t>(capacity));
  for (int i = 0; i != capacity; ++i) REQUIRE(b.push(i));
  REQUIRE_FALSE(b.push(0));
  CHECK(b.pop() == 0);
  REQUIRE_FALSE(b.push(0));  // taken, but not finished
  b.finish();
  REQUIRE(b.push(capacity));
  REQUIRE_FALSE(b.push(0));
}

TEST_CASE("a claim for many is a prefix", "[unit][job_queue]") {
  bench b(10);
  auto const first = b.queue.admit(submitter::outsider, 7);
  CHECK(first.count == 7);
  auto const second = b.queue.admit(submitter::outsider, 7);
  CHECK(second.count == 3);
  CHECK(second.position == 7);
  CHECK(b.queue.admit(submitter::outsider, 7).answer == verdict::queue_full);
}

TEST_CASE("jobs behind one that is not published yet wait for it", "[unit][job_queue]") {
  bench b(4);
  auto const slow = b.queue.admit(submitter::outsider);
  REQUIRE(b.push(2));
  CHECK_FALSE(b.queue.ready());
  CHECK(b.pop() == -1);
  b.queue.open(slow).emplace<numbered>(&b.taken, 1);
  b.queue.publish(slow);
  CHECK(b.queue.ready());
  CHECK(b.pop() == 1);
  CHECK(b.pop() == 2);
}

TEST_CASE(
    "a note comes out with its job, from the ring and from behind it, and no job has another's",
    "[unit][job_queue]") {
  bench b(64);
  auto const push = [&b](int number, bool noted) {
    auto const claim = b.queue.admit(submitter::outsider);
    REQUIRE(claim.answer == verdict::admitted);
    b.queue.open(claim).emplace<numbered>(&b.taken, number);
    job_note note;
    note.admitted = 1'000 + number;
    note.weight = number % 4 == 0 ? 64 : 1;
    note.number = claim.position;
    if (noted) {
      b.queue.publish(claim, 0, note);
    } else {
      b.queue.publish(claim);
    }
    return claim.spilled != nullptr;
  };
  for (int n = 0; n != 64; ++n) push(n, n % 2 == 0);
  for (std::uint64_t p = 10; p != 20; ++p) {
    b.queue.bury(p);
    b.finish();
  }
  for (int n = 64; n != 74; ++n) CHECK(push(n, n % 2 == 0));

  inline_job job;
  job_note note;
  int last = -1;
  while (b.queue.take(job, note)) {
    job.discard({});
    last = b.taken;
    if (last >= 10 && last < 20) continue;  // buried
    REQUIRE(static_cast<bool>(note) == (b.taken % 2 == 0));
    if (!note) continue;
    REQUIRE(note.admitted == 1'000 + b.taken);
    REQUIRE(note.weight == (b.taken % 4 == 0 ? 64U : 1U));
    REQUIRE(note.number == static_cast<std::uint64_t>(b.taken));
    REQUIRE(note.started == 0);
  }
  CHECK(last == 73);
}

TEST_CASE("closing is final for outsiders and tells when nothing is left", "[unit][job_queue]") {
  bench b(4);
  REQUIRE(b.push(1));
  b.queue.gate().set(closed_bit);
  CHECK_FALSE(b.push(2));
  CHECK_FALSE(b.try_finish());
  auto const inside = b.queue.admit(submitter::running_job);
  REQUIRE(inside.answer == verdict::admitted);
  b.finish();
  CHECK_FALSE(b.try_finish());
  b.finish();
  CHECK(b.try_finish());
  CHECK_FALSE(b.try_finish());
  CHECK(b.queue.admit(submitter::running_job).answer == verdict::closed);
}

TEST_CASE("who holds a slot gets a position at the bound, and gives its slot back",
          "[unit][job_queue]") {
  bench b(2);
  REQUIRE(b.push(1));
  auto const held = b.queue.admit(submitter::outsider);
  REQUIRE(held.answer == verdict::admitted);
  b.queue.leave_empty(held);
  CHECK_FALSE(b.push(2));
  auto const spent = b.queue.admit(submitter::slot_holder);
  REQUIRE(spent.answer == verdict::admitted);
  b.queue.open(spent).emplace<numbered>(&b.taken, 3);
  b.queue.publish(spent);
  b.finish();  // the slot that was held
  CHECK_FALSE(b.push(4));
  CHECK(b.pop() == 1);
  b.finish();
  REQUIRE(b.push(5));
  CHECK(b.pop() == 3);  // the empty cell before it is no job
  CHECK(b.pop() == 5);
}

TEST_CASE("slots that are held and given back need no worker to make room", "[unit][job_queue]") {
  bench b(2);
  for (int i = 0; i != 1000; ++i) {
    auto const held = b.queue.admit(submitter::outsider);
    REQUIRE(held.answer == verdict::admitted);
    b.queue.leave_empty(held);
    b.finish();
  }
  CHECK((b.queue.gate().word() & spilling_bit) == 0);
}

TEST_CASE("a position that is withdrawn leaves room and no trace", "[unit][job_queue]") {
  bench b(1);
  auto const claim = b.queue.admit(submitter::outsider);
  b.queue.withdraw(claim, 0);
  CHECK(b.counts.finished() == 0);
  CHECK(b.queue.finished() == 1);
  REQUIRE(b.push(1));
  CHECK_FALSE(b.push(2));
  CHECK(b.pop() == 1);
}

TEST_CASE("cells of cancelled jobs never fill the ring", "[unit][job_queue]") {
  bench b(2);
  REQUIRE(b.push(0));  // stays at the front, so that nothing behind it can leave the ring
  for (int i = 1; i != 1000; ++i) {
    REQUIRE(b.push(i));
    REQUIRE_FALSE(b.push(-2));
    b.queue.bury(b.positions.back());
    b.finish();
  }
  REQUIRE(b.push(1000));
  CHECK(b.pop() == 0);
  b.finish();
  int last = b.pop();
  while (last != 1000) {  // shells of the buried, then the job
    REQUIRE(last != -1);
    last = b.pop();
  }
  CHECK(b.pop() == -1);
  b.finish();
  REQUIRE(b.push(1001));  // in the ring again
  CHECK((b.queue.gate().word() & spilling_bit) == 0);
  CHECK(b.pop() == 1001);
}

TEST_CASE("a spilled job that is ended before it is published stays to be published",
          "[unit][job_queue]") {
  bench b(2);
  REQUIRE(b.push(0));  // keeps the front of the ring
  for (int i = 1; i != 64; ++i) {
    REQUIRE(b.push(i));
    b.queue.bury(b.positions.back());
    b.finish();
  }
  auto const claim = b.queue.admit(submitter::outsider);
  REQUIRE(claim.answer == verdict::admitted);
  REQUIRE(claim.spilled != nullptr);
  b.queue.bury(claim.position);  // somebody is quicker than the one who fills it
  b.queue.open(claim).emplace<numbered>(&b.taken, 64);
  b.queue.publish(claim);
  b.queue.bury(claim.position);
  CHECK(b.taken == 64);  // given up, for nobody to take
  CHECK(b.pop() == 0);
}

TEST_CASE("a job that is held back stays queued, and is taken first once it is called",
          "[unit][job_queue]") {
  bench b(4);
  for (int i = 0; i != 3; ++i) REQUIRE(b.push(i));
  auto const hold_next = [&b](std::uint64_t position) {
    inline_job job;
    job_note note;
    REQUIRE(b.queue.take(job, note));
    auto shell = overflow_store::make_node();
    shell.mapped().job.take_from(job);
    b.queue.hold(std::move(shell), position);
  };
  hold_next(b.positions[0]);
  hold_next(b.positions[1]);
  SECTION("in the order of their positions") {
    b.queue.call(b.positions[1]);
    b.queue.call(b.positions[0]);
    b.queue.call(b.positions[0]);  // idempotent
    CHECK(b.queue.ready());
    CHECK(b.pop() == 0);
    CHECK(b.pop() == 1);
    CHECK(b.pop() == 2);
    CHECK_FALSE(b.queue.ready());
  }
  SECTION("not before") {
    CHECK(b.pop() == 2);
    CHECK_FALSE(b.queue.ready());
    CHECK(b.pop() == -1);
    b.queue.call(b.positions[0]);
    CHECK(b.pop() == 0);
  }
  SECTION("to be ended the oldest of all comes first, called or not") {
    b.queue.call(b.positions[1]);
    for (int i = 0; i != 3; ++i) {
      inline_job job;
      job_note note;
      REQUIRE(b.queue.take_to_end(job, note));
      job.discard({});
      CHECK(b.taken == i);
    }
    CHECK_FALSE(b.queue.ready());
  }
  SECTION("one that has ended is taken from the shelf") {
    b.queue.call(b.positions[1]);
    b.queue.bury(b.positions[1]);
    CHECK(b.taken == 1);
    b.queue.bury(b.positions[0]);
    CHECK(b.taken == 0);
    CHECK(b.pop() == 2);
    CHECK(b.pop() == -1);
  }
}

TEST_CASE("random pushes, pops, ends and cancellations keep order and bound",
          "[model][job_queue]") {
  auto const seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  for (int round = 0; round != 40; ++round) {
    auto const capacity = std::size_t{1} << (random() % 8);
    bench b(capacity);
    struct queued {
      int number;
      std::uint64_t position;
    };
    std::deque<queued> model;
    std::vector<int> buried;
    std::size_t running = 0;
    int next = 0;
    for (int step = 0; step != 3000; ++step) {
      switch (random() % 4) {
        case 0:
        case 1: {
          bool const room = model.size() + running < capacity;
          REQUIRE(b.push(next) == room);
          if (room) model.push_back({next, b.positions.back()});
          ++next;
          break;
        }
        case 2: {
          int got = b.pop();
          while (std::find(buried.begin(), buried.end(), got) != buried.end()) got = b.pop();
          REQUIRE(got == (model.empty() ? -1 : model.front().number));
          if (got != -1) {
            model.pop_front();
            ++running;
          }
          if (running != 0 && random() % 2 == 0) {
            b.finish();
            --running;
          }
          break;
        }
        default:
          if (model.empty()) break;
          auto const at = model.begin() + static_cast<std::ptrdiff_t>(random() % model.size());
          buried.push_back(at->number);
          auto const position = at->position;
          model.erase(at);
          b.queue.bury(position);
          b.finish();
      }
    }
  }
}
