"""What a shell or a service manager sees of a process that ends by async_run_until_signal.

Usage: signals.py PROGRAM SCENARIO
"""
# SPDX-License-Identifier: BSL-1.0
import signal
import subprocess
import sys


class Program:
    def __init__(self, path, kind, drain, cancel):
        self.process = subprocess.Popen([path, kind, str(drain), str(cancel)],
                                        stdout=subprocess.PIPE, text=True)
        self.expect("ready")

    def expect(self, line):
        seen = self.process.stdout.readline().rstrip("\n")
        assert seen == line, f"expected '{line}', read '{seen}'"

    def send(self, number):
        self.process.send_signal(number)

    def end(self):
        """The exit status, below 0 for a death by signal, and what was printed last."""
        rest = self.process.stdout.read()
        return self.process.wait(timeout=60), rest


def scenario_one_signal_drains(path):
    for number in (signal.SIGTERM, signal.SIGINT):
        program = Program(path, "quick", 60_000, 60_000)
        program.send(number)
        program.expect("draining")
        program.expect("stopped")
        status, report = program.end()
        assert status == 0, (status, report)
        assert f"by signal {number.value}: 21 completed\n" in report, report


def scenario_a_second_signal_cancels(path):
    program = Program(path, "obedient", 60_000, 60_000)
    program.send(signal.SIGTERM)
    program.expect("draining")
    program.send(signal.SIGTERM)
    program.expect("cancelling")
    program.expect("stopped")
    status, report = program.end()
    assert status == 1, (status, report)
    assert "1 completed, 20 cancelled\n" in report, report


def scenario_a_third_signal_kills_as_by_default(path):
    for number in (signal.SIGTERM, signal.SIGINT):
        program = Program(path, "stuck", 60_000, 60_000)
        program.send(number)
        program.expect("draining")
        program.send(number)
        program.expect("cancelling")
        program.send(number)
        status, rest = program.end()
        assert status == -number.value, (status, rest)
        assert rest == "", rest


def scenario_a_stuck_job_does_not_keep_the_process(path):
    program = Program(path, "stuck", 50, 50)
    program.send(signal.SIGTERM)
    program.expect("draining")
    program.expect("cancelling")
    status, report = program.end()
    assert status == 1, (status, report)
    assert "20 cancelled, 1 abandoned\n" in report, report


def scenario_a_burst_of_signals_kills_or_ends_in_order(path):
    for _ in range(10):
        program = Program(path, "quick", 60_000, 60_000)
        for _ in range(100):
            if program.process.poll() is None:
                program.send(signal.SIGTERM)
        status, rest = program.end()
        # The system merges signals of one number that are pending, so one, two or three arrive.
        assert status in (0, 1, -signal.SIGTERM.value), (status, rest)
        if status >= 0:
            assert "completed" in rest, rest


def main():
    path, name = sys.argv[1:]
    globals()["scenario_" + name](path)


if __name__ == "__main__":
    main()
