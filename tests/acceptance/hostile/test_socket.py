"""Bytes on the door's real socket: a 4xx or a closed connection, the process alive, the next
good webhook accepted.
"""

import asyncio
import os
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from producers.webhooks.verification.standard_webhooks import sign
from tests.acceptance.hostile.conftest import Served
from tests.chance import LONG

BODY = b'{"a": 1}'
HOST = b"host: x\r\n"
SEED = random.SystemRandom().randrange(1 << 32) if LONG else 7
ROUNDS = 3000 if LONG else 60


def whole(
    source: dict[str, Any],
    body: bytes = BODY,
    *,
    more: bytes = b"",
    line: bytes = b"",
    length: bytes = b"",
) -> bytes:
    """A good webhook as bytes; `line`, `length` and `more` spoil it."""
    headers = sign(body, source["secret"], message_id=os.urandom(8).hex(), now=datetime.now(UTC))
    lines = b"".join(f"{name}: {value}\r\n".encode() for name, value in headers.items())
    first = line or f"POST /hooks/{source['id']} HTTP/1.1".encode()
    length = length or b"content-length: %d\r\n" % len(body)
    return (
        first
        + b"\r\n"
        + HOST
        + b"content-type: application/json\r\n"
        + lines
        + length
        + more
        + b"\r\n"
        + body
    )


async def told(served: Served, *parts: bytes, seconds: float = 60) -> bytes:
    """What is answered to these bytes, until the other side closes; AssertionError where it does
    not.
    """
    reader, writer = await asyncio.open_connection(*served.address)
    answer = b""
    try:
        async with asyncio.timeout(seconds):
            for part in parts:
                writer.write(part)
                await writer.drain()
            while chunk := await reader.read(65536):
                answer += chunk
    except ConnectionError:
        pass  # closed before all was read
    except TimeoutError:
        raise AssertionError(f"not closed after {seconds} s; it said {answer!r:.500}") from None
    finally:
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)
    return answer


def statuses(answer: bytes) -> list[int]:
    """The status of each answer."""
    return [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]]


@pytest.fixture
async def source(served: Served) -> dict[str, Any]:
    """A source of Standard Webhooks."""
    async with served.client() as client:
        made = await client.post("/v1/sources", json={"name": "raw"})
    return dict(made.json())


def broken(one: dict[str, Any]) -> Iterator[tuple[str, tuple[bytes, ...]]]:
    """Requests that nobody means well with."""
    path = f"/hooks/{one['id']}".encode()
    good = whole(one)
    chunked = b"transfer-encoding: chunked\r\n"
    yield "nothing", (b"",)
    yield "an empty line only", (b"\r\n",)
    yield "TLS", (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),)
    yield "HTTP/2", (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(100),)
    yield "no version", (b"POST " + path + b"\r\n\r\n",)
    yield "version 9", (whole(one, line=b"POST " + path + b" HTTP/9.9"),)
    yield "a strange method", (whole(one, line=b"BREW " + path + b" HTTP/1.1"),)
    yield "connect", (whole(one, line=b"CONNECT " + path + b" HTTP/1.1"),)
    yield "NUL in the path", (whole(one, line=b"POST " + path + b"\x00 HTTP/1.1"),)
    yield "a path that is no UTF-8", (whole(one, line=b"POST /hooks/\xff\xfe HTTP/1.1"),)
    yield "a long path", (whole(one, line=b"POST /hooks/" + b"a" * 200_000 + b" HTTP/1.1"),)
    yield "a header of 1 MB", (whole(one, more=b"x: " + b"a" * (1 << 20) + b"\r\n"),)
    yield "100000 headers", (whole(one, more=b"".join(b"x%d: 1\r\n" % n for n in range(100_000))),)
    yield (
        "headers without an end",
        (b"POST " + path + b" HTTP/1.1\r\n", *([b"x: " + b"a" * 60_000 + b"\r\n"] * 50)),
    )
    yield "a header without a colon", (whole(one, more=b"nonsense\r\n"),)
    yield "a folded header", (whole(one, more=b"x: a\r\n b\r\n"),)
    yield "a space before the colon", (whole(one, more=b"x : a\r\n"),)
    yield "NUL in a header", (whole(one, more=b"x: a\x00b\r\n"),)
    yield "a carriage return in a header", (whole(one, more=b"x: a\rb\r\n"),)
    yield "a length too long", (whole(one, length=b"content-length: 100\r\n"),)
    yield "a length too short", (whole(one, length=b"content-length: 3\r\n"),)
    yield "a negative length", (whole(one, length=b"content-length: -1\r\n"),)
    yield "a huge length", (whole(one, length=b"content-length: " + b"9" * 40 + b"\r\n"),)
    yield "a length over the limit", (whole(one, length=b"content-length: 9999999\r\n"),)
    yield "two lengths", (whole(one, more=b"content-length: 3\r\n"),)
    yield "a length and chunks", (whole(one, more=chunked),)
    yield "chunks that are none", (whole(one, length=chunked),)
    yield "a huge chunk", (whole(one, b"", length=chunked) + b"f" * 30 + b"\r\n",)
    yield (
        "chunks without an end",
        (whole(one, b"", length=chunked), *([b"ffff\r\n" + b"a" * 0xFFFF + b"\r\n"] * 40)),
    )
    yield "half a request", (good[: len(good) // 2],)
    yield "another body", (good[:-1] + b"]",)
    yield "a signature twice", (whole(one, more=b"webhook-signature: v1,AAAA\r\n"),)
    yield "an id twice", (whole(one, more=b"webhook-id: other\r\n"),)
    yield "an id that is no UTF-8", (good.replace(b"webhook-id: ", b"webhook-id: \xff\xfe", 1),)
    yield "a type that is no text", (good.replace(b"application/json", b"\xff\x80", 1),)
    yield (
        "an upgrade",
        (
            whole(one, more=b"connection: upgrade\r\nupgrade: websocket\r\n")[: -len(BODY)]
            + b"x" * 8,
        ),
    )


def by_chance(one: dict[str, Any]) -> Iterator[tuple[str, tuple[bytes, ...]]]:
    """Noise, and good requests with some bytes changed, doubled or left out."""
    chance = random.Random(SEED)
    for number in range(ROUNDS):
        if number % 4 == 0:
            yield "noise", (chance.randbytes(chance.randrange(1, 3000)),)
            continue
        spoiled = bytearray(whole(one))
        for _ in range(chance.randrange(1, 6)):
            at, size = chance.randrange(len(spoiled)), chance.randrange(1, 20)
            spoiled[at : at + chance.choice((0, size))] = chance.randbytes(
                chance.choice((0, 1, size))
            )
        yield f"spoiled, {number} of seed {SEED}", (bytes(spoiled),)


async def check(
    served: Served, one: dict[str, Any], name: str, parts: tuple[bytes, ...], at_most: set[int]
) -> None:
    """These bytes are refused, and a good webhook after them is accepted."""
    answer = await told(served, *parts)
    for status in statuses(answer):
        assert status in at_most or 400 <= status < 500, (name, answer[:500])
    assert statuses(await told(served, whole(one, more=b"connection: close\r\n"))) == [202], (
        f"after {name}"
    )


async def test_broken_requests_are_refused_or_cut_off(
    served: Served, source: dict[str, Any]
) -> None:
    async with asyncio.TaskGroup() as group:
        for name, parts in broken(source):
            # The first of two requests is good where the second begins too early.
            group.create_task(check(served, source, name, parts, set()))


@pytest.mark.fuzz
@pytest.mark.timeout(1800 if LONG else 600)
async def test_bytes_by_chance_are_refused_or_cut_off(
    served: Served, source: dict[str, Any]
) -> None:
    cases = list(by_chance(source))
    for start in range(0, len(cases), 100):
        async with asyncio.TaskGroup() as group:
            for name, parts in cases[start : start + 100]:
                # A changed byte in what is neither signed nor looked at leaves the webhook good.
                group.create_task(check(served, source, name, parts, {202}))


async def test_what_http_allows_is_accepted(served: Served, source: dict[str, Any]) -> None:
    close = b"connection: close\r\n"
    chunked = b"transfer-encoding: chunked\r\n"
    in_chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in BODY) + b"0\r\n\r\n"
    good = {
        "byte by byte": [bytes([byte]) for byte in whole(source, more=close)],
        "chunks": [whole(source, length=chunked, more=close)[: -len(BODY)] + in_chunks],
        "HTTP/1.0": [whole(source, line=f"POST /hooks/{source['id']} HTTP/1.0".encode())],
        "an unknown header that is no UTF-8": [whole(source, more=b"x-odd: \xff\xfe\r\n" + close)],
        "an unknown header twice": [whole(source, more=b"x-odd: 1\r\nx-odd: 2\r\n" + close)],
        "an empty line first": [b"\r\n" + whole(source, more=close)],
    }
    for name, parts in good.items():
        assert statuses(await told(served, *parts)) == [202], name
    expecting = whole(source, more=b"expect: 100-continue\r\n" + close)
    assert statuses(await told(served, expecting[: -len(BODY)], BODY)) == [100, 202]
    pipelined = b"".join(whole(source) for _ in range(20)) + whole(source, more=close)
    assert statuses(await told(served, pipelined)) == [202] * 21
    mixed = whole(source) + whole(source)[:-1] + b"]" + whole(source, more=close)
    assert statuses(await told(served, mixed)) == [202, 401, 202]
