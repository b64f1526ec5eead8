"""Clients that take their time: byte by byte, and never reading."""

import asyncio
import os

from siege import MEBI, Attacker, Siege, all_at_once, ask, request, same


async def trickle(press, begin, drop, count):
    """Sends `begin`, then `drop` again and again until there is an answer: its status."""
    client = await Attacker.connect(press)
    await client.send(begin)
    told = asyncio.ensure_future(client.answer())
    for _ in range(count):
        await asyncio.wait({told}, timeout=0.02)
        if told.done():
            break
        await client.send(drop)
    answer = await told
    client.close()
    return answer and answer.status


async def scenario_headers_sent_byte_by_byte_are_cut_off():
    async with Siege("--read-timeout", "0.4") as press:
        slow = [trickle(press, b"GET /healthz HTTP/1.1\r\nX: ", b"x", 10_000) for _ in range(100)]
        slow += [trickle(press, b"G", b"E", 10_000) for _ in range(100)]
        attack = asyncio.ensure_future(all_at_once(slow))
        while not attack.done():
            same((await ask(press, "/healthz")).status, 200, "status for others meanwhile")
        same(set(await attack), {408}, "statuses")


async def scenario_bodies_sent_byte_by_byte_are_cut_off():
    """None of them pauses for longer than the read time-out."""
    begin = request("/compress", method="POST", Content_Length=300)
    chunked = request("/compress", method="POST", Transfer_Encoding="chunked")
    refused = request("/compress?level=99", method="POST", Content_Length=300)
    async with Siege("--read-timeout", "0.4") as press:
        slow = [trickle(press, begin, b"x", 300) for _ in range(70)]
        slow += [trickle(press, chunked, b"1\r\nx\r\n", 300) for _ in range(70)]
        attack = asyncio.ensure_future(all_at_once(slow))
        unwanted = asyncio.ensure_future(all_at_once(
            [trickle(press, refused, b"x", 300) for _ in range(20)]))
        while not attack.done():
            same((await ask(press, body=b"quick")).status, 200, "status for others meanwhile")
        same(set(await attack), {408}, "statuses")
        same(set(await unwanted), {400}, "statuses of those that are refused unread")


async def scenario_clients_that_never_read_take_no_more_memory_than_there_is_for_them():
    """Twenty-four answers of 8 MiB, and room for 32 MiB."""
    async with Siege("--threads", "2", "--max-body", "8M", "--max-memory", "32M", "--write-timeout", "1.5",
               memory=80 * MEBI) as press:
        whole = request("/compress?level=1", os.urandom(8 * MEBI))

        async def never_read():
            client = await Attacker.connect(press, receive_buffer=4096)
            await client.send(whole)
            return client
        clients = await all_at_once([never_read() for _ in range(24)])
        refused = 'press_http_responses_total{status="503"}'
        assert press.metric(refused) > 0, "nobody was refused for want of memory"
        for client in clients:
            client.reset()
