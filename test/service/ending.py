"""The end: nothing accepted stays without an answer, and the process says what it did."""

import os
import random
import re
import signal
import subprocess
import threading
import time
from signal import SIGINT, SIGKILL, SIGTERM, SIGUSR1

from support import PATIENCE, Client, NoAnswer, Press, decompressed, hard_to_compress, request, same, until


def scenario_an_idle_service_ends_with_a_report():
    for number in (SIGINT, SIGTERM):
        with Press() as press:
            same(press.ask(body=b"x").status, 200)
            report = press.end(number)
            same((report["completed"], report["answered"]), (1, 1), "report")


def scenario_the_report_names_its_signal():
    for number in (SIGINT, SIGTERM):
        with Press() as press:
            press.send_signal(number)
            _, lines, _ = press.wait()
            assert f"signal={signal.Signals(number).name} " in lines[0], lines


class Load(threading.Thread):
    """A client that asks again and again until the service is gone."""

    def __init__(self, press, seed):
        super().__init__(daemon=True)
        self.press, self.body = press, os.urandom(1000 + 40_000 * seed)
        self.good, self.refused, self.unaccepted, self.lost = 0, 0, 0, []

    def run(self):
        try:
            while self.connection():
                pass
        except Exception as error:  # noqa: BLE001 - whatever it is, the scenario must see it
            self.lost.append(repr(error))

    def connection(self):
        """One connection's worth of requests; false once there are no more connections."""
        answered = 0
        try:
            with Client(self.press) as client:
                while True:
                    client.send(request("/compress?level=3", self.body))
                    if self.take(client.answer()):
                        return True
                    answered += 1
        except ConnectionRefusedError:
            self.unaccepted += 1
            return False
        except (ConnectionResetError, BrokenPipeError, NoAnswer) as error:
            if self.never_accepted(error, answered):
                self.unaccepted += 1
            else:
                self.lost.append(repr(error))
            return True

    def never_accepted(self, error, answered):
        """It reached the system's queue as the door was closing."""
        return answered == 0 and isinstance(error, (ConnectionResetError, BrokenPipeError))

    def right(self, answer):
        return decompressed(answer.body) == self.body

    def take(self, answer):
        """Counts an answer; true if the connection ends with it."""
        if answer.status == 200 and self.right(answer):
            self.good += 1
        elif answer.status == 503 and answer.problem():
            self.refused += 1
        else:
            self.lost.append(f"{answer.status}, {len(answer.body)} bytes")
        return answer.closes()


def end_under_load(*options):
    with Press("--capacity", "6", *options) as press:
        load = [Load(press, seed) for seed in range(12)]
        for client in load:
            client.start()
        until(lambda: sum(client.good for client in load) > 60, "the load is on")
        report = press.end()
        for client in load:
            client.join(60)
            same(client.lost, [], "requests without a right answer")
        same(report["completed"], sum(client.good for client in load), "completed in the report")
        same((report["failed"], report["cut_off"]), (0, 0), "report")


def scenario_the_end_under_load_loses_nothing():
    end_under_load()


def scenario_the_end_under_load_on_two_network_threads_loses_nothing():
    end_under_load("--network-threads", "2", "--threads", "3")


def scenario_what_was_accepted_is_finished_and_what_comes_later_refused():
    with Press("--threads", "1", "--capacity", "8") as press:
        live = [Client(press) for _ in range(4)]
        body = hard_to_compress(700_000)
        clients = [Client(press).send(request("/compress?level=19", body)) for _ in range(5)]
        press.until_jobs(running=1, queued=4)
        press.send_signal()
        press.until_ending(live[3])
        late = live[0].ask(body=b"late")
        same((late.status, late.closes(), live[0].is_closed()), (503, True, True))
        late.problem()
        health = live[1].ask("/healthz")
        same((health.status, health.closes()), (200, True), "health while ending")
        until(lambda: press.metric('brigade_state{executor="press",state="draining"}') == 1,
              "the pool drains, and says so over new connections")
        same(press.ask("/healthz").status, 200, "health over a new connection while draining")
        same(press.ask("/readyz").status, 503, "readiness over a new connection")
        same(press.ask(body=b"late").status, 503, "a late request over a new connection")
        for client in clients:
            answer = client.answer()
            same((answer.status, answer.closes()), (200, True))
            same(decompressed(answer.body) == body, True, "body")
        report = press.end_report(0)
        same((report["completed"], report["cancelled"]), (5, 0), "report")
        for client in live:
            client.close()


def scenario_idle_connections_do_not_hold_up_the_end():
    with Press() as press:
        fresh, used = Client(press), Client(press)
        same(used.ask("/healthz").status, 200)
        started = time.monotonic()
        press.end()
        assert time.monotonic() - started < 20, "it waited for idle connections"
        assert fresh.is_closed() and used.is_closed()


def scenario_a_body_on_its_way_may_still_arrive():
    with Press() as press, Client(press) as client, Client(press) as live:
        whole = request(body=b"z" * 100_000, Expect="100-continue")
        client.send(whole[:-50_000])
        same(client.answer(skip_continue=False).status, 100)
        press.send_signal()
        press.until_ending(live)
        client.send(whole[-50_000:])
        answer = client.answer()
        same((answer.status, answer.closes()), (200, True))
        same(press.end_report(0)["completed"], 1, "completed")


def scenario_a_body_that_never_arrives_does_not_hold_up_the_end():
    with Press("--grace", "0.3") as press, Client(press) as client, Client(press) as slow_header:
        client.send(request(body=b"z" * 100_000, Expect="100-continue")[:-1])
        same(client.answer(skip_continue=False).status, 100)
        slow_header.send(b"GET /healthz HTTP/1.1\r\nHost:")
        press.send_signal()
        for late in (client, slow_header):
            answer = late.answer()
            same((answer.status, answer.closes()), (503, True))
            answer.problem()
        press.end_report(0)


def scenario_a_client_that_never_reads_does_not_hold_up_the_end():
    with Press("--write-timeout", "0.3") as press:
        client = Client(press, receive_buffer=4096)
        client.send(request("/compress?level=1", os.urandom(16 << 20)))
        press.until_jobs(ok=1)
        press.end()
        client.close()


def scenario_a_lame_duck_is_not_ready_but_takes_requests():
    with Press("--lame-duck", "600") as press, Client(press) as live:
        press.send_signal()
        press.until_ending(live)
        answer = press.ask(body=b"on its way when the signal came")
        same((answer.status, answer.closes()), (200, True))
        same(press.ask("/healthz").status, 200, "health of a lame duck")
        same(press.metric('brigade_state{executor="press",state="lame_duck"}'), 1, "state")
        press.send_signal()  # hurries
        report = press.end_report(0)
        same((report["completed"], report["cancelled"]), (1, 0), "report")


def scenario_a_lame_duck_is_followed_by_the_end():
    with Press("--lame-duck", "0.2") as press:
        started = time.monotonic()
        press.end()
        assert time.monotonic() - started > 0.19, "it was no lame duck"


def scenario_what_takes_longer_than_the_times_is_given_up():
    with Press("--threads", "1", "--capacity", "8", "--grace", "0", "--drain", "0.2",
               "--cancel", "0.2") as press:
        body = hard_to_compress(16 << 20)
        first = Client(press).send(request("/compress?level=19", body))
        press.until_jobs(running=1)
        waiting = [Client(press).send(request("/compress?level=19", body)) for _ in range(2)]
        press.until_jobs(running=1, queued=2)
        uploading = Client(press).send(request(body=body)[:-1])
        press.send_signal()
        for client in (uploading, *waiting, first):
            answer = client.answer()
            same((answer.status, answer.closes()), (503, True))
            answer.problem()
        code, lines, err = press.wait()
        same(code, 1, "exit status")
        assert " completed=0 failed=0 cancelled=2 abandoned=1 " in lines[0], lines
        named = re.findall(r"^press: abandoned: 'compress' on thread \d+ for \d+\.\d{3} s$", err, re.M)
        same(len(named), 1, f"jobs named as abandoned in {err!r}")


def leave_while_it_drains(leave):
    """Clients whose bodies wait, and one whose body is in work, leave once the drain has begun."""
    with Press("--threads", "1", "--capacity", "4") as press:
        live = Client(press)
        stays = Client(press).send(request("/compress?level=19", hard_to_compress(900_000)))
        press.until_jobs(running=1)
        clients = [Client(press).send(request("/compress?level=19", hard_to_compress(8 << 20)))
                   for _ in range(3)]
        press.until_jobs(running=1, queued=3)
        press.send_signal()
        press.until_ending(live)
        for client in clients[1:]:
            leave(client)
        same(stays.answer().status, 200, "status of one that stays")
        press.until_jobs(running=1, queued=0, cancelled=2)
        leave(clients[0])
        report = press.end_report(0)
        same((report["cancelled"], report["abandoned"], report["cut_off"]), (2, 0, 0), "report")


def scenario_clients_that_close_during_the_drain_are_no_failure():
    leave_while_it_drains(Client.close)


def scenario_clients_that_reset_during_the_drain_are_no_failure():
    leave_while_it_drains(Client.reset)


def scenario_a_client_that_leaves_in_the_middle_of_its_body_during_the_drain_is_no_failure():
    with Press() as press:
        live, uploading = Client(press), Client(press)
        uploading.send(request(body=b"z" * 100_000, Expect="100-continue")[:-50_000])
        same(uploading.answer(skip_continue=False).status, 100)
        press.send_signal()
        press.until_ending(live)
        uploading.reset()
        same(press.end_report(0)["completed"], 0, "completed")


def scenario_a_full_service_ends_and_answers_all_that_it_took():
    with Press("--threads", "1", "--capacity", "3") as press:
        body = hard_to_compress(400_000)
        taken = [Client(press).send(request("/compress?level=19", body)) for _ in range(3)]
        press.until_jobs(running=1, queued=2)
        same(press.ask(body=b"x").status, 503, "status where there is no room")
        press.send_signal()
        for client in taken:
            same(client.answer().status, 200)
        report = press.end_report(0)
        same((report["completed"], report["rejected"]), (3, 1), "report")


def scenario_it_says_what_it_does_when_asked():
    with Press("--threads", "1") as press:
        client = Client(press).send(request("/compress?level=19", hard_to_compress(700_000)))
        press.until_jobs(running=1)
        press.send_signal(SIGUSR1)
        line = press.process.stderr.readline()
        assert line.startswith("brigade: pool 'press' is running: 1 of 1 workers busy; 1 jobs run"), line
        line = press.process.stderr.readline()
        assert re.fullmatch(r"  'compress' on thread \d+ for \d+\.\d{3} s\n", line), line
        press.send_signal()
        same(client.answer().status, 200)
        press.end_report(0)


class Cycle(Load):
    """The same load, with frames that are known, so that no answer costs a process.

    An idle connection may be closed just when its client, which has not had the processor for a
    while, sends its next request. The service has not read that: the sum of its answers is checked.
    """

    def __init__(self, press, body, frame):
        super().__init__(press, 0)
        self.body, self.frame = body, frame

    def never_accepted(self, error, answered):
        return True

    def right(self, answer):
        return answer.body == self.frame


def scenario_start_load_and_end_again_and_again_loses_nothing():
    """CYCLES=1000 in the environment for as many; a few here."""
    rng = random.Random(seed := int(os.environ.get("SEED", random.randrange(1 << 30))))
    print(f"SEED={seed}")
    bodies = [os.urandom(1 << rng.randrange(6, 17)) for _ in range(6)]
    with Press() as press:
        frames = [press.ask("/compress?level=3", body=body).body for body in bodies]
    for body, frame in zip(bodies, frames):
        same(decompressed(frame) == body, True, "frame")
    sums = {"good": 0, "refused": 0, "unaccepted": 0}
    for cycle in range(int(os.environ.get("CYCLES", 20))):
        with Press("--threads", str(rng.randrange(1, 4)), "--capacity", str(rng.choice((1, 4, 64))),
                   "--network-threads", str(rng.randrange(1, 3)),
                   "--lame-duck", rng.choice(("0", "0", "0.05")), "--grace", "30", "--drain", "60",
                   "--cancel", "60") as press:
            load = [Cycle(press, body, frame) for body, frame in zip(bodies, frames)]
            for client in load:
                client.start()
            answers = rng.choice((0, 0, 1, 50))
            until(lambda: sum(c.good + c.refused for c in load) >= answers, "the load is on")
            report = press.end(rng.choice((SIGINT, SIGTERM)))
            for client in load:
                client.join(60)
                same(client.lost, [], f"requests without a right answer in cycle {cycle}")
            same(report["completed"], sum(c.good for c in load), f"completed in cycle {cycle}")
            same(report["answered"], sum(c.good + c.refused for c in load),
                 f"requests that the service says it has answered in cycle {cycle}")
            same((report["failed"], report["cancelled"], report["cut_off"]), (0, 0, 0), "report")
            for name in sums:
                sums[name] += sum(getattr(c, name) for c in load)
    print(f"answered {sums['good']}, refused {sums['refused']}, never accepted {sums['unaccepted']}")


def scenario_a_second_signal_cancels_what_waits():
    with Press("--threads", "1", "--capacity", "8", "--cancel", "60") as press:
        live = Client(press)
        body = hard_to_compress(4 << 20)
        first = Client(press).send(request("/compress?level=19", body))
        press.until_jobs(running=1)
        waiting = [Client(press).send(request("/compress?level=19", body)) for _ in range(3)]
        press.until_jobs(running=1, queued=3)
        uploading = Client(press).send(request(body=body)[:-1])
        press.send_signal()
        press.until_ending(live)
        press.send_signal()
        for client in (*waiting, uploading):
            answer = client.answer()
            same((answer.status, answer.closes()), (503, True))
            answer.problem()
        same(first.answer().status, 200, "status of the one that was running")
        report = press.end_report(1)
        same((report["completed"], report["cancelled"]), (1, 3), "report")


def scenario_a_second_signal_with_nothing_waiting_is_no_failure():
    with Press("--threads", "1", "--cancel", "60") as press:
        live = Client(press)
        running = Client(press).send(request("/compress?level=19", hard_to_compress(2 << 20)))
        press.until_jobs(running=1)
        press.send_signal()
        press.until_ending(live)
        press.send_signal(SIGINT)
        same(running.answer().status, 200)
        same(press.end_report(0)["completed"], 1, "completed")


def scenario_a_third_signal_kills():
    with Press("--threads", "1", "--cancel", "60") as press:
        live = Client(press)
        busy = press.keep_busy(1)
        press.send_signal()
        press.until_ending(live)
        press.send_signal()
        same(press.process.stderr.readline(), "press: giving up what waits\n", "stderr")
        press.send_signal(SIGINT)
        same(press.process.wait(PATIENCE), -SIGINT)
        for client in busy:
            client.close()


def scenario_a_signal_in_the_first_moments_ends_it_too():
    for attempt in range(30):
        process = subprocess.Popen([Press.binary, "--port", "0"], stdout=subprocess.PIPE, text=True)
        time.sleep(attempt / 2000)  # this is what is tried out, not waited for
        process.send_signal(SIGTERM)
        out, _ = process.communicate(timeout=60)
        if process.returncode == -SIGTERM:
            same(out, "", "output of a process that had not begun")
        else:
            same(process.returncode, 0, "exit status")
            lines = out.splitlines()
            same(len(lines), 2, f"lines in {lines}")
            assert lines[1].startswith("press ended: "), lines


def scenario_a_burst_of_signals_is_no_crash():
    with Press("--threads", "1") as press:
        busy = press.keep_busy(1)
        for _ in range(50):
            press.send_signal()
        code, _, err = press.wait()
        for client in busy:
            client.close()
        assert code in (0, 1, -SIGTERM), (code, err)


def scenario_killed_it_leaves_its_port_at_once():
    with Press() as press:
        same(press.ask("/healthz").status, 200)
        press.send_signal(SIGKILL)
        press.wait()
        with Press("--port", str(press.port)) as again:
            same(again.ask("/healthz").status, 200)
