"""Options, and what is said about wrong ones."""

import os
import socket
import subprocess

from support import Press, same


def run(*options, **more):
    return subprocess.run([Press.binary, *options], capture_output=True, text=True, timeout=60,
                          **more)


def scenario_help_and_version_are_given():
    done = run("--help")
    same((done.returncode, done.stderr), (0, ""))
    for option in ("--host", "--port", "--threads", "--capacity", "--max-body", "--version"):
        assert option in done.stdout, done.stdout
    done = run("--version")
    same((done.returncode, done.stderr), (0, ""))
    assert done.stdout.startswith("press ") and done.stdout.count("\n") == 1, done.stdout


def scenario_a_bad_option_is_one_clear_line():
    for options, words in {
            ("--bogus",): "--bogus", ("extra",): "extra", ("--port",): "--port",
            ("--port", "65536"): "--port", ("--port", "-1"): "--port", ("--port", "http"): "--port",
            ("--threads", "0"): "--threads", ("--threads", "many"): "--threads",
            ("--capacity", "0"): "--capacity", ("--capacity", "1e99"): "--capacity",
            ("--max-body", "0"): "--max-body", ("--max-body", "3X"): "--max-body",
            ("--max-memory", "1M", "--max-body", "2M"): "--max-memory",
            ("--max-body", ""): "--max-body", ("--grace", "-1"): "--grace",
            ("--grace", "nan"): "--grace", ("--host", ""): "--host",
            ("--lame-duck", "-1"): "--lame-duck", ("--drain", "x"): "--drain",
            ("--cancel", "86401"): "--cancel",
            ("--host", "no such host"): "--host", ("--port", "1", "--port", "2"): "--port"}.items():
        done = run(*options)
        same((done.returncode, done.stdout), (2, ""), f"status and output for {options}")
        same(done.stderr.count("\n"), 1, f"lines in {done.stderr!r}")
        assert done.stderr.startswith("press: ") and words in done.stderr, done.stderr


def scenario_a_port_that_is_taken_is_one_clear_line():
    with Press() as press:
        done = run("--port", str(press.port))
        same((done.returncode, done.stdout), (1, ""))
        same(done.stderr.count("\n"), 1, f"lines in {done.stderr!r}")
        assert str(press.port) in done.stderr and "in use" in done.stderr, done.stderr


def scenario_an_address_of_another_machine_is_one_clear_line():
    done = run("--host", "192.0.2.1")
    same((done.returncode, done.stdout, done.stderr.count("\n")), (1, "", 1))


def scenario_sizes_have_suffixes():
    with Press("--max-body", "2K") as press:
        same(press.ask(body=b"x" * 2048).status, 200)
        same(press.ask(body=b"x" * 2049).status, 413)
    with Press("--max-body", "2G") as press:  # raises --max-memory
        same(press.ask(body=b"x").status, 200)


def scenario_it_listens_where_it_is_told():
    with Press("--host", "localhost") as press:
        same(press.ask("/healthz").status, 200)
    try:
        socket.socket(socket.AF_INET6).bind(("::1", 0))
    except OSError:
        print("no IPv6 here")
        return
    with Press("--host", "::1") as press:
        assert press.url.startswith("http://[::1]:"), press.url
        same(press.ask("/healthz").status, 200)


def scenario_it_serves_without_anybody_who_reads_its_output():
    read, write = os.pipe()
    process = subprocess.Popen([Press.binary, "--port", "0"], stdout=write, stderr=write)
    os.close(write)
    assert os.read(read, 100).startswith(b"press listening on ")
    os.close(read)
    process.terminate()
    same(process.wait(60), 0, "exit status")
