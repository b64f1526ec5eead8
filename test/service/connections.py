"""Connections: kept alive, pipelined, broken off at every stage, slow, and many."""

import os
import pathlib
import subprocess

from support import Client, NoAnswer, Press, decompressed, hard_to_compress, request, same, until


def until_connections(press, expected):
    """Waits until so many are open besides the one that asks."""
    until(lambda: press.metric("press_http_connections") == expected + 1,
          f"{expected} connections are open")


def scenario_curl_keeps_its_connection():
    with Press() as press:
        opened = subprocess.run(
            ["curl", "-sS", "-o", "/dev/null", "-o", "/dev/null", "-o", "/dev/null",
             "-w", "%{num_connects}", "--data", "body",
             *[f"{press.url}/compress?level={level}" for level in (1, 5, 9)]],
            stdout=subprocess.PIPE, check=True).stdout
        same(opened, b"100", "connections opened for each of three requests")


def scenario_connections_close_when_asked_to():
    with Press() as press, Client(press) as client:
        same(client.ask("/healthz", Connection="close").closes(), True)
        assert client.is_closed()
        with Client(press) as old:
            answer = old.send(b"GET /healthz HTTP/1.0\r\n\r\n").answer()
            same(answer.status, 200, "status for HTTP/1.0")
            assert old.is_closed()


def scenario_pipelined_requests_are_answered_in_order():
    with Press("--threads", "2") as press, Client(press) as client:
        bodies = [os.urandom(50_000 // (i + 1)) for i in range(40)]
        levels = [19, 1]  # the slow one first
        wanted = b"".join(request(f"/compress?level={levels[i % 2]}", body)
                          for i, body in enumerate(bodies))
        client.send(wanted + request("/healthz"))
        for body in bodies:
            same(decompressed(client.answer().body) == body, True, "body")
        same(client.answer().body, b"ok\n")


def scenario_empty_lines_before_a_request_are_ignored():
    with Press() as press, Client(press) as client:
        same(client.send(b"\r\n" + request("/healthz")).answer().status, 200)
        client.send(request(body=b"one") + b"\r\n\n\r\n" + request(body=b"two"))
        same(decompressed(client.answer().body), b"one")
        same(decompressed(client.answer().body), b"two")


def scenario_pipelined_bytes_behind_a_queued_job_are_no_disconnect():
    with Press("--threads", "1", "--capacity", "2") as press:
        busy = press.keep_busy(1)
        with Client(press) as client:
            behind = b"".join(request(f"/healthz?{'x' * 300}") for _ in range(200))  # > read-ahead
            client.send(request(body=b"patience") + behind)
            press.until_jobs(running=1, queued=1)
            busy[0].close()
            same(decompressed(client.answer().body), b"patience")
            for _ in range(200):
                same(client.answer().status, 200)


def check_cancelled_while_queued(leave):
    """A queued job's client leaves by `leave`: cancelled, and never run."""
    with Press("--threads", "1", "--capacity", "3") as press:
        busy = press.keep_busy(1)
        client = Client(press).send(request("/compress?level=19", hard_to_compress(100_000)))
        press.until_jobs(running=1, queued=1)
        leave(client)
        press.until_jobs(running=1, queued=0, cancelled=1)
        busy[0].close()
        press.until_jobs(running=0)
        same(press.ask(body=b"x").status, 200)
        same(press.jobs()["cancelled"], 1, "jobs cancelled")
        same(press.metric('press_http_responses_total{status="499"}'), 2, "clients gone")
        report = press.end()
        # The job that was broken off while it ran, and the one after.
        same((report["completed"], report["cancelled"], report["failed"]), (2, 1, 0), "report")


def scenario_a_client_that_disconnects_cancels_its_queued_job():
    check_cancelled_while_queued(Client.close)


def scenario_a_client_that_resets_cancels_its_queued_job():
    check_cancelled_while_queued(Client.reset)


def scenario_a_client_that_closes_its_sending_side_and_then_all_of_it_cancels_too():
    def leave(client):
        client.end_sending()
        same(client.answer(skip_continue=False).status, 100, "the question whether it is still there")
        client.close()
    check_cancelled_while_queued(leave)


def scenario_a_reset_behind_pipelined_bytes_cancels_too():
    def leave(client):
        client.send(b"".join(request(f"/healthz?{'x' * 300}") for _ in range(100)))
        client.reset()
    check_cancelled_while_queued(leave)


def scenario_a_client_that_disconnects_ends_its_running_job():
    with Press("--threads", "1", "--capacity", "1") as press:
        for _ in range(3):  # each would take many seconds
            press.keep_busy(1)[0].close()
            until(lambda: press.jobs()["running"] == 0, "the job was broken off", 5)


def scenario_clients_that_disconnect_while_they_send_cost_nothing():
    whole = request(body=b"x" * 100_000)
    with Press() as press:
        for cut in (0, 1, 10, 40, 60, 80, 1000, 99_999):
            for leave in (Client.close, Client.reset):
                leave(Client(press).send(whole[:cut]))
        until_connections(press, 0)
        same(press.jobs()["ok"], 0, "jobs")
        same(press.ask("/healthz").status, 200)


def scenario_clients_that_disconnect_before_their_answer_cost_nothing():
    with Press("--threads", "2") as press:
        for leave in (Client.close, Client.reset) * 20:
            leave(Client(press).send(request("/compress?level=1", b"y" * 200_000)))
            leave(Client(press).send(request("/metrics") * 10))
        until_connections(press, 0)
        press.until_jobs(queued=0, running=0)


def scenario_an_idle_connection_is_closed():
    with Press("--idle-timeout", "0.2") as press:
        with Client(press) as fresh, Client(press) as used:
            same(used.ask("/healthz").status, 200)
            assert fresh.is_closed() and used.is_closed()


def scenario_a_client_that_never_reads_is_cut_off():
    with Press("--write-timeout", "0.3", "--max-body", "16M") as press:
        client = Client(press, receive_buffer=4096)
        client.send(request("/compress?level=1", os.urandom(16 << 20)))
        press.until_jobs(ok=1)
        until_connections(press, 0)
        client.close()


def scenario_two_hundred_clients_at_once_are_all_answered():
    with Press("--capacity", "256", "--network-threads", "2") as press:
        body = os.urandom(20_000)
        clients = [Client(press) for _ in range(200)]
        until_connections(press, 200)
        for client in clients:
            client.send(request("/compress?level=1", body))
        for client in clients:
            answer = client.answer()
            same(answer.status, 200)
        for client in clients:
            client.close()
        until_connections(press, 0)


def scenario_a_client_that_closes_its_sending_side_is_answered():
    with Press("--threads", "1", "--capacity", "3") as press:
        busy = press.keep_busy(1)
        waiting = Client(press).send(request(body=b"one") + request(body=b"two"))
        waiting.end_sending()
        same(waiting.answer(skip_continue=False).status, 100, "the question whether it is still there")
        press.until_jobs(running=1, queued=1)
        busy[0].close()
        same(decompressed(waiting.answer().body), b"one")
        same(decompressed(waiting.answer().body), b"two")
        same(waiting.is_closed(), True, "closed")


def scenario_running_out_of_file_descriptors_does_not_end_it():
    if b"__ubsan_handle" in pathlib.Path(Press.binary).read_bytes():
        print("left out: where no descriptor is free, UBSan takes every virtual call for a wrong one")
        return
    with Press() as press:
        open_now = len(os.listdir(f"/proc/{press.process.pid}/fd"))
        limit = str(open_now + 20)
        subprocess.run(["prlimit", f"--nofile={limit}", "--pid", str(press.process.pid)], check=True)
        clients = [Client(press) for _ in range(40)]  # the system accepts them all on its behalf
        for client in clients[:10]:
            same(client.ask("/healthz").status, 200)
        for client in clients:
            client.close()
        same(press.ask("/healthz").status, 200)
        assert press.metric("press_http_accept_errors_total") > 0
        until_connections(press, 0)


def scenario_garbage_behind_a_good_request_ends_only_that_connection():
    with Press() as press, Client(press) as client:
        client.send(request(body=b"good") + b"\0\1\2 garbage\r\n\r\n" + request(body=b"never"))
        same(decompressed(client.answer().body), b"good")
        same(client.answer().status, 400)
        try:
            client.answer()
            raise AssertionError("an answer after garbage")
        except (NoAnswer, ConnectionResetError):
            pass
        same(press.ask("/healthz").status, 200)
