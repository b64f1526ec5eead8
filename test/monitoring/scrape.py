"""A real Prometheus, and promtool, on the real output."""

import json
import os
import re
import signal
import subprocess
import urllib.request

from watching import (EXAMPLES, Load, Prometheus, WatchedPress, answers, checked, programs, same, under_load,
                      until)


def scenario_promtool_finds_nothing_wrong_with_the_metrics():
    with WatchedPress() as press:
        same(press.ask(body=b"x" * 1000).status, 200)
        same(press.ask("/nowhere").status, 404)
        texts = [press.ask("/metrics").body.decode(), press.admin_text("metrics")]
        for text in texts:
            same(checked("promtool", "check", "metrics", text=text), "", "what promtool has to say")
            for name in ("brigade_job_run_seconds_bucket", "brigade_info", "press_http_responses_total"):
                assert f"\n{name}{{" in text, name
        names = [re.findall("^# TYPE (\\S+)", text, re.MULTILINE) for text in texts]
        same(names[0], names[1], "metrics on the two ports")


def scenario_a_scrape_through_prometheus_cpp_is_as_good():
    process = subprocess.Popen([programs["exposer"]], stdout=subprocess.PIPE, text=True)
    port = re.fullmatch(r"metrics are on port (\d+)\n", process.stdout.readline())[1]
    def text():
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
            return answer.read().decode()
    until(lambda: '\nbrigade_jobs_completed_total{executor="example",outcome="ok"} 42\n' in text(), "42 jobs")
    same(checked("promtool", "check", "metrics", text=text()), "", "what promtool has to say")
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=60)
    same(process.returncode, 0, "exit status")
    assert "42 completed" in out, out


def dashboard_queries():
    panels = json.loads((EXAMPLES / "grafana-dashboard.json").read_text())["panels"]
    for panel in panels:
        for target in panel.get("targets", []):
            expression = target["expr"].replace("$executor", ".*").replace("$__rate_interval", "1m")
            assert "$" not in expression, expression
            yield panel["title"], expression


def scenario_prometheus_counts_what_the_clients_saw():
    with WatchedPress("--threads", "2", "--capacity", "4") as press:
        target = press.admin.removeprefix("http://").rstrip("/")
        with Prometheus(target) as prometheus:
            with under_load([Load(press, os.urandom(200_000), level=4) for _ in range(10)]) as clients:
                until(lambda: answers(clients, 200) > 300 and answers(clients, 503) > 30, "the load is on")
                until(lambda: (prometheus.value("brigade_running_jobs") or 0) > 0, "running jobs are seen")
            good, refused = answers(clients, 200), answers(clients, 503)
            same(set().union(*(client.answers for client in clients)), {200, 503}, "statuses")
            for expression, expected in {
                    'brigade_jobs_completed_total{executor="press",outcome="ok"}': good,
                    'brigade_jobs_admitted_total{executor="press"}': good,
                    'brigade_jobs_rejected_total{executor="press",reason="queue_full"}': refused,
                    'press_http_responses_total{status="200"}': good,
                    'press_http_responses_total{status="503"}': refused,
                    "brigade_queued_jobs + brigade_running_jobs": 0,
                    "brigade_job_limit": 4,
                    'brigade_state{state="running"}': 1,
                    'up{job="press"}': 1}.items():
                until(lambda: prometheus.value(expression) == expected,
                      f"{expression} is {expected}, not {prometheus.value(expression)}", 15)
            until(lambda: prometheus.value("rate(brigade_jobs_completed_total{outcome='ok'}[1m])"), "a rate")
            for title, expression in dashboard_queries():
                assert prometheus.query(expression), f"nothing for '{title}': {expression}"
            rules = json.loads(prometheus.get("/api/v1/rules"))["data"]["groups"][0]["rules"]
            same([rule["health"] for rule in rules], ["ok"] * 5, "health of the alert rules")
