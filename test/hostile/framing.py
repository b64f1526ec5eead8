"""Requests that are framed wrongly, or oddly: what is sent behind them must never be taken for more, or
less, than it is.
"""

import asyncio

from siege import Attacker, Siege, all_at_once, request, same

# What follows each of them on its connection; answered with 200 wherever its beginning is beyond doubt.
NEXT = request("/healthz")


def post(fields, rest=b"", version=b"1.1"):
    return b"POST /compress HTTP/" + version + b"\r\nHost: press\r\n" + fields + b"\r\n" + rest


def chunked(rest):
    return post(b"Transfer-Encoding: chunked\r\n", rest)


def get(target, fields=b"", method=b"GET", version=b"1.1"):
    return method + b" " + target + b" HTTP/" + version + b"\r\nHost: press\r\n" + fields + b"\r\n"


REFUSED_AND_CLOSED = {  # no way to tell where the next request begins
    400: {
        "both lengths": post(b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
        "both, the other way": post(b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", b"0\r\n\r\n"),
        "lengths that differ": post(b"Content-Length: 1\r\nContent-Length: 2\r\n", b"x"),
        "a list of lengths that differ": post(b"Content-Length: 1, 2\r\n", b"x"),
        "a length with a sign": post(b"Content-Length: +1\r\n", b"x"),
        "a negative length": post(b"Content-Length: -1\r\n", b"x"),
        "an empty length": post(b"Content-Length: \r\n", b"x"),
        "a hexadecimal length": post(b"Content-Length: 0x1\r\n", b"x"),
        "a length of 65 bits": post(b"Content-Length: 18446744073709551616\r\n", b"x"),
        "a space before the colon": post(b"Content-Length : 1\r\n", b"x"),
        "chunked twice": post(b"Transfer-Encoding: chunked\r\n" * 2, b"0\r\n\r\n"),
        "a chunk of 65 bits": chunked(b"10000000000000000\r\nx"),
        "a negative chunk": chunked(b"-1\r\nx\r\n0\r\n\r\n"),
        "a chunk with 0x": chunked(b"0x1\r\nx\r\n0\r\n\r\n"),
        "a chunk that is no number": chunked(b"g\r\nx\r\n0\r\n\r\n"),
        "a chunk without a size": chunked(b"\r\nx\r\n0\r\n\r\n"),
        "a bad extension": chunked(b'1;="\r\nx\r\n0\r\n\r\n'),
        "a chunk line with LF alone": chunked(b"1\nx\n0\n\n"),
        "a chunk with too much in it": chunked(b"1\r\nxy\r\n0\r\n\r\n"),
        "a length behind the body": chunked(b"1\r\nx\r\n0\r\nContent-Length: 9\r\n\r\n"),
        "a coding behind the body": chunked(b"1\r\nx\r\n0\r\nTransfer-Encoding: gzip\r\n\r\n"),
        "a trailer that is no field": chunked(b"1\r\nx\r\n0\r\nbad\r\n\r\n"),
        "NUL in a value": get(b"/healthz", b"X: a\0b\r\n"),
        "NUL in a name": get(b"/healthz", b"X\0: a\r\n"),
        "NUL in a target": get(b"/health\0z"),
        "NUL in a method": get(b"/healthz", method=b"GE\0T"),
        "NUL before the request": b"\0",
        "a line that ends in CR alone": get(b"/healthz", b"X: a\rb\r\n"),
        "lines that end in LF alone": get(b"/healthz").replace(b"\r", b""),
        "a field without a name": get(b"/healthz", b": a\r\n"),
        "no target": get(b""),
        "no version": b"GET /healthz\r\n\r\n",
        "HTTP/0.9": get(b"/healthz", version=b"0.9"),
        "HTTP/2.0": get(b"/healthz", version=b"2.0"),
        "HTTP/2's preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
    },
    413: {"a chunk of 64 bits": chunked(b"ffffffffffffffff\r\nx"),
          "a length of 64 bits": post(b"Content-Length: 18446744073709551615\r\n", b"x")},
    417: {"an expectation behind a good one": post(
        b"Expect: 100-continue\r\nExpect: x\r\nContent-Length: 1\r\n", b"x")},
    431: {"a field that is too long": get(b"/healthz", b"X: " + b"x" * 20_000 + b"\r\n"),
          "too many fields": get(b"/healthz", b"A: bcdefghijkl\r\n" * 9000),
          "a target that is too long": get(b"/" + b"x" * 100_000),
          "an extension that is too long": chunked(b"1;a=" + b"x" * 100_000 + b"\r\nx\r\n0\r\n\r\n"),
          "a trailer that is too long": chunked(b"1\r\nx\r\n0\r\nX: " + b"y" * 100_000 + b"\r\n\r\n")},
    501: {"a list of codings": post(b"Transfer-Encoding: chunked, chunked\r\n", b"0\r\n\r\n"),
          "an unknown coding": post(b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n"),
          "a length with another coding": post(b"Transfer-Encoding: identity\r\nContent-Length: 1\r\n", b"x")},
}
REFUSED = {  # and what comes next is answered
    400: {"two hosts": get(b"/healthz", b"Host: other\r\n"),
          "a target without a slash": get(b"healthz"),
          "a target that is no HTTP": get(b"mailto:/healthz"),
          "a bad address": get(b"http://[::1/healthz"),
          "a bad escape": get(b"/%zz"),
          "a fragment": get(b"/healthz#x"),
          "a star": get(b"*", method=b"OPTIONS"),
          "a tunnel": get(b"press:80", method=b"CONNECT"),
          "NUL as a level": post(b"Content-Length: 1\r\n", b"x").replace(b"compress", b"compress?level=%00")},
    404: {"NUL, escaped": get(b"/healthz%00"), "a way up": get(b"/../healthz")},
    405: {"a method in small letters": get(b"/healthz", method=b"get"),
          "a long method": get(b"/healthz", method=b"X" * 3000)},
    417: {"an unknown expectation": post(b"Expect: a miracle\r\nContent-Length: 1\r\n", b"x"),
          "a list of expectations": post(b"Expect: 100-continue, x\r\nContent-Length: 1\r\n", b"x")},
}
TAKEN = {
    "equal lengths": post(b"Content-Length: 1\r\nContent-Length: 1\r\n", b"x"),
    "a list of equal lengths": post(b"Content-Length: 1, 1\r\n", b"x"),
    "no body": post(b""),
    "chunked in odd letters": post(b"Transfer-Encoding: cHuNkEd\r\n", b"0\r\n\r\n"),
    "a size of 300 digits": chunked(b"0" * 300 + b"1\r\nx\r\n0\r\n\r\n"),
    "extensions": chunked(b'1;a=b;c="d"\r\nx\r\n0;e\r\n\r\n'),
    "a long extension": chunked(b"1;a=" + b"x" * 20_000 + b"\r\nx\r\n0\r\n\r\n"),
    "a trailer": chunked(b"1\r\nx\r\n0\r\nX: y\r\n\r\n"),
    "chunks of one byte": chunked(b"1\r\nx\r\n" * 20_000 + b"0\r\n\r\n"),
    "a whole URL": get(b"http://press/healthz"),
    "letters written as numbers": get(b"/%68ealthz"),
    "an odd query": get(b"/healthz?=&&=%00&%ff"),
    "bytes that are no ASCII": get(b"/healthz", b"X: \xff\xfe\r\n"),
    "a folded field": get(b"/healthz", b"X: a\r\n b\r\n"),
    "many fields": get(b"/healthz", b"A:\r\n" * 3500),
    "an upgrade": get(b"/healthz", b"Connection: upgrade\r\nUpgrade: websocket\r\n"),
    "a body that looks like requests": get(b"/healthz", b"Content-Length: %d\r\n" % (2 * len(NEXT))) +
                                       2 * NEXT,
    "a preference without its end": post(b'Prefer: wait="1\r\nContent-Length: 1\r\n', b"x"),
    "empty lines": b"\r\n" * 5000 + get(b"/healthz"),
}
TAKEN_AND_CLOSED = {
    "a coding in HTTP/1.0": post(b"Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n",
                                 b"1\r\nx\r\n0\r\n\r\n", version=b"1.0"),
    "a body where none is wanted": get(b"/healthz", b"Transfer-Encoding: chunked\r\n") + b"1\r\nx\r\n0\r\n\r\n",
    "a close": get(b"/healthz", b"Connection: close\r\n"),
}
CUT_OFF = {  # by their own senders
    "a missing last chunk": chunked(b"1\r\nx\r\n"),
    "half a last chunk": chunked(b"1\r\nx\r\n0\r\n"),
    "half a chunk": chunked(b"ff\r\nx"),
    "half a body": post(b"Content-Length: 9\r\n", b"x"),
    "half a field": b"GET /healthz HTTP/1.1\r\nHo",
}


async def statuses(press, data):
    client = await Attacker.connect(press)
    await client.send(data)
    answers = await client.answers()
    for answer in answers:
        if answer.status >= 400:
            answer.problem()
    return [answer.status for answer in answers]


async def check(press, attacks, behind, expected):
    found = await all_at_once([statuses(press, data + behind) for data in attacks.values()])
    for name, seen in zip(attacks, found):
        same(seen, expected, f"statuses for {name}")


async def scenario_requests_that_cannot_be_told_apart_are_refused_and_end_their_connection():
    async with Siege() as press:
        for status, attacks in REFUSED_AND_CLOSED.items():
            await check(press, attacks, NEXT, [status])


async def scenario_what_comes_behind_an_odd_request_is_taken_for_what_it_is():
    async with Siege() as press:
        for status, attacks in REFUSED.items():
            await check(press, attacks, NEXT, [status, 200])
        await check(press, TAKEN, NEXT, [200, 200])
        await check(press, TAKEN_AND_CLOSED, NEXT, [200])
        await check(press, CUT_OFF, b"", [400])
        await check(press, {name: NEXT + data for name, data in CUT_OFF.items()}, b"", [200, 400])


async def scenario_garbage_in_a_pipeline_ends_it_and_nothing_before_is_lost():
    async with Siege() as press:
        good = request(body=b"good")
        garbage = [b"\0", b"\x80\r\n\r\n", b"GET\r\n\r\n", b"}{\r\n" * 1000, b"\xf0\x9f\x92\xa9 / HTTP/1.1\r\n"]
        for each in garbage:
            await check(press, {f"garbage {each[:60]!r}": good * 20 + each}, NEXT, [200] * 20 + [400])


async def scenario_endless_headers_bodies_and_pipelines_are_cut_off():
    """The memory that they take is checked at the end."""
    async def pour(press, begin, drop):
        client = await Attacker.connect(press)
        told = asyncio.ensure_future(client.answer())
        await client.send(begin)
        while not told.done() and await client.send(drop):
            pass
        same((await told).status, 413 if b"POST" in begin else 431, "status")
        client.close()
    async with Siege("--max-body", "1M") as press:
        await all_at_once([pour(press, *each) for each in (
            (b"GET /", b"x" * 65536),
            (b"GET /healthz HTTP/1.1\r\n", b"A: b\r\n" * 10_000),
            (b"GET /healthz HTTP/1.1\r\nA: ", b"b" * 65536),
            (chunked(b""), b"10000\r\n" + b"x" * 65536 + b"\r\n"),
            (chunked(b""), b"1\r\nx\r\n" * 10_000),
        )])
