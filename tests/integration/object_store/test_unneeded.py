"""What nobody needs leaves the object store: at once where it is known, by the sweeper where a
process died.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from compose.processes.sweeper import once
from compose.storage import store as storage
from compose.storage.judges import of_job
from compose.storage.local import ObjectStoreAway
from compose.storage.metered import STEP_BYTES, MeteredObjects, open_metered
from consumers.registry import INGEST
from producers.outbox.append import append
from schemas.event import Event
from schemas.jobs import Artifact
from schemas.log import entry_of
from tests.eventually import eventually
from tests.integration.consumers import rows
from tests.integration.object_store.away import Store
from tests.integration.object_store.test_away import worker_of
from tests.integration.runner.bench import Bench
from tests.integration.runner.feed import Feed
from tests.integration.work.queue import later

DAY = 86_400.0


async def metered(bench: Bench) -> MeteredObjects:
    """The store as processes open it."""
    return await open_metered(bench.settings, bench.pipeline.begin, 0)


async def put(bench: Bench, key: str, content: bytes = b"a,b\r\n1,2\r\n") -> str:
    async def chunks() -> AsyncIterator[bytes]:
        yield content

    await (await metered(bench)).put(key, chunks(), len(content))
    return key


async def used(bench: Bench, tenant: UUID) -> int:
    async with bench.pipeline.begin() as tx:
        return await storage.used_bytes(tx, tenant)


async def swept(bench: Bench, *, dry_run: bool = False) -> int:
    found = await once(bench.settings, dry_run=dry_run)
    assert [one.error for one in found] == [None] * len(found)
    return next(one.rows for one in found if one.name == "objects")


def files(store: Store) -> set[str]:
    return {str(one.relative_to(store.root)) for one in store.root.rglob("*") if one.is_file()}


async def test_the_file_of_a_rejected_dataset_goes_at_once(bench: Bench, store: Store) -> None:
    event: Event = rows.submission(tenant := uuid4())
    data: Any = event.data
    await put(bench, data.object_key, b"\x00\x00\x00")
    assert await used(bench, tenant) == 3
    assert await bench.runner("ingest")(Feed().deliver(event))
    async with worker_of(bench.settings, INGEST):
        await eventually(
            lambda: bench.value("SELECT state FROM datasets"), lambda found: found == "rejected"
        )
        await eventually(lambda: used(bench, tenant), lambda found: found == 0)
    assert files(store) == set()
    assert not (store.root / "tenants").exists()


async def test_a_file_that_is_not_to_blame_outlives_its_rejection(
    bench: Bench, store: Store, owner: AsyncEngine
) -> None:
    """Of lost workers, of a store that was away, of a bug: the tenant may have no other copy."""
    event: Event = rows.submission(tenant := uuid4())
    data: Any = event.data
    lost = await put(bench, data.object_key)
    assert await bench.runner("ingest")(Feed().deliver(event))
    async with bench.pipeline.begin() as tx:
        await tx.execute(text("UPDATE work SET attempt = max_attempts"))
        broken = await rows.given_dataset(tx, tenant, "rejected")
        bug = f"tenants/{tenant}/datasets/{broken.id}/data.csv"
        findings = '[{"rule": "internal", "severity": "error", "message": "a bug"}]'
        query = text(
            "UPDATE datasets SET object_key = :key, findings = CAST(:findings AS jsonb) WHERE id "
            "= :id"
        )
        await tx.execute(query, {"key": bug, "findings": findings, "id": broken.id})
    await put(bench, bug)
    state = "SELECT state FROM datasets WHERE id = :id"
    async with worker_of(bench.settings, INGEST):
        await eventually(
            lambda: bench.value(state, id=data.dataset_id), lambda found: found == "rejected"
        )
    assert files(store) == {lost, bug}
    await later(owner, DAY + 60)
    assert await swept(bench) == 0
    assert files(store) == {lost, bug}


async def test_a_model_that_is_registered_while_the_sweeper_asks_keeps_its_files(
    bench: Bench,
) -> None:
    waiting = """SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
                 WHERE d.datname = current_database() AND relation = 'jobs'::regclass
                     AND NOT granted"""
    async with bench.pipeline.begin() as tx:
        job = await rows.given_job(tx, tenant := uuid4(), "finalizing")
    key = f"tenants/{tenant}/jobs/{job.id}/attempts/1-1/model"
    kept = {"model": Artifact(object_key=key, size_bytes=10, sha256="00")}
    event = rows.trained(job, kept)

    async def judged() -> str:
        async with bench.pipeline.begin() as tx:
            return await of_job(tx, tenant, job.id, key)

    async with bench.pipeline.begin() as tx:
        await tx.execute(text("LOCK TABLE jobs IN ACCESS EXCLUSIVE MODE"))
        judging = asyncio.create_task(judged())
        await eventually(lambda: bench.value(waiting), lambda found: found == 1)
        await bench.handler("finalization")(tx, [event])
    assert await judging == "needed"


async def test_the_sweeper_removes_what_nobody_needs_and_nothing_else(
    bench: Bench, store: Store, owner: AsyncEngine
) -> None:
    tenant, cut, waiting = uuid4(), uuid4(), uuid4()
    async with bench.pipeline.begin() as tx:
        valid = await rows.given_dataset(tx, tenant)
        rejected = await rows.given_dataset(tx, tenant, "rejected")
        open_one = await rows.given_dataset(tx, tenant, "submitted")
        over, running = (
            await rows.given_job(tx, tenant, "failed"),
            await rows.given_job(tx, tenant, "running"),
        )
        event: Event = rows.submission(tenant, waiting)
        await append(tx, [entry_of(event)])  # accepted, and Kafka is away
    at = f"tenants/{tenant}"
    kept = {
        await put(bench, f"{at}/datasets/{valid.id}/data.csv"),
        await put(bench, f"{at}/datasets/{open_one.id}/data.csv"),
        await put(bench, f"{at}/datasets/{waiting}/data.csv"),
        await put(bench, f"{at}/jobs/{running.id}/attempts/1-1/model"),
    }
    gone = {
        await put(bench, f"{at}/datasets/{rejected.id}/data.csv"),
        await put(bench, f"{at}/datasets/{cut}/data.csv"),
        await put(bench, f"{at}/datasets/{valid.id}/attempts/lost/data.csv"),
        await put(bench, f"{at}/jobs/{over.id}/attempts/1-1/model"),
        await put(bench, f"{at}/requests/{datetime.now(UTC).date()}/{uuid4()}"),
    }
    async with bench.pipeline.begin() as tx:
        for one in (valid, rejected, open_one):
            given = {"key": f"{at}/datasets/{one.id}/data.csv", "id": one.id}
            await tx.execute(text("UPDATE datasets SET object_key = :key WHERE id = :id"), given)
    half = store.root / ".incoming" / "tmp-half"
    half.write_bytes(b"cut off")
    (store.root / ".incoming" / "tmp-published").symlink_to(
        "gone"
    )  # as one that went between two looks at it
    before = await used(bench, tenant)

    assert await swept(bench, dry_run=True) == await swept(bench) == 0
    assert files(store) == kept | gone | {".incoming/tmp-half"}
    await later(owner, DAY + 60)
    assert await swept(bench, dry_run=True) == len(gone) + 1
    assert files(store) == kept | gone | {".incoming/tmp-half"}
    assert await swept(bench) == len(gone) + 1
    assert files(store) == kept
    assert await used(bench, tenant) == before - 10 * len(gone)
    assert await swept(bench) == 0
    needed = await bench.ask("SELECT object_key FROM stored_objects WHERE is_needed")
    assert [row["object_key"] for row in needed] == [f"{at}/datasets/{valid.id}/data.csv"]


async def test_a_slow_upload_is_young_while_its_bytes_come(
    bench: Bench, owner: AsyncEngine
) -> None:
    young = (
        "SELECT count(*) FROM stored_objects WHERE created_at > headrace_clock() - interval "
        "'1 hour'"
    )

    async def slowly() -> AsyncIterator[bytes]:
        yield b"x" * 1000
        await later(owner, DAY + 60)
        yield b"x" * STEP_BYTES
        assert await bench.value(young) == 1

    key = f"tenants/{uuid4()}/datasets/{uuid4()}/data.csv"
    await (await metered(bench)).put(key, slowly(), STEP_BYTES + 1000)


async def test_objects_of_an_earlier_version_are_counted(bench: Bench, store: Store) -> None:
    """They have no row: the sweeper lists them, with their size, once they are older than an
    upload can be.
    """
    tenant = uuid4()
    async with bench.pipeline.begin() as tx:
        valid = await rows.given_dataset(tx, tenant)
        key = f"tenants/{tenant}/datasets/{valid.id}/data.csv"
        await tx.execute(text("UPDATE datasets SET object_key = :key"), {"key": key})
    await store.put(key, b"x" * 77)
    await store.put(stray := f"tenants/{tenant}/datasets/{uuid4()}/data.csv", b"y" * 10)
    old = (datetime.now(UTC) - timedelta(days=2)).timestamp()
    for one in (key, stray):
        os.utime(store.root / one, (old, old))
    assert await swept(bench, dry_run=True) == 1
    assert await used(bench, tenant) == 0
    assert await swept(bench) == 1
    assert (files(store), await used(bench, tenant)) == ({key}, 77)


async def test_an_empty_mount_point_is_no_new_store(bench: Bench, store: Store) -> None:
    """A process that starts while the volume is not mounted neither writes there nor takes
    objects for gone.
    """
    key = await put(bench, f"tenants/{uuid4()}/datasets/{uuid4()}/data.csv")
    store.unmount()
    objects = await metered(bench)
    for act in (
        objects.check(),
        objects.read(key),
        put(bench, "tenants/x/datasets/y"),
        objects.delete(key),
    ):
        with pytest.raises(ObjectStoreAway):
            await act
    store.mount()
    await objects.check()
    assert await objects.read(key) == b"a,b\r\n1,2\r\n"
