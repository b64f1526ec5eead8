"""Clients that leave at every byte of a request."""

import asyncio

from siege import MEBI, Attacker, Siege, all_at_once, decompressed, request, same

BODY = b"a body of some thirty-two bytes."
WHOLE = request("/compress?level=7&priority=low", BODY, User_Agent="hostile", Accept="application/zstd",
                Prefer="wait=5", X_Padding="x" * 20)


async def send(press, count):
    client = await Attacker.connect(press)
    await client.send(WHOLE[:count])
    return client


async def scenario_clients_that_close_at_every_byte_cost_nothing():
    async def leave(press, count):
        (await send(press, count)).close()
    async with Siege() as press:
        await all_at_once([leave(press, count) for count in range(len(WHOLE) + 1)])


async def scenario_clients_that_reset_at_every_byte_cost_nothing():
    async def leave(press, count):
        (await send(press, count)).reset()
    async with Siege() as press:
        await all_at_once([leave(press, count) for count in range(len(WHOLE) + 1)])


async def scenario_clients_that_stop_sending_at_every_byte_are_answered():
    """With what is wrong, where it was too early; with their result, where all was said."""
    async def stop(press, count):
        return await (await send(press, count)).answers()
    assert 190 < len(WHOLE) < 260, len(WHOLE)
    async with Siege() as press:
        answers = await all_at_once([stop(press, count) for count in range(len(WHOLE) + 1)])
        same(answers[0], [], "answers to nothing")
        for count, early in enumerate(answers[1:-1], start=1):
            same([each.status for each in early], [400], f"statuses after {count} bytes")
            early[0].problem()
        same([each.status for each in answers[-1]], [200], "status of the whole request")
        same(decompressed(answers[-1][0].body), BODY, "body")


async def scenario_clients_that_only_stop_sending_are_answered_while_they_wait_in_line():
    """Behind a job that takes long, where they are not to be taken for gone."""
    old = request("/compress?level=1", BODY).replace(b"HTTP/1.1", b"HTTP/1.0")
    async with Siege("--threads", "1", "--capacity", "64", memory=128 * MEBI) as press:
        busy = await asyncio.to_thread(press.keep_busy, 1)
        half = [await Attacker.connect(press) for _ in range(40)]
        for index, client in enumerate(half):
            await client.send(old if index % 4 == 0 else request("/compress?level=1", BODY))
            client.writer.write_eof()
        gone = [await Attacker.connect(press) for _ in range(20)]
        for client in gone:
            await client.send(request("/compress?level=19", BODY))
        await asyncio.to_thread(press.until_jobs, running=1, queued=60)
        for client in gone:
            client.close()
        await asyncio.to_thread(press.until_jobs, running=1, queued=40, cancelled=20)
        busy[0].close()
        for client in half:
            answer = await client.answer()
            same(answer.status, 200, "status")
            same(decompressed(answer.body), BODY, "body")
            client.close()
