"""What the scenarios stand on: a press process, and a client that controls every byte it sends.

Nothing here sleeps for a fixed time: `until` waits for a condition, with a deadline that only a
failure reaches.
"""

import json
import os
import re
import socket
import struct
import subprocess
import time
from signal import SIGTERM

PATIENCE = 60.0  # seconds until something that must happen counts as not happening


def until(condition, what, seconds=PATIENCE):
    """The first true value of condition()."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"did not come about in {seconds:g} s: {what}")
        time.sleep(0.005)


def same(actual, expected, what="value"):
    assert actual == expected, f"{what}: {actual!r} instead of {expected!r}"


def hard_to_compress(size):
    """Bytes that level 19 works on for long: about a second a MiB."""
    letters = bytes(b"abcdefghijklmnop"[byte % 16] for byte in range(256))
    return os.urandom(size).translate(letters)


def request(path="/compress", body=None, method=None, **fields):
    """The bytes of one request. Underscores in field names stand for dashes."""
    method = method or ("GET" if body is None else "POST")
    lines = [f"{method} {path} HTTP/1.1", "Host: press"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")


class Answer:
    def __init__(self, status, fields, body):
        self.status, self.fields, self.body = status, fields, body

    def problem(self):
        same(self.fields.get("content-type"), "application/problem+json", "Content-Type")
        problem = json.loads(self.body)
        same(problem["status"], self.status, "status in the problem")
        for member in ("type", "title", "detail"):
            assert problem[member], f"the problem has no {member}: {problem}"
        return problem

    def closes(self):
        return self.fields.get("connection") == "close"


class NoAnswer(Exception):
    """The connection ended where an answer should have begun."""


class Client:
    """One connection."""

    def __init__(self, press, receive_buffer=None):
        self.socket = socket.socket(press.family)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(PATIENCE)
        self.socket.connect((press.host, press.port))
        self.input = self.socket.makefile("rb")

    def send(self, data):
        self.socket.sendall(data)
        return self

    def answer(self, of_head=False, skip_continue=True):
        line = self.input.readline()
        if not line:
            raise NoAnswer
        match = re.fullmatch(rb"HTTP/1\.[01] (\d{3}) [^\r\n]*\r\n", line)
        assert match, f"no status line: {line!r}"
        fields = {}
        while (line := self.input.readline()) != b"\r\n":
            name, colon, value = line.decode("latin-1").partition(":")
            assert colon, f"no header field: {line!r}"
            fields[name.lower()] = value.strip()
        status = int(match[1])
        if status == 100:
            return self.answer(of_head) if skip_continue else Answer(100, fields, b"")
        length = 0 if of_head else int(fields["content-length"])
        body = self.input.read(length)
        same(len(body), length, "bytes of the body")
        return Answer(status, fields, body)

    def ask(self, *args, **kwargs):
        return self.send(request(*args, **kwargs)).answer()

    def is_closed(self):
        """Waits for the end of the stream."""
        try:
            return self.input.read(1) == b""
        except ConnectionResetError:
            return True

    def end_sending(self):
        self.socket.shutdown(socket.SHUT_WR)

    def close(self):
        self.input.close()
        self.socket.close()

    def reset(self):
        """Closes with a reset instead of an orderly end."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Press:
    """A running service."""

    binary = None  # set by run.py

    def __init__(self, *options):
        self.process = subprocess.Popen(
            [self.binary, *(() if "--port" in options else ("--port", "0")), *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        match = re.fullmatch(r"press listening on http://(\[?)([^\]]+?)\]?:(\d+)\n", line)
        if not match:
            self.process.kill()
            raise AssertionError(f"first line {line!r}, errors {self.process.stderr.read()!r}")
        self.family = socket.AF_INET6 if match[1] else socket.AF_INET
        self.host, self.port, self.url = match[2], int(match[3]), line.split()[-1]

    def ask(self, *args, **kwargs):
        with Client(self) as client:
            return client.ask(*args, **kwargs)

    def metrics(self):
        """Every sample, by its name and labels as they stand in the text."""
        text = self.ask("/metrics").body.decode()
        samples = (line.rsplit(" ", 1) for line in text.splitlines() if line[0] != "#")
        return {name: float(value) for name, value in samples}

    def metric(self, name):
        return self.metrics().get(name, 0)

    def jobs(self):
        """queued, running, and how those that ended did."""
        now = self.metrics()
        ended = {outcome: now[f'brigade_jobs_completed_total{{executor="press",outcome="{outcome}"}}']
                 for outcome in ("ok", "error", "cancelled")}
        return {"queued": now['brigade_queued_jobs{executor="press"}'],
                "running": now['brigade_running_jobs{executor="press"}'], **ended}

    def until_jobs(self, **expected):
        def as_expected():
            jobs = self.jobs()
            return all(jobs[name] == value for name, value in expected.items())
        until(as_expected, f"jobs are {expected}")

    def keep_busy(self, jobs, body=None):
        """Starts `jobs` compressions of many seconds; gives back their clients."""
        body = body or hard_to_compress(8 << 20)
        clients = [Client(self).send(request("/compress?level=19", body)) for _ in range(jobs)]
        def admitted():
            now = self.jobs()
            return now["queued"] + now["running"] == jobs and now["running"] > 0
        until(admitted, f"{jobs} jobs are in flight")
        return clients

    def send_signal(self, number=SIGTERM):
        self.process.send_signal(number)

    def until_ending(self, live):
        """Asks over `live`, an open connection, until the end has begun. That answer closes it."""
        until(lambda: live.ask("/readyz").status == 503, "the service is not ready any more")

    def wait(self):
        """Waits for the end: exit status, the lines after the first, and stderr."""
        out, err = self.process.communicate(timeout=2 * PATIENCE)
        for sign in ("Sanitizer", "runtime error"):
            assert sign not in err, err
        return self.process.returncode, out.splitlines(), err

    def end(self, number=SIGTERM):
        """Signals, and checks for an orderly end: the report as numbers."""
        self.send_signal(number)
        return self.end_report(0)

    def end_report(self, status):
        code, lines, err = self.wait()
        same(code, status, f"exit status (stderr: {err!r})")
        same(len(lines), 1, f"lines of report in {lines}")
        assert lines[0].startswith("press ended: "), lines[0]
        report = dict(pair.split("=") for pair in lines[0].split()[2:])
        assert re.fullmatch(r"\d+\.\d+s", report.pop("elapsed")), lines[0]
        same(report["signal"] in ("SIGINT", "SIGTERM"), True, "signal")
        return {name: int(value) for name, value in report.items() if name != "signal"}

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if self.process.poll() is None:
            if kind is None:
                self.end()
            else:
                self.process.kill()
        if kind is not None and not self.process.stderr.closed:
            print("stderr of press:", self.process.stderr.read())


def decompressed(frame):
    done = subprocess.run(["zstd", "-dc"], input=frame, stdout=subprocess.PIPE, check=True)
    return done.stdout
