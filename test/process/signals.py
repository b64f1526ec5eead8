"""What a shell or a service manager sees of a process that ends by async_run_until_signal.

Usage: signals.py PROGRAM SCENARIO
"""
# SPDX-License-Identifier: BSL-1.0
import re
import subprocess
import sys
import time
from signal import SIGINT, SIGTERM, SIGUSR1

LONG = 60_000  # milliseconds that no scenario waits for


class Program:
    def __init__(self, path, kind, lame_duck=0, drain=LONG, cancel=LONG):
        self.process = subprocess.Popen([path, kind, str(lame_duck), str(drain), str(cancel)],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.expect("ready")

    def expect(self, *lines):
        for line in lines:
            seen = self.process.stdout.readline().rstrip("\n")
            assert seen == line, f"expected '{line}', read '{seen}'"
        return self

    def send(self, number):
        self.process.send_signal(number)
        return self

    def end(self):
        """The exit status, below 0 for a death by signal, and what was printed last."""
        # Not by communicate(), which would pass over what readline() has read ahead.
        rest, self.errors = self.process.stdout.read(), self.process.stderr.read()
        self.process.wait(timeout=60)
        return self.process.returncode, rest


def ends_with(program, status, report):
    ended, rest = program.end()
    assert ended == status, (ended, rest, program.errors)
    assert report in rest, rest


def dies_of(program, number):
    ended, rest = program.end()
    assert ended == -number.value, (ended, rest, program.errors)
    assert rest == "", rest


def scenario_one_signal_drains(path):
    for number in (SIGTERM, SIGINT):
        program = Program(path, "quick").send(number).expect("draining", "stopped")
        ends_with(program, 0, f"by signal {number.value}: 21 completed\n")


def scenario_one_signal_ends_a_lame_duck_after_its_time(path):
    program = Program(path, "quick", lame_duck=50).send(SIGTERM)
    program.expect("lame_duck", "draining", "stopped")
    ends_with(program, 0, "by signal 15: 21 completed\n")


def scenario_a_second_signal_cancels_a_drain(path):
    program = Program(path, "obedient").send(SIGTERM).expect("draining")
    program.send(SIGTERM).expect("cancelling", "stopped")
    ends_with(program, 1, "1 completed, 20 cancelled\n")


def scenario_a_second_signal_cancels_a_lame_duck(path):
    program = Program(path, "obedient", lame_duck=LONG).send(SIGTERM).expect("lame_duck")
    program.send(SIGINT).expect("cancelling", "stopped")
    ends_with(program, 1, "by signal 15: 1 completed, 20 cancelled\n")


def scenario_a_second_signal_while_it_cancels_changes_nothing(path):
    program = Program(path, "stuck", drain=20, cancel=300).send(SIGTERM)
    program.expect("draining", "cancelling").send(SIGTERM)
    ends_with(program, 1, "20 cancelled, 1 abandoned\n")


def scenario_a_third_signal_kills_as_by_default(path):
    for number in (SIGTERM, SIGINT):
        program = Program(path, "stuck").send(number).expect("draining")
        program.send(number).expect("cancelling").send(number)
        dies_of(program, number)


def scenario_a_third_signal_kills_a_lame_duck_that_was_hurried(path):
    program = Program(path, "stuck", lame_duck=LONG).send(SIGTERM).expect("lame_duck")
    program.send(SIGTERM).expect("cancelling").send(SIGINT)
    dies_of(program, SIGINT)


def scenario_a_stuck_job_does_not_keep_the_process(path):
    program = Program(path, "stuck", drain=50, cancel=50).send(SIGTERM)
    program.expect("draining", "cancelling")
    status, report = program.end()
    assert status == 1, (status, report)
    assert re.search(r"20 cancelled, 1 abandoned\n  abandoned: a job on thread \d+ for \d+\.\d{3} s\n$",
                     report), report


def scenario_endless_loops_on_every_worker_let_main_return(path):
    program = Program(path, "endless", drain=50, cancel=50).send(SIGTERM)
    program.expect("draining", "cancelling")
    status, report = program.end()
    assert status == 1, (status, report)
    assert report.count("\n  abandoned: a job on thread ") == 3, report
    # The watch for stuck jobs has told of each, once.
    told = re.findall(r"brigade: pool 'until': stuck: a job on thread \d+ for [\d.]+ s\n",
                      program.errors)
    assert len(told) == 3, program.errors


def scenario_a_job_that_throws_when_asked_to_stop_harms_nobody(path):
    program = Program(path, "thrower", drain=20).send(SIGTERM)
    program.expect("draining", "cancelling", "stopped")
    ends_with(program, 1, "0 completed, 1 failed, 20 cancelled\n")


def scenario_a_full_pool_ends_like_any_other(path):
    program = Program(path, "full").send(SIGTERM).expect("draining")
    program.send(SIGTERM).expect("cancelling", "stopped")
    ends_with(program, 1, "1 completed, 20 cancelled\n")


def scenario_two_pools_end_on_the_same_signals(path):
    program = Program(path, "two").send(SIGTERM).expect("draining")
    program.send(SIGTERM).expect("cancelling", "stopped")
    ends_with(program, 1, "1 completed, 20 cancelled\n")


def scenario_a_dump_says_what_runs_and_what_waits(path):
    program = Program(path, "stuck", drain=50, cancel=50)
    program.send(SIGUSR1)
    first = program.process.stderr.readline()
    assert re.fullmatch(r"brigade: pool 'until' is running: 1 of 1 workers busy; 1 jobs run, 20 wait, "
                        r"of at most 64; the oldest has waited for \d+\.\d{3} s\n", first), first
    second = program.process.stderr.readline()
    assert re.fullmatch(r"  a job on thread \d+ for \d+\.\d{3} s\n", second), second
    program.send(SIGTERM).expect("draining", "cancelling")
    ends_with(program, 1, "1 abandoned\n")


def scenario_a_burst_of_signals_kills_or_ends_in_order(path):
    for _ in range(10):
        program = Program(path, "quick")
        for _ in range(100):
            if program.process.poll() is None:
                program.send(SIGTERM)
        status, rest = program.end()
        # The system merges signals of one number that are pending, so one, two or three arrive.
        assert status in (0, 1, -SIGTERM.value), (status, rest)
        if status >= 0:
            assert "completed" in rest, rest


def scenario_bursts_of_signals_kill_what_is_stuck(path):
    for _ in range(5):
        program = Program(path, "stuck")
        while program.process.poll() is None:
            for _ in range(100):
                program.send(SIGTERM)
        assert program.process.returncode == -SIGTERM.value, program.process.returncode


def scenario_a_signal_in_the_first_moments_ends_it(path):
    for attempt in range(40):
        process = subprocess.Popen([path, "quick", "0", str(LONG), str(LONG)],
                                   stdout=subprocess.PIPE, text=True)
        time.sleep(attempt / 4000)  # this is what is tried out, not waited for
        process.send_signal(SIGTERM)
        out, _ = process.communicate(timeout=60)
        # Until the signals are caught they do what they do by default. From then on jobs may be
        # refused, since the end has begun before they were submitted.
        assert process.returncode in (0, 65, -SIGTERM.value), (process.returncode, out)
        if process.returncode == 0:
            assert out.endswith("by signal 15: 21 completed\n"), out


def main():
    path, name = sys.argv[1:]
    globals()["scenario_" + name](path)


if __name__ == "__main__":
    main()
