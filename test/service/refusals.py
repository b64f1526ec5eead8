"""What is refused: with the right status, at once, and with words that help."""

import re
import socket
import time

from support import Client, Press, request, same


def refused(press, data, status, *words):
    """Sends bytes, and checks that the answer is a problem that has the words in its detail."""
    with Client(press) as client:
        answer = client.send(data).answer()
        same(answer.status, status, f"status for {data[:60]!r}")
        detail = answer.problem()["detail"]
        for word in words:
            assert word in detail, f"{word!r} is not in {detail!r}"
        return answer


def scenario_a_bad_level_is_refused_by_its_value():
    with Press() as press:
        for level in ("0", "20", "-1", "", "3x", "9.5", "99999999999999999999", "%20", "+3"):
            refused(press, request(f"/compress?level={level}", b"x"), 400, "1 to 19")
        refused(press, request("/compress?level=42", b"x"), 400, '"42"')
        refused(press, request("/compress?level=3&level=4", b"x"), 400, "more than once")
        same(press.ask("/compress?level=%31", b"x").status, 200, "status for an encoded 1")
        same(press.ask("/compress?other=1", b"x").status, 200, "status for another parameter")


def scenario_an_unknown_path_is_refused_by_its_name():
    with Press() as press:
        refused(press, request("/compres"), 404, '"/compres"')
        refused(press, request("/"), 404, "/compress")
        refused(press, request("/compress/", b"x"), 404)
        refused(press, b"GET //healthz HTTP/1.1\r\nHost: press\r\n\r\n", 404)
        same(press.ask("http://somewhere/healthz").status, 200, "status for an absolute URL")


def scenario_a_wrong_method_is_told_the_right_one():
    with Press() as press:
        same(refused(press, request("/compress"), 405).fields["allow"], "POST")
        same(refused(press, request("/compress", b"x", "PUT"), 405).fields["allow"], "POST")
        for path in ("/healthz", "/readyz", "/metrics"):
            same(refused(press, request(path, b""), 405, path).fields["allow"], "GET, HEAD")
        refused(press, request("/healthz", method="BREW"), 405, '"BREW"')


def scenario_a_body_too_large_is_refused_before_it_is_sent():
    with Press("--max-body", "1000") as press:
        for size, expect, closes in ((1001, "", False), (1001, "Expect: 100-continue\r\n", True),
                                     (99_999_999, "", True)):
            head = f"POST /compress HTTP/1.1\r\nHost: press\r\nContent-Length: {size}\r\n{expect}\r\n"
            with Client(press) as client:
                answer = client.send(head.encode()).answer(skip_continue=False)
                same(answer.status, 413)
                assert str(size) in answer.problem()["detail"], answer.body
                same(answer.closes(), closes, f"closes after {head!r}")
                if closes:
                    assert client.is_closed()
                else:
                    same(client.send(b"x" * size + request("/healthz")).answer().status, 200)
        refused(press, request(body=b"x" * 1001), 413, "--max-body", "1000")
        refused(press, request(body=b"x" * 100_000), 413)
        huge = b"POST /compress HTTP/1.1\r\nHost: press\r\nContent-Length: 18446744073709551615\r\n\r\n"
        refused(press, huge, 413)
        same(press.ask(body=b"x" * 1000).status, 200)


def scenario_a_chunked_body_too_large_is_refused():
    head = b"POST /compress HTTP/1.1\r\nHost: press\r\nTransfer-Encoding: chunked\r\n\r\n"
    with Press("--max-body", "1000") as press:
        refused(press, head + b"1f4\r\n" + b"x" * 500 + b"\r\n1f5\r\n" + b"x" * 501 + b"\r\n0\r\n\r\n",
                413, "more than 1000")
        refused(press, head + b"ffffffffffff\r\n", 413)
        refused(press, head + (b"64\r\n" + b"x" * 100 + b"\r\n") * 5000, 413)
        with Client(press) as client:
            exact = head + b"3e8\r\n" + b"x" * 1000 + b"\r\n0\r\n\r\n"
            same(client.send(exact).answer().status, 200)


def scenario_what_is_not_http_is_refused():
    with Press() as press:
        refused(press, b"GARBAGE\r\n\r\n", 400, "GARBAGE")
        refused(press, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400)
        refused(press, b"GET / HTTP/7.7\r\nHost: press\r\n\r\n", 400)
        refused(press, b"GET /\xff\xfe\" HTTP/1.1\r\nHost: press\r\n\r\n", 400)
        refused(press, b"GET /% HTTP/1.1\r\nHost: press\r\n\r\n", 400, '"/%"')
        refused(press, b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400)
        refused(press, b"GET / HTTP/1.1\r\n\r\n", 400, "Host")
        refused(press, b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "Host")
        refused(press, request(body=b"", Content_Length="1x"), 400)
        both = request(body=b"x", Transfer_Encoding="chunked")
        refused(press, both, 400)
        refused(press, request(method="POST", Transfer_Encoding="gzip"), 501, '"gzip"')
        refused(press, request(method="POST", Transfer_Encoding="gzip, chunked"), 501)
        refused(press, request(method="POST", Transfer_Encoding="chunked") + b"zz\r\n", 400)
        refused(press, request(body=b"x", Expect="a miracle"), 417, '"a miracle"')
        same(press.ask("/healthz").status, 200)


def scenario_hostile_strings_stay_strings():
    with Press() as press:
        refused(press, b'GET /%22%0a%5c%00%ff%3cscript%3e HTTP/1.1\r\nHost: press\r\n\r\n', 404,
                '"/"\\x0a\\\x00\\xff<script>"'.replace("\x00", "\\x00"))
        refused(press, request("/compress?level=%22%7d%0d%0aX:%20y", b"x"), 400, '""}\\x0d\\x0aX: y"')
        refused(press, request("/" + "a" * 3000), 404, "...")


def scenario_a_header_too_large_or_too_slow_is_refused():
    with Press("--read-timeout", "0.3") as press:
        refused(press, request("/healthz", X="x" * 20_000), 431)
        refused(press, b"GET /" + b"x" * 100_000, 431)
        refused(press, b"GET /healthz HTTP/1.1\r\nHost: pr", 408)
        half = b"POST /compress HTTP/1.1\r\nHost: press\r\nContent-Length: 5\r\n\r\nabc"
        same(refused(press, half, 408).closes(), True, "closes")


def scenario_a_half_sent_request_is_answered():
    with Press() as press:
        for half in (b"GET /healthz HTT", request(body=b"12345")[:-2]):
            with Client(press) as client:
                client.send(half).end_sending()
                answer = client.answer()
                same(answer.status, 400)
                answer.problem()


def scenario_a_full_pool_refuses_at_once():
    with Press("--threads", "1", "--capacity", "2") as press:
        busy = press.keep_busy(2)
        started = time.monotonic()
        refusals = [refused(press, request(body=b"x"), 503, "2", "Retry-After") for _ in range(5)]
        took = time.monotonic() - started
        jobs = press.jobs()
        same((jobs["running"], jobs["queued"], jobs["ok"]), (1, 1, 0), "jobs, the refusals behind")
        assert took < 2, f"five refusals took {took} s"
        for refusal in refusals:
            assert int(refusal.fields["retry-after"]) >= 1
            same(refusal.closes(), False, "closes")
        rejected = 'brigade_jobs_rejected_total{executor="press",reason="queue_full"}'
        same(press.metric(rejected), 5, rejected)
        for client in busy:
            client.close()
        press.until_jobs(running=0, queued=0)
        same(press.ask(body=b"x").status, 200, "status once there is room again")


def scenario_head_is_get_without_the_body():
    with Press() as press, Client(press) as client:
        for path in ("/healthz", "/readyz", "/nothing"):
            get = client.ask(path)
            head = client.send(request(path, method="HEAD")).answer(of_head=True)
            same(head.status, get.status)
            same(head.fields["content-length"], str(len(get.body)), "Content-Length")
        head = client.send(request("/metrics", method="HEAD")).answer(of_head=True)
        assert int(head.fields["content-length"]) > 1000
        same(client.send(request("/compress", method="HEAD")).answer(of_head=True).status, 405)
        same(client.ask("/healthz").status, 200, "status of what comes after")


def scenario_a_refused_body_does_not_spoil_the_connection():
    with Press() as press, Client(press) as client:
        for _ in range(3):
            same(client.ask("/compress?level=0", b"GET /healthz HTTP/1.1\r\n\r\n").status, 400)
        same(client.ask("/healthz").status, 200)
        answer = client.ask("/nothing", b"x" * 1_000_000)
        same((answer.status, answer.closes()), (404, True))
        assert client.is_closed()


def scenario_the_metrics_are_prometheus_text():
    with Press("--threads", "3", "--capacity", "7") as press:
        press.ask(body=b"x")
        answer = press.ask("/metrics")
        assert answer.fields["content-type"].startswith("text/plain; version=0.0.4"), answer.fields
        kinds = {}
        for line in answer.body.decode().splitlines():
            if line.startswith("# TYPE "):
                name, kind = line.split()[2:]
                same(name in kinds, False, f"{name} is there twice")
                kinds[name] = kind
            elif not line.startswith("# HELP "):
                name = line.split("{")[0].split()[0]
                of_histogram = re.sub("_(bucket|sum|count)$", "", name)
                if kinds.get(of_histogram) != "histogram":
                    same(kinds[name] == "counter", name.endswith("_total"), f"type of {name}")
                float(line.rsplit(" ", 1)[1])
        now = press.metrics()
        for name, value in {"brigade_jobs_admitted_total": 1, "brigade_job_limit": 7,
                            "brigade_workers": 3, "brigade_running_jobs": 0}.items():
            same(now[name + '{executor="press"}'], value, name)
        same(now['press_http_responses_total{status="200"}'], 2, "answers")
