// Each of these has to be found.
// SPDX-License-Identifier: BSL-1.0
#include <iterator>

#include "schedules/mutant.hpp"

namespace test::schedules {

constexpr mutant mutants[] = {
    // ── the ring ──
    {"a job is published without order", mistake::relaxed, "job_ring::publish store", "ring"},
    {"a job is taken without order", mistake::relaxed, "job_ring::take load", "ring"},
    {"a cell is freed without order", mistake::relaxed, "job_ring::take store", "ring"},
    {"a cell is filled without order", mistake::relaxed, "job_ring::open load", "ring"},
    {"a job is taken without an exchange", mistake::torn, "job_ring::take exchange", "ring"},
    {"a job is buried without an exchange", mistake::torn, "job_ring::bury exchange",
     "ring, a job ends in it"},
    {"a dead cell is taken without an exchange", mistake::torn, "job_ring::take_dead exchange",
     "ring, a job ends in it"},
    {"a dead cell is freed without order", mistake::relaxed, "job_ring::take_dead store",
     "ring, a job ends in it"},

    // ── admission ──
    {"a position is given out without an exchange", mistake::torn,
     "admission_gate::give_out exchange", "admission, one slot"},
    {"the limit is set without order", mistake::relaxed, "admission_gate::set_limit store",
     "admission, one slot"},
    {"the limit is read without order", mistake::relaxed, "admission_gate::limit load",
     "admission, one slot"},
    {"an end is counted without order", mistake::relaxed, "tally::bump store",
     "admission, one slot"},
    {"ends are summed up without order", mistake::relaxed, "tally::finished load",
     "admission, one slot"},
    {"an end is counted after its handler is told", mistake::late, "tally::bump store",
     "admission, slot handed over"},
    {"a lane's withdrawn position is not counted", mistake::left_out, "job_queue::withdraw change",
     "admission, two lanes"},

    // ── waking and sleeping ──
    {"a job is published, but not in one order with the crew", mistake::weaker,
     "job_ring::publish store", "pool, one slot"},
    {"whether to wake is asked out of order", mistake::weaker, "crew::needs_wake load",
     "pool, one slot"},
    {"a worker goes to sleep out of order", mistake::weaker, "crew::go_idle change",
     "pool, one slot"},
    {"the last look is out of order", mistake::weaker, "job_ring::ready load", "pool, one slot"},
    {"a worker does not look before it sleeps", mistake::left_out, "turn::rest ready",
     "pool, one slot"},
    {"who posts a job wakes nobody", mistake::left_out, "detail::post wake_if_needed",
     "pool, one slot"},
    {"a permit's empty place wakes nobody", mistake::left_out,
     "pool_core::leave_empty wake_if_needed", "pool, a permit"},
    {"a permit's empty place wakes nobody after stop()", mistake::left_out,
     "pool_core::leave_empty wake_if_needed", "stop, a permit"},
    {"a lane's place that is given up wakes nobody", mistake::left_out,
     "pool_core::admit wake_if_needed", "pool, two lanes"},
    {"a searcher that found a job does not look again", mistake::left_out,
     "turn::stop_searching ready", "pool, a long job"},
    {"a slot is put back without an exchange", mistake::torn, "crew::push exchange", "crew"},
    {"a slot is put back without order", mistake::relaxed, "crew::push exchange", "crew"},
    {"a slot is picked up without order", mistake::relaxed, "crew::pop exchange", "crew"},

    // ── ending ──
    {"close() does not write the crew's word", mistake::left_out, "pool_core::close synchronize",
     "close"},
    {"close() writes the crew's word without order", mistake::relaxed, "crew::synchronize change",
     "close"},
    {"a worker sleeps without asking for closed", mistake::left_out, "turn::rest is_closed",
     "close"},
    {"the drained bit is set and not asked", mistake::torn, "admission_gate::try_finish change",
     "close"},
    {"who ends a job looks at an old word", mistake::relaxed, "admission_gate::try_finish change",
     "stop"},
    {"stop() raises no alarm", mistake::left_out, "pool_core::stop raise_alarm",
     "stop, workers stuck"},
    {"the alarm is raised out of order", mistake::weaker, "crew::raise_alarm change",
     "stop, workers stuck"},

    // ── the waiting line ──
    {"the line passes no heavy fence", mistake::left_out, "waiting_line::add heavy fence",
     "line beside a long job"},
    {"a worker passes no light fence", mistake::left_out,
     "job_context::end_without_handler light fence", "line beside a long job"},
    {"the line looks before it raises its flag", mistake::left_out, "waiting_line::add await_slots",
     "line"},
    {"a notice is given without order", mistake::relaxed, "waiting_line::notify change",
     "line, two wait"},
    {"a notice is taken down without order", mistake::relaxed, "waiting_line::serve change",
     "line, two wait"},
    {"a notice is not taken down", mistake::left_out, "waiting_line::serve change",
     "line, two wait"},
};

constexpr std::size_t mutant_count = std::size(mutants);

}  // namespace test::schedules
