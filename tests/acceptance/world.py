"""The whole of Headrace in one process: the same compositions as production, on real Kafka and
Postgres.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from compose.bootstrap import create_key
from compose.processes import projections, relay, worker
from compose.processes.api import api
from compose.settings import Settings
from producers.webhooks.verification.standard_webhooks import sign
from tests.declared import compared
from tests.eventually import eventually

ENDS = ("succeeded", "failed", "canceled", "expired")

PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class World:
    """A client with the key of one tenant, and the settings of all processes."""

    settings: Settings
    client: httpx.AsyncClient
    transport: httpx.AsyncBaseTransport

    async def another_tenant(self, name: str) -> httpx.AsyncClient:
        """A client of a new tenant."""
        _, key = await create_key(self.settings, name, "test")
        return _client(self.settings, self.transport, key)

    async def get(self, path: str, **params: Any) -> Any:
        """The JSON of a GET that must succeed."""
        answer = await self.client.get(path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def upload(self, name: str, content: bytes) -> str:
        """Upload CSV; the data set's id."""
        answer = await self.client.post(
            "/v1/datasets",
            params={"name": name},
            content=content,
            headers={"content-type": "text/csv"},
        )
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    async def start_job(
        self, dataset_id: str, model: str, target: str = "target", **options: Any
    ) -> str:
        """Ask for a training; the job's id."""
        body = {
            "kind": "train",
            "dataset_id": dataset_id,
            "target": target,
            "model": model,
            "options": options,
        }
        answer = await self.client.post("/v1/jobs", json=body)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    async def ended(self, job_id: str, seconds: float = 60) -> dict[str, Any]:
        """The job when it is over."""
        job = await eventually(
            lambda: self.get(f"/v1/jobs/{job_id}"),
            lambda job: job["state"] in ENDS,
            seconds=seconds,
        )
        return dict(job)

    async def decided(self, dataset_id: str) -> dict[str, Any]:
        """The data set when it is validated or rejected."""
        dataset = await eventually(
            lambda: self.get(f"/v1/datasets/{dataset_id}"),
            lambda one: one["state"] != "submitted",
            seconds=60,
        )
        return dict(dataset)

    async def source(self, name: str, action: dict[str, Any] | None = None) -> dict[str, Any]:
        """A new source, with its secret."""
        answer = await self.client.post(
            "/v1/sources", json={"name": name, **({"action": action} if action else {})}
        )
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def send(self, source: dict[str, Any], body: bytes, message_id: str) -> httpx.Response:
        """A signed webhook."""
        headers = sign(body, source["secret"], message_id=message_id, now=datetime.now(UTC))
        return await self.client.post(
            f"/hooks/{source['id']}",
            content=body,
            headers={**headers, "content-type": "application/json"},
        )


def _client(settings: Settings, transport: httpx.AsyncBaseTransport, key: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=transport,
        base_url=settings.api_url,
        headers={"Authorization": f"Bearer {key}"},
        timeout=120,
        event_hooks={"response": [compared(transport)]},
    )


@asynccontextmanager
async def api_only(
    settings: Settings, *, acquire_seconds: float = PATIENCE_SECONDS
) -> AsyncIterator[World]:
    """The API without any other process; on a busy machine a request waits for its connection."""
    _, key = await create_key(settings, "first", "test")
    async with api(settings, acquire_seconds=acquire_seconds) as app:
        transport = httpx.ASGITransport(app=app)
        async with _client(settings, transport, key) as client:
            yield World(settings, client, transport)


@asynccontextmanager
async def running_processes(
    settings: Settings,
    consumers: Sequence[str] = (),
    views: Sequence[str] = (),
    *,
    relaying: bool = True,
) -> AsyncIterator[None]:
    """Relay, consumers and views (all without a name) as tasks of this process, stopped in order
    at the end.
    """
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        if relaying:
            group.create_task(relay.run(settings, stop))
        group.create_task(worker.run(settings, consumers, stop))
        group.create_task(projections.run(settings, views, stop))
        try:
            yield
        finally:
            stop.set()


@asynccontextmanager
async def whole(settings: Settings) -> AsyncIterator[World]:
    """Everything."""
    async with api_only(settings) as world, running_processes(settings):
        yield world
