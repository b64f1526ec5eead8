"""What the attacks stand on: a press that is checked when the attack is over, and a client that does
as it pleases.
"""

import asyncio
import os
import pathlib
import resource
import socket
import struct
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "service"))
from support import PATIENCE, Answer, Press, decompressed, request, same, until  # noqa: E402, F401

RECOVERY = float(os.environ.get("RECOVERY_SECONDS", 10))
MEBI = 1 << 20


class Siege(Press):
    """A press under attack. At its end: does it serve, does its ledger balance, did its memory stay
    bounded, is its log short, and does it end in order?
    """

    def __init__(self, *options, memory=32 * MEBI, lines=0):
        super().__init__(*options)
        self.most, self.lines = self.peak() + memory, lines

    def peak(self):
        """The most memory that it has had, in bytes."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) * 1024

    def check(self):
        began, body = time.monotonic(), os.urandom(2000)
        answer = until(lambda: (now := self.ask(body=body)).status == 200 and now,
                       "a good request is answered")
        took = time.monotonic() - began
        assert took < RECOVERY, f"a good request took {took:.3f} s after the attack"
        same(decompressed(answer.body), body, "a good request's body")
        until(lambda: self.metric("press_http_connections") == 1, "the attackers are gone")
        self.check_ledger()
        same(self.metric("press_http_held_bytes"), 0, "bytes held for nobody")
        peak = self.peak()
        assert peak < self.most, f"it took {peak:,} bytes, and may take {self.most:,}"

    def check_ledger(self):
        now = self.metrics()

        def sums(name):
            return sum(value for sample, value in now.items() if sample.split("{")[0] == name)
        same(sums("brigade_jobs_admitted_total"),
             sums("brigade_jobs_completed_total") + sums("brigade_queued_jobs") +
             sums("brigade_running_jobs"), "admitted, and the sum of the outcomes and those in flight")

    def wait(self):
        code, lines, self.errors = super().wait()
        return code, lines, self.errors

    async def __aenter__(self):
        return self

    async def __aexit__(self, kind, *rest):
        # Beside the event loop, which has connections to close.
        await asyncio.to_thread(self.finish, kind, *rest)

    def finish(self, kind, *rest):
        try:
            if kind is None:
                self.check()
        except BaseException as failure:
            self.__exit__(type(failure))  # ends the process at once
            raise
        self.__exit__(kind, *rest)
        if kind is None:
            same(len(self.errors.splitlines()), self.lines, f"lines of log in {self.errors[:500]!r}")


class Attacker:
    """One connection."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.socket = writer.get_extra_info("socket")

    @classmethod
    async def connect(cls, press, receive_buffer=None):
        raw = socket.socket(press.family)
        raw.setblocking(False)
        if receive_buffer:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        await asyncio.get_running_loop().sock_connect(raw, (press.host, press.port))
        return cls(*await asyncio.open_connection(sock=raw, limit=4096))

    async def send(self, data):
        """Whether it all went out."""
        try:
            self.writer.write(data)
            await self.writer.drain()
            return True
        except ConnectionError:
            return False

    async def answer(self):
        """The next answer; None where the connection ends instead. Interim ones are passed over."""
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError) as end:
            rest = getattr(end, "partial", b"")
            same(rest, b"", "the beginning of an answer")
            return None
        first, *lines = head.decode("latin-1").split("\r\n")[:-2]
        version, status, _ = first.split(" ", 2)
        assert version in ("HTTP/1.0", "HTTP/1.1"), first
        if status.startswith("1"):
            return await self.answer()
        fields = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines)}
        body = await self.reader.readexactly(int(fields["content-length"]))
        return Answer(int(status), fields, body)

    async def answers(self):
        """All that there are, once the client has nothing more to say."""
        try:
            self.writer.write_eof()
        except OSError:
            pass  # the service was quicker
        found = []
        while answer := await self.answer():
            found.append(answer)
        self.close()
        return found

    def close(self):
        self.writer.close()

    def reset(self):
        """Closes with a reset instead of an orderly end."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


async def all_at_once(work, most=500):
    """Awaits all of these, so many at a time; what they give, in order."""
    gate = asyncio.Semaphore(most)

    async def one(each):
        async with gate:
            return await asyncio.wait_for(each, 2 * PATIENCE)
    return await asyncio.gather(*(one(each) for each in work))


async def ask(press, *args, **kwargs):
    """A request of its own connection."""
    client = await Attacker.connect(press)
    await client.send(request(*args, **kwargs))
    answer = await client.answer()
    client.close()
    return answer


def allow_descriptors(count):
    """How many this process and those that it starts may have open: up to `count`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= count:
        return count
    for most in (max(hard, count), hard):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(count, most), most))
            return min(count, most)
        except (ValueError, PermissionError):
            continue
    return soft
