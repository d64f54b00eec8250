"""Commands under an Idempotency-Key, and what stands in the database after them."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx

from tests.acceptance.ingress.senders import sql
from tests.acceptance.world import World

CSV = b"a,b\n1,2\n"


async def sent(
    client: httpx.AsyncClient, path: str, key: str, body: dict[str, Any] | None = None
) -> httpx.Response:
    """A command with a JSON body."""
    return await client.post(path, json=body, headers={"Idempotency-Key": key})


async def uploaded(
    client: httpx.AsyncClient,
    key: str,
    content: bytes | AsyncIterator[bytes] = CSV,
    name: str = "small",
) -> httpx.Response:
    """A data set as a raw body."""
    headers = {"Idempotency-Key": key, "content-type": "text/csv"}
    return await client.post(
        "/v1/datasets", params={"name": name}, content=content, headers=headers
    )


def training(dataset: str, model: str = "m") -> dict[str, Any]:
    """A job to ask for."""
    return {"kind": "train", "dataset_id": dataset, "target": "b", "model": model}


async def events(world: World, kind: str) -> list[dict[str, Any]]:
    """The events of one type, as they stand in the log."""
    found = await sql(
        world, "SELECT json_agg(convert_from(value, 'UTF8')) FROM events WHERE type = $1", kind
    )
    return [json.loads(one) for one in json.loads(found or "[]")]


async def later(world: World, interval: str) -> None:
    """Move the database's clock on."""
    await sql(world, f"UPDATE clock_offset SET value = value + interval '{interval}'")


def same(first: httpx.Response, second: httpx.Response) -> None:
    """The second is the stored answer of the first."""
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true", second.text
    assert second.status_code == first.status_code
    for name in ("location", "headrace-position", "etag"):
        assert second.headers.get(name) == first.headers.get(name), name
