"""Prefer: wait=SECONDS, and the two lanes: who waits, for how long, and who comes first."""

import time

from support import Client, Press, decompressed, hard_to_compress, request, same, until


def metric_of(press, name):
    return press.metric(f'{name}{{executor="press"}}')


def until_waiting(press, number):
    until(lambda: metric_of(press, "brigade_waiting_submitters") == number, f"{number} wait in line")


def scenario_who_prefers_to_wait_is_served_once_there_is_a_place():
    with Press("--threads", "1", "--capacity", "1") as press:
        busy = press.keep_busy(1)
        with Client(press) as client:
            client.send(request(body=b"patient", Prefer="wait=50"))
            until_waiting(press, 1)
            busy[0].close()
            answer = client.answer()
            same((answer.status, decompressed(answer.body)), (200, b"patient"))
            same(answer.fields["preference-applied"], "wait=50")
        report = press.end()
        same((report["rejected"], report["cancelled"]), (0, 0), "report")


def scenario_a_wait_in_line_that_is_over_is_answered_with_503():
    with Press("--threads", "1", "--capacity", "1") as press:
        busy = press.keep_busy(1)
        started = time.monotonic()
        answer = press.ask(body=b"x", Prefer="wait=1")
        took = time.monotonic() - started
        same((answer.status, answer.fields["preference-applied"]), (503, "wait=1"))
        assert "wait=1" in answer.problem()["detail"], answer.body
        assert answer.problem()["type"].endswith("waited-in-vain"), answer.body
        assert 1 <= int(answer.fields["retry-after"]) <= 60, answer.fields
        assert 1 <= took < 10, f"took {took} s"
        same(metric_of(press, "brigade_waiting_submitters"), 0, "in line")
        busy[0].close()


def scenario_a_queued_job_that_nobody_waits_for_any_more_is_not_run():
    with Press("--threads", "1", "--capacity", "4") as press:
        busy = press.keep_busy(1)
        answer = press.ask(body=b"x", Prefer="wait=1")
        same(answer.status, 503)
        assert answer.problem()["type"].endswith("waited-in-vain"), answer.body
        press.until_jobs(running=1, queued=0)  # its place is free, with the worker still busy
        expired = 'brigade_jobs_completed_total{executor="press",outcome="expired"}'
        same(press.metric(expired), 1, expired)
        busy[0].close()


def scenario_without_the_preference_a_full_pool_refuses_at_once():
    with Press("--threads", "1", "--capacity", "1") as press:
        busy = press.keep_busy(1)
        # None of these is a wait: RFC 7240 has servers ignore what they do not understand.
        for prefer in ("", "return=minimal", "wait", "wait=", "wait=soon", "wait=1.5", "wait=-1", "wait=0",
                       "respond-async; wait=9", "wait=x, wait=9", '"wait=9"', "wait 9", "await=9"):
            answer = press.ask(body=b"x", Prefer=prefer)
            same(answer.status, 503, f"status for Prefer: {prefer}")
            assert answer.problem()["type"].endswith("queue-full"), answer.body
            same(answer.fields.get("preference-applied"), None, f"applied of {prefer}")
        busy[0].close()


def scenario_every_form_of_the_preference_is_understood():
    with Press("--max-wait", "100") as press:
        for prefer, applied in (("wait=5", 5), ("WAIT=5", 5), ('wait="5"', 5), (" wait = 5 ", 5),
                                ("return=minimal, wait=5", 5), ("wait=5;x=1; y , return=minimal", 5),
                                (", ,wait=5", 5), ("wait=5, wait=7", 5), ("wait=005", 5),
                                ('x="a, wait=9;\\"", wait=5', 5), ("handling=lenient;a, wait=5", 5),
                                ("wait=101", 100), ("wait=99999999999999999999999", 100)):
            answer = press.ask(body=b"x", Prefer=prefer)
            same((answer.status, answer.fields.get("preference-applied")), (200, f"wait={applied}"),
                 f"Prefer: {prefer}")
        two = b"POST /compress HTTP/1.1\r\nHost: press\r\nPrefer: return=minimal\r\nPrefer: wait=6\r\n" \
              b"Content-Length: 1\r\n\r\nx"
        with Client(press) as client:
            same(client.send(two).answer().fields.get("preference-applied"), "wait=6", "of two fields")


def scenario_a_client_that_disconnects_leaves_the_line():
    with Press("--threads", "1", "--capacity", "1") as press:
        busy = press.keep_busy(1)
        client = Client(press).send(request(body=b"x", Prefer="wait=50"))
        until_waiting(press, 1)
        client.close()
        until_waiting(press, 0)
        busy[0].close()
        press.until_jobs(running=0)
        same(press.ask(body=b"x").status, 200)
        same(press.jobs()["ok"], 2, "jobs: the one broken off and the last, none of the line")


def scenario_the_line_is_served_in_order_and_within_the_grace_of_the_end():
    with Press("--threads", "1", "--capacity", "4", "--grace", "60") as press:
        busy = press.keep_busy(4)
        clients = []
        for number in range(4):
            body = bytes([number]) * 1000
            clients.append((body, Client(press).send(request(body=body, Prefer="wait=50"))))
            until_waiting(press, number + 1)
        live = Client(press)
        press.send_signal()
        press.until_ending(live)
        for client in busy:
            client.close()
        for body, client in clients:
            answer = client.answer()
            same((answer.status, decompressed(answer.body) == body), (200, True))
            client.close()
        report = press.end_report(0)
        same((report["completed"] >= 4, report["rejected"]), (True, 0), "report")


def scenario_low_priority_comes_behind_but_is_not_starved():
    with Press("--threads", "1", "--capacity", "40") as press:
        busy = press.keep_busy(1)
        body = hard_to_compress(200_000)
        low = [Client(press).send(request("/compress?level=19&priority=low", body)) for _ in range(2)]
        press.until_jobs(running=1, queued=2)
        normal = [Client(press).send(request("/compress?level=19", body)) for _ in range(12)]
        press.until_jobs(running=1, queued=14)
        busy[0].close()
        answers = [client.answer() for client in low + normal]
        same([answer.status for answer in answers], [200] * 14)

        def queued(answer):  # milliseconds
            return float(answer.fields["server-timing"].partition("dur=")[2].partition(",")[0])
        waits = [queued(answer) for answer in answers]
        behind = [sum(wait < each for wait in waits[2:]) for each in waits[:2]]
        # They came first. Four of the others go before the first, in every round, but not all.
        assert 3 <= behind[0] <= 5 and 7 <= behind[1] <= 10, f"before the low ones: {behind}"
        for client in low + normal:
            client.close()


def scenario_an_unknown_priority_is_refused_by_its_value():
    with Press() as press:
        for priority in ("high", "", "LOW", "1"):
            answer = press.ask(f"/compress?priority={priority}", b"x")
            same(answer.status, 400, f"status for {priority}")
            assert f'"{priority}"' in answer.problem()["detail"], answer.body
        same(press.ask("/compress?priority=low&priority=low", b"x").status, 400)
        same(press.ask("/compress?priority=normal&level=3", b"x").status, 200)
        same(press.ask("/compress?priority=low", b"x").status, 200)
