"""What the scenarios stand on: press with its admin page, and the programs that watch it.

Nothing here sleeps for a fixed time: `until` waits for a condition, as in test/service.
"""

import contextlib
import http.client
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples/monitoring"
sys.path.append(str(ROOT / "test/service"))

from support import Press, hard_to_compress, same, until  # noqa: E402 - test/service/support.py

programs = {}  # exposer and push, by name; set by run.py


class WatchedPress(Press):
    """press with its admin page on a port of its own."""

    def __init__(self, *options):
        super().__init__("--admin-port", "0", *options)
        line = self.process.stdout.readline()
        match = re.fullmatch(r"press admin page on (http://127\.0\.0\.1:\d+/)\n", line)
        if not match:
            self.process.kill()
            raise AssertionError(f"second line {line!r}, errors {self.process.stderr.read()!r}")
        self.admin = match[1]

    def admin_text(self, path):
        with urllib.request.urlopen(self.admin + path, timeout=30) as answer:
            return answer.read().decode()

    def pool(self):
        """What the page sees of the pool."""
        return json.loads(self.admin_text("pools.json"))["pools"][0]


class Load(threading.Thread):
    """A client that asks again and again, and counts its answers by status."""

    def __init__(self, press, body, level=1, pause=0.0):
        super().__init__(daemon=True)
        self.press, self.body, self.level, self.pause = press, body, level, pause
        self.answers, self.over = {}, threading.Event()

    def run(self):
        while not self.over.is_set():
            with contextlib.suppress(OSError, http.client.HTTPException):
                self.connection()

    def connection(self):
        connection = http.client.HTTPConnection(self.press.host, self.press.port, timeout=60)
        try:
            while not self.over.is_set():
                connection.request("POST", f"/compress?level={self.level}", self.body)
                answer = connection.getresponse()
                answer.read()
                self.answers[answer.status] = self.answers.get(answer.status, 0) + 1
                if answer.status == 503 and answer.getheader("Connection") == "close":
                    return
                self.over.wait(self.pause)
        finally:
            connection.close()


@contextlib.contextmanager
def under_load(clients):
    for client in clients:
        client.start()
    try:
        yield clients
    finally:
        for client in clients:
            client.over.set()
        for client in clients:
            client.join(60)


def answers(clients, status):
    return sum(client.answers.get(status, 0) for client in clients)


class Server:
    """A program that says on stderr where it listens, once it does; with a folder of its own."""

    def __init__(self, *command):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="monitoring-"))
        self.process = subprocess.Popen([word.format(folder=self.folder) for word in command],
                                        stderr=subprocess.PIPE, text=True, cwd=self.folder)
        self.said = []
        for line in self.process.stderr:
            self.said.append(line)
            found = re.search(r'msg="Listening on".* address=(127\.0\.0\.1:\d+)', line)
            if found:
                break
        else:
            self.close()
            raise AssertionError("".join(self.said))
        self.address = found[1]
        threading.Thread(target=self.process.stderr.read, daemon=True).start()  # so that it never blocks

    def get(self, path, **query):
        url = f"http://{self.address}{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.read().decode()

    def close(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Prometheus(Server):
    """A Prometheus with the configuration of the examples, but for the target and the pace."""

    def __init__(self, target):
        config = (EXAMPLES / "prometheus.yml").read_text()
        for old, new in {"localhost:9464": target, "interval: 15s": "interval: 500ms",
                         "alerts.yml": str(EXAMPLES / "alerts.yml")}.items():
            assert old in config, old
            config = config.replace(old, new)
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
            file.write(config)
            file.flush()
            super().__init__("prometheus", f"--config.file={file.name}", "--storage.tsdb.path={folder}",
                             "--web.listen-address=127.0.0.1:0")
            until(self.is_ready, "Prometheus has read its configuration")

    def is_ready(self):
        with contextlib.suppress(OSError):
            return "ready" in self.get("/-/ready").lower()

    def query(self, expression):
        """The values, by their labels."""
        answer = json.loads(self.get("/api/v1/query", query=expression))
        same(answer["status"], "success", expression)
        return {frozenset(sample["metric"].items()): float(sample["value"][1])
                for sample in answer["data"]["result"]}

    def value(self, expression):
        """The one value, or None."""
        values = list(self.query(expression).values())
        assert len(values) <= 1, (expression, values)
        return values[0] if values else None


def checked(*command, text=None):
    """What the command prints; it has to end with 0."""
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=120, check=False)
    same(done.returncode, 0, f"status of {command}: {done.stdout}{done.stderr}")
    return done.stdout
