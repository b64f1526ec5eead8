"""A real Pushgateway."""

import subprocess

from watching import Server, programs, same


def run_push(host, port):
    return subprocess.run([programs["push"], host, port], capture_output=True, text=True, timeout=60,
                          check=False)


def scenario_a_pushgateway_has_the_last_numbers_of_a_short_program():
    with Server("prometheus-pushgateway", "--web.listen-address=127.0.0.1:0") as gateway:
        done = run_push(*gateway.address.split(":"))
        same((done.returncode, done.stdout, done.stderr), (0, "pushed\n", ""))
        text = gateway.get("/metrics")
        for line in ('brigade_jobs_completed_total{executor="batch",instance="",job="brigade_example",outcome="ok"} 42',
                     'brigade_state{executor="batch",instance="",job="brigade_example",state="stopped"} 1'):
            assert f"\n{line}\n" in text, text


def scenario_a_gateway_that_is_not_there_is_one_clear_line():
    with Server("prometheus-pushgateway", "--web.listen-address=127.0.0.1:0") as gateway:
        host, port = gateway.address.split(":")
    done = run_push(host, port)
    same((done.returncode, done.stdout, done.stderr.count("\n")), (1, "", 1))
    assert f"{host}:{port}" in done.stderr, done.stderr
