"""Very many connections, and no descriptors left for more."""

import asyncio
import os
import pathlib
import subprocess
import time

from siege import MEBI, Attacker, Siege, all_at_once, allow_descriptors, ask, request, same, until

WANTED = int(os.environ.get("CONNECTIONS", 2000))


async def scenario_thousands_of_connections_are_held_and_others_served():
    count = min(WANTED, allow_descriptors(WANTED + 200) - 200)
    if count < WANTED:
        print(f"only {count} connections: that is the limit of descriptors here")
    # A quarter of them sends a whole body; there is room for these, however slow the machine is.
    async with Siege("--idle-timeout", "300", "--read-timeout", "300", "--capacity", str(count),
                     memory=count * 16384) as press:
        kinds = (b"", b"GET /healthz HTTP/1.1\r\nHost: pre",
                 request("/compress", body=b"x" * 100)[:-1], request("/compress", body=b"whole"))

        async def crowd_in(index):
            client = await Attacker.connect(press)
            await client.send(kinds[index % len(kinds)])
            return client
        crowd = await all_at_once([crowd_in(index) for index in range(count)])
        until(lambda: press.metric("press_http_connections") == count + 1, f"{count} are connected")
        for _ in range(20):
            same((await ask(press, body=b"in the crowd")).status, 200, "status in the crowd")
        for index, client in enumerate(crowd):
            if index % len(kinds) == 3 and index < 2000:
                same((await client.answer()).status, 200, "status of one in the crowd")
            client.close()
        print(f"{count} connections, {press.peak() / MEBI:.0f} MiB at most")


async def scenario_running_out_of_descriptors_is_waited_out_in_silence():
    """64 for the process, 300 connections. Accepting goes on after; until then it is not tried over
    and over, and is told of in one line, however often there are too many.
    """
    if b"__ubsan_handle" in pathlib.Path(Siege.binary).read_bytes():
        print("left out: where no descriptor is free, UBSan takes every virtual call for a wrong one")
        return
    async with Siege(lines=1) as press:
        subprocess.run(["prlimit", "--nofile=64", "--pid", str(press.process.pid)], check=True)
        inside = await Attacker.connect(press)

        async def errors():
            await inside.send(request("/metrics"))
            text = (await inside.answer()).body.decode()
            return int(float(text.split("\npress_http_accept_errors_total ")[1].split()[0]))
        same(await errors(), 0, "errors before")
        for _ in range(3):
            crowd = [await Attacker.connect(press) for _ in range(100)]
            began, before = time.monotonic(), await errors()
            while (seen := await errors() - before) < 4:
                await asyncio.sleep(0.02)
            took = time.monotonic() - began
            # It pauses for 0.1 s after each, so three pauses lie between the first and the fourth.
            assert took > 0.08 * (seen - 1), f"{seen} attempts in {took:.3f} s"
            for client in crowd:
                client.close()
            same((await ask(press, body=b"after")).status, 200, "status after")
        inside.close()
