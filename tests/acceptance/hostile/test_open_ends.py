"""Requests that never end, on real sockets: who has no key is not read, and nobody holds more
than a share.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest

from tests.acceptance.hostile.conftest import MOST_CONNECTIONS, UNFINISHED_BYTES, Served
from tests.acceptance.hostile.test_socket import HOST, statuses, told, whole

CHUNK = b"8000\r\n" + b"[" * 0x8000 + b"\r\n"
CHUNKED = b"transfer-encoding: chunked\r\n"
MIB = 1 << 20


def head(method: str, path: str, more: bytes = b"") -> bytes:
    """The head of a request with a JSON body."""
    return (
        f"{method} {path} HTTP/1.1\r\n".encode()
        + HOST
        + b"content-type: application/json\r\n"
        + more
        + b"\r\n"
    )


def shown(served: Served) -> bytes:
    """The tenant's key as a header."""
    return f"authorization: Bearer {served.key}\r\n".encode()


async def endless(served: Served, start: bytes, seconds: float = 45) -> tuple[bytes, int]:
    """What is answered to a body that goes on until the connection is closed, and how much of it
    was taken.
    """
    reader, writer = await asyncio.open_connection(*served.address)
    taken = 0
    answer = b""

    async def go_on() -> None:
        nonlocal taken
        while True:
            writer.write(CHUNK)
            await writer.drain()
            taken += len(CHUNK)
            await asyncio.sleep(0)

    writer.write(start)
    sending = asyncio.create_task(go_on())
    try:
        async with asyncio.timeout(seconds):
            while chunk := await reader.read(65536):
                answer += chunk
    except ConnectionError:
        pass
    except TimeoutError:
        raise AssertionError(
            f"not closed after {seconds} s, {taken} bytes taken; it said {answer!r:.300}"
        ) from None
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)
    return answer, taken


@asynccontextmanager
async def open_connections(
    served: Served, *starts: bytes
) -> AsyncIterator[list[asyncio.StreamWriter]]:
    """Connections that have sent so much, and stay open.

    Those that were closed by the other side are left out.
    """
    writers: list[asyncio.StreamWriter] = []

    async def one(start: bytes) -> None:
        try:
            _, writer = await asyncio.open_connection(*served.address)
            writers.append(writer)
            writer.write(start)
            await writer.drain()
        except ConnectionError:
            pass

    try:
        await asyncio.gather(*map(one, starts))
        yield writers
    finally:
        for writer in writers:
            writer.transport.abort()


async def good(served: Served, source: dict[str, Any]) -> list[int]:
    """The status of a genuine webhook."""
    return statuses(await told(served, whole(source, more=b"connection: close\r\n")))


@pytest.fixture
async def source(served: Served) -> dict[str, Any]:
    """A source of Standard Webhooks."""
    async with served.client() as client:
        return dict((await client.post("/v1/sources", json={"name": "raw"})).json())


async def commands(served: Served) -> list[tuple[str, str]]:
    """Every route of the document that may have a body."""
    async with served.client() as client:
        paths = (await client.get("/openapi.json")).json()["paths"]
    return [
        (method.upper(), re.sub(r"\{\w+\}", str(uuid4()), path))
        for path, operations in paths.items()
        for method in operations
        if method in ("post", "put", "patch", "delete")
    ]


async def test_without_a_key_no_body_is_read(served: Served) -> None:
    routes = [
        (method, path) for method, path in await commands(served) if not path.startswith("/hooks/")
    ]
    assert len(routes) >= 8
    assert all(path.startswith("/v1/") for _, path in routes), "admission knows /v1/ only"
    before = served.resident_bytes()
    for method, path in routes:
        # `Expect` says it best: who is asked to go on is read.
        asked = head(method, path, CHUNKED + b"expect: 100-continue\r\n")
        reader, writer = await asyncio.open_connection(*served.address)
        writer.write(asked)
        async with asyncio.timeout(120):
            first = await reader.readline()
        writer.close()
        assert b" 401 " in first, (method, path, first)
    unknown = b"authorization: Bearer hr_" + b"x" * 43 + b"\r\n"
    for more in (b"", unknown):
        for method, path in routes[:3]:
            answer, _ = await endless(served, head(method, path, CHUNKED + more))
            assert statuses(answer) == [401], (method, path)
    assert served.resident_bytes() - before < 40 * MIB
    # A client that sends first and reads then still gets its 401, and its connection is good for
    # the next request.
    body = b"[" * 300_000
    asked = head("POST", "/v1/jobs", b"content-length: %d\r\n" % len(body)) + body
    assert statuses(
        await told(served, asked + head("GET", "/healthz", b"connection: close\r\n"))
    ) == [401, 200]


async def test_a_body_with_a_key_has_an_end_in_size_time_and_depth(served: Served) -> None:
    key = shown(served)
    for method, path in (("POST", "/v1/jobs"), ("POST", "/v1/sources"), ("POST", "/v1/replays")):
        answer, _ = await endless(served, head(method, path, CHUNKED + key))
        assert statuses(answer) == [413], path
        declared = b"content-length: 9999999\r\n"
        assert statuses(await told(served, head(method, path, declared + key))) == [413], path
        assert statuses(
            await told(served, head(method, path, b"content-length: 9\r\n" + key) + b"{")
        ) == [408], path
        nested = b"[" * 5000 + b"]" * 5000
        close = b"connection: close\r\ncontent-length: %d\r\n" % len(nested)
        answer = await told(served, head(method, path, close + key) + nested)
        assert statuses(answer) == [422], path
        assert b"deep" in answer
    upload = head("POST", "/v1/datasets?name=a", CHUNKED + key).replace(
        b"application/json", b"text/csv"
    )
    answer = await told(served, upload, b"4\r\na,b\n\r\n")
    assert statuses(answer) == [408]
    assert b"body_too_slow" in answer


async def test_open_bodies_of_strangers_hold_bounded_memory(
    served: Served, source: dict[str, Any]
) -> None:
    before = served.resident_bytes()
    length = b"content-length: %d\r\n" % MIB
    part = b"x" * (MIB - 1)
    unknown = [head("POST", f"/hooks/{uuid4()}", length) + part for _ in range(100)]
    forged = [head("POST", f"/hooks/{source['id']}", length) + part for _ in range(100)]
    async with open_connections(served, *unknown, *forged):
        assert await good(served, source) == [202]
        grown = served.resident_bytes() - before
    print(f"200 open bodies of 1 MiB: +{grown / MIB:.0f} MiB")
    assert grown < UNFINISHED_BYTES + 48 * MIB
    many = b"GET /healthz HTTP/1.1\r\n\r\n" * 20_000
    before = served.resident_bytes()
    async with open_connections(served, *[many] * 20):
        assert await good(served, source) == [202]
        grown = served.resident_bytes() - before
    print(f"20 times 20000 pipelined requests: +{grown / MIB:.0f} MiB")
    assert grown < 64 * MIB


async def test_connections_are_a_share(served: Served, source: dict[str, Any]) -> None:
    answer = await told(served, whole(source), *([b"\r\n"] * 20), seconds=30)
    assert statuses(answer) == [202], "empty lines keep nothing open"
    more = MOST_CONNECTIONS + 100
    async with open_connections(served, *[b"POST /hooks/"] * more):
        assert await good(served, source) == [202]
        async with served.client() as client:
            assert (await client.get("/v1/sources")).status_code == 200


async def test_requests_in_a_row_shut_nobody_out(served: Served, source: dict[str, Any]) -> None:
    row = b"GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n" * 90
    async with open_connections(served, *[row] * (MOST_CONNECTIONS + 20)):
        assert await good(served, source) == [202]
        assert await asyncio.gather(*(good(served, source) for _ in range(5))) == [[202]] * 5
