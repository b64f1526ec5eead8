"""Ten times as much work as the service can do."""

import asyncio
import os
import time

from siege import MEBI, Attacker, Siege, request, same

SECONDS = float(os.environ.get("OVERLOAD_SECONDS", 3))
MOST_PENDING = 2000  # where this machine is busier than the service


async def answer_to(press, whole):
    client = await Attacker.connect(press)
    await client.send(whole)
    answer = await client.answer()
    client.close()
    return answer


async def best_rate(press, whole, seconds):
    """Bodies a second where there is always one waiting."""
    began, done = time.monotonic(), 0

    async def again_and_again():
        nonlocal done
        while time.monotonic() - began < seconds:
            same((await answer_to(press, whole)).status, 200, "status without overload")
            done += 1
    await asyncio.gather(*(again_and_again() for _ in range(4)))
    return done / (time.monotonic() - began)


def check(answer, frame):
    """200 with the right body, or a clean refusal. Whether it was the former."""
    if answer.status == 200:
        same(answer.body == frame, True, "the right body")
        return True
    same(answer.status, 503, "status")
    problem = answer.problem()
    kind = problem["type"].removeprefix("urn:press:problem:")
    assert kind in ("queue-full", "memory-full"), problem
    assert 1 <= int(answer.fields["retry-after"]) <= 60, answer.fields
    return False


async def scenario_ten_times_too_much_work_is_refused_and_the_rest_done_right():
    body = bytes(b"abcdefghijklmnop"[byte % 16] for byte in os.urandom(40_000))
    whole = request("/compress?level=19", body)
    async with Siege("--threads", "1", "--capacity", "8", "--max-body", "1M", "--max-memory", "16M",
                     memory=64 * MEBI) as press:
        frame = press.ask("/compress?level=19", body).body
        rate = await best_rate(press, whole, min(SECONDS / 4, 5))
        flood, pending, began = [], set(), time.monotonic()
        while (now := time.monotonic() - began) < SECONDS:
            pending = {each for each in pending if not each.done()}
            due = min(int(now * rate * 10) - len(flood), MOST_PENDING - len(pending))
            begun = [asyncio.ensure_future(answer_to(press, whole)) for _ in range(due)]
            flood += begun
            pending.update(begun)
            await asyncio.sleep(0.005)
        answers = await asyncio.gather(*flood)
        took = time.monotonic() - began
        good = sum(check(answer, frame) for answer in answers)
        refused = len(answers) - good
        assert good > 0 and refused > good, f"{good} done, {refused} refused: this is no overload"
        print(f"best {rate:.0f}/s; offered {len(answers) / SECONDS:.0f}/s for {SECONDS:g} s: {good} "
              f"done ({good / took:.0f}/s), {refused} refused, {press.peak() / MEBI:.0f} MiB at most")
