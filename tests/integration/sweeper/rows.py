"""Rows of every kind that is swept, at any age."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import asyncpg

from compose.settings import Settings
from producers.webhooks.normalize import body_key
from tests.factories import new_id

KEY = "INSERT INTO inbox_keys VALUES ($1, $1, $2, $2, $3, $3, false, $4)"
CLAIM = "INSERT INTO processed VALUES ($1, 'ingest')"
PIECE = """
    INSERT INTO work (tenant_id, id, queue, subject_id, payload, state, ready_at, deadline,
        cause_id, correlation_id)
    VALUES ($1, $2, 'training', $2, '{}', $3, $4, $4, $2, $2)
"""
REQUEST = """
    INSERT INTO requests (tenant_id, id, source_id, event_id, content_type, headers, size_bytes,
        body_hash, body_key,
                          possible_replay, received_at)
    VALUES ($1, $2, $1, $3, 'application/json', '{}', 1, '', $4, false, $5)
"""
REPEAT = "INSERT INTO request_repeats VALUES ($1, $2, $3, true, $4)"
REJECTED = "INSERT INTO rejected_requests VALUES ($1, $2, $1, 'no', 1, 'application/json', $3)"
LETTER = """
    INSERT INTO dead_letters (tenant_id, id, consumer, event_id, topic, partition, "offset",
        headers, error_class,
                              error, fingerprint, attempts, state)
    VALUES ($1, $2, 'ingest', $3, 't', 0, $4, '', 'user_config', 'no', 'f', 1, 'parked')
"""
TABLES = ("inbox_keys", "processed", "work", "requests", "request_repeats", "rejected_requests")


@dataclass
class Rows:
    """Writes as the owner of the tables, and looks."""

    db: asyncpg.Connection
    settings: Settings
    tenant: UUID

    async def all_kinds(self, at: datetime, count: int = 1) -> None:
        """Some rows of each kind, of one moment."""
        for _ in range(count):
            await self.db.execute(KEY, self.tenant, uuid4().bytes, new_id(at), at)
            await self.db.execute(CLAIM, new_id(at))
            await self.db.execute(PIECE, self.tenant, new_id(at), "done", at)
            request = await self.request(at)
            await self.db.execute(REPEAT, self.tenant, request, new_id(at), at)
            await self.db.execute(REJECTED, self.tenant, new_id(at), at)

    async def request(self, at: datetime, *, large: bool = False, parked: bool = False) -> UUID:
        """A request, with its body in the object store or not, whose event is a dead letter or
        not.
        """
        request, event = new_id(at), new_id(at)
        key = body_key(self.tenant, at, request) if large else None
        await self.db.execute(REQUEST, self.tenant, request, event, key, at)
        if key is not None:
            path = self.objects / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"{}")
        if parked:
            await self.db.execute(
                LETTER, self.tenant, new_id(), event, int.from_bytes(request.bytes[-4:])
            )
        return request

    @property
    def objects(self) -> Path:
        """The object store's directory."""
        return Path(urlsplit(self.settings.object_store).path)

    def bodies(self) -> set[str]:
        """The ids of the requests whose bodies are there."""
        return {path.name for path in self.objects.glob("tenants/*/requests/*/*")}

    async def move_clock(self, days: float) -> datetime:
        """Set the database's clock so many days ahead; what it says then."""
        await self.db.execute("UPDATE clock_offset SET value = $1", timedelta(days=days))
        return await self.now()

    async def now(self) -> datetime:
        """The database's clock."""
        found: datetime = await self.db.fetchval("SELECT headrace_clock()")
        return found.astimezone(UTC)

    async def counts(self) -> dict[str, int]:
        """How many rows of each kind there are."""
        return {table: await self.db.fetchval(f"SELECT count(*) FROM {table}") for table in TABLES}

    async def ids(self, table: str = "requests") -> set[UUID]:
        """The ids in a table."""
        return {row["id"] for row in await self.db.fetch(f"SELECT id FROM {table}")}

    async def partitions(self, table: str = "requests") -> list[str]:
        """The names of a table's partitions."""
        query = (
            "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = "
            "$1::regclass ORDER BY 1"
        )
        return [row["name"] for row in await self.db.fetch(query, table)]
