"""What the door is measured against: the barest app that does the same work, and the idiomatic
one.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import os
import sys
import uuid
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import asyncpg
import uvicorn
import uvloop
from aiokafka import AIOKafkaProducer
from fastapi import FastAPI, HTTPException, Request

from producers.outbox.accept import ACCEPT

KEY = b"k" * 32
TENANT, SOURCE = uuid.uuid4(), uuid.uuid4()


class Bare:
    """Raw ASGI: the same HMAC, the same statement with the same rows, committed in groups, 202."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._queue: deque[tuple[tuple[Any, ...], asyncio.Future[None]]] = deque()
        self._writers: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        body = message["body"]
        while message.get("more_body"):
            message = await receive()
            body += message["body"]
        headers = dict(scope["headers"])
        content = headers[b"webhook-id"] + b"." + headers[b"webhook-timestamp"] + b"." + body
        expected = b"v1," + base64.b64encode(hmac.digest(KEY, content, hashlib.sha256))
        if not hmac.compare_digest(expected, headers[b"webhook-signature"]):
            await _answer(send, 401, b"{}")
            return
        stored = asyncio.get_running_loop().create_future()
        self._queue.append((_row(headers[b"webhook-id"].decode(), body), stored))
        if len(self._writers) < 2:
            task = asyncio.create_task(self._write())
            self._writers.add(task)
            task.add_done_callback(self._writers.discard)
        await stored
        await _answer(send, 202, b'{"ok":true}')

    async def _write(self) -> None:
        while self._queue:
            batch = [self._queue.popleft() for _ in range(min(len(self._queue), 500))]
            try:
                await self._pool.fetch(ACCEPT, [row for row, _ in batch])
            except Exception as error:  # noqa: BLE001 - told to the clients, which fail the benchmark
                for _, stored in batch:
                    stored.set_exception(error)
            else:
                for _, stored in batch:
                    stored.set_result(None)


# What is written is the same: key, headers and the envelope around the body are as long as ours.
KEY_TEXT, HEADERS, ENVELOPE = b"k" * 73, b"[" + b" " * 407 + b"]", b" " * 915


def _row(message_id: str, body: bytes) -> tuple[Any, ...]:
    """A row of the statement, put together with as little as it can be."""
    request, event, now = uuid.uuid4(), uuid.uuid4(), datetime.now(UTC)
    return (
        SOURCE,
        hashlib.sha256(message_id.encode()).digest(),
        hashlib.sha256(body).digest(),
        request,
        message_id,
        "application/json",
        "{}",
        len(body),
        None,
        False,
        "headrace.webhooks",
        KEY_TEXT,
        ENVELOPE + body,
        HEADERS,
        event,
        "webhook.received",
        TENANT,
        str(SOURCE),
        event,
        now,
    )


async def _answer(send: Any, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def idiomatic(producer: AIOKafkaProducer, topic: str) -> FastAPI:
    """FastAPI, the same HMAC, JSON and `send_and_wait`: it stores nothing and drops no
    duplicate.
    """
    app = FastAPI()

    @app.post("/hooks/{source}", status_code=202)
    async def hook(source: str, request: Request) -> dict[str, bool]:
        body = await request.body()
        given = request.headers
        content = f"{given['webhook-id']}.{given['webhook-timestamp']}.".encode() + body
        expected = "v1," + base64.b64encode(hmac.digest(KEY, content, hashlib.sha256)).decode()
        if not hmac.compare_digest(expected, given["webhook-signature"]):
            raise HTTPException(401)
        event = {"id": given["webhook-id"], "source": source, "data": json.loads(body)}
        await producer.send_and_wait(topic, json.dumps(event).encode(), key=source.encode())
        return {"ok": True}

    return app


@asynccontextmanager
async def _app(kind: str) -> AsyncIterator[Any]:
    if kind == "bare":
        role = {"role": "headrace_pipeline"}
        url = os.environ["PEER_POSTGRES"]
        async with asyncpg.create_pool(url, min_size=2, max_size=2, server_settings=role) as pool:
            yield Bare(pool)
    else:
        # As generous as it can be: batches of the size that our own relay sends.
        producer = AIOKafkaProducer(
            bootstrap_servers=os.environ["PEER_KAFKA"],
            acks="all",
            enable_idempotence=True,
            max_batch_size=1 << 20,
        )
        await producer.start()
        try:
            yield idiomatic(producer, os.environ["PEER_TOPIC"])
        finally:
            await producer.stop()


async def _serve(kind: str, port: int) -> None:
    async with _app(kind) as app:
        config = uvicorn.Config(
            app,
            host="127.0.0.1",
            port=port,
            access_log=False,
            log_level="warning",
            lifespan="off",
            server_header=False,
        )
        await uvicorn.Server(config).serve()


if __name__ == "__main__":
    uvloop.run(_serve(sys.argv[1], int(sys.argv[2])))
