"""Senders of every scheme, and the questions that tests ask about what became of a delivery."""

from datetime import UTC, datetime
from typing import Any

import asyncpg
import httpx

from producers.webhooks.verification.schemes import BY_NAME, options_of
from tests.acceptance.world import World

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


async def create(world: World, name: str, **fields: Any) -> dict[str, Any]:
    """A new source, with its secret."""
    answer = await world.client.post("/v1/sources", json={"name": name, **fields})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def signed(
    source: dict[str, Any], body: bytes, message_id: str = "id-1", secret: str | None = None
) -> dict[str, str]:
    """The headers that the source's provider adds."""
    scheme = BY_NAME[source["scheme"]]
    sign = scheme.signer(options_of(source["scheme"], source["options"]))
    return sign(body, secret or source["secret"], message_id=message_id, now=datetime.now(UTC))


async def deliver(
    world: World,
    source: dict[str, Any],
    body: bytes,
    message_id: str = "id-1",
    *,
    secret: str | None = None,
    content_type: str = JSON,
) -> httpx.Response:
    """One delivery as the provider makes it."""
    headers = {**signed(source, body, message_id, secret), "content-type": content_type}
    return await world.client.post(f"/hooks/{source['id']}", content=body, headers=headers)


async def accepted(
    world: World, source: dict[str, Any], body: bytes, message_id: str = "id-1"
) -> dict[str, Any]:
    """What a delivery that must be accepted is answered."""
    answer = await deliver(world, source, body, message_id)
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


async def deliveries(
    world: World, source: dict[str, Any], outcome: str | None = None
) -> list[dict[str, Any]]:
    """What GET /v1/requests lists of a source."""
    asked = {"source_id": source["id"], **({"outcome": outcome} if outcome else {})}
    return list((await world.get("/v1/requests", **asked))["data"])


async def count(world: World, table: str) -> int:
    """The rows of a table, seen by the pipeline's role."""
    return int(await sql(world, f"SELECT count(*) FROM {table}"))


async def sql(world: World, statement: str, *arguments: Any) -> Any:
    """One value, asked by the owner of the tables."""
    connection = await asyncpg.connect(world.settings.postgres_url.get_secret_value())
    try:
        await connection.execute("SET ROLE headrace_owner")
        return await connection.fetchval(statement, *arguments)
    finally:
        await connection.close()
