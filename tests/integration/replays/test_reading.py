"""A replay reads a record as the subscription does, and a newer release reads what this one
cannot.
"""

import asyncio
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from consumers.dead_letters.dead_letter import OPERATOR
from consumers.replays import store
from consumers.replays.replay import Target
from schemas.decode import REQUIRED
from schemas.event import Event
from schemas.record import Record
from tests.factories import new_id, record_of
from tests.integration.replays.field import Field

RELEASE = Path(__file__).with_name("newer_release.py")
LETTERS = "SELECT error_class, state, attempts FROM dead_letters WHERE tenant_id = :t"


async def replayed(field: Field, letters: int) -> str:
    """A replay of all of the operator's letters."""
    found = await field.bench.ask("SELECT id FROM dead_letters WHERE tenant_id = :t", t=OPERATOR)
    assert len(found) == letters
    replay = new_id()
    async with field.bench.pipeline.begin() as tx:
        new = store.NewRow(
            OPERATOR, replay, "dead_letters", {}, "read them", None, None, "operator"
        )
        await store.create(tx, new, [Target(row["id"], None, "ingest") for row in found])
    return str(replay)


async def outcomes(field: Field, replay: str) -> Counter[str]:
    """By state."""
    rows = await field.bench.ask("SELECT state FROM replay_items WHERE replay_id = :r", r=replay)
    return Counter(row["state"] for row in rows)


@pytest.fixture
async def event(field: Field) -> Event:
    """A webhook that would start a job."""
    source, _, _ = await field.dead()
    await field.mend(source)
    return (await field.received(source, 7))[1]


async def test_a_record_without_its_headers_is_refused_again(field: Field, event: Event) -> None:
    whole = record_of(event)
    bare = [
        replace(whole, headers=tuple(header for header in whole.headers if header[0] != name))
        for name in REQUIRED
    ]
    assert (
        await field.bench.runner("ingest")(field.feed.deliver(*bare, replace(whole, headers=())))
        is True
    )
    assert {row["error_class"] for row in await field.bench.ask(LETTERS, t=OPERATOR)} == {
        "undecodable"
    }

    replay = await replayed(field, len(REQUIRED) + 1)
    await field.drain()

    assert await outcomes(field, replay) == {"failed_again": len(REQUIRED) + 1}
    assert await field.commands() == 0


async def test_a_version_to_come_is_applied_once_by_the_release_that_knows_it(
    field: Field, event: Event
) -> None:
    """Too early it fails again and stays what it is.

    After the upgrade each event has its effect, copies too.
    """
    source = await field.world.source("another")
    await field.mend(source)
    other = (await field.received(source))[1]
    newer: list[Event | Record] = []
    for one in (event, other, event):
        value = one.encode().replace(b":webhook.received:v1", b":webhook.received:v2")
        newer.append(
            replace(
                record_of(one),
                value=value.replace(b'"request_id"', b'"signed_by":"a","request_id"'),
            )
        )
    assert await field.bench.runner("ingest")(field.feed.deliver(*newer)) is True
    parked = {"error_class": "unknown_version", "state": "parked"}
    assert await field.bench.ask(LETTERS, t=OPERATOR) == [{**parked, "attempts": 1}] * 3

    early = await replayed(field, 3)
    await field.drain()
    assert await outcomes(field, early) == {"failed_again": 3}
    assert await field.bench.ask(LETTERS, t=OPERATOR) == [{**parked, "attempts": 2}] * 3
    assert await field.commands() == 0

    replay = await replayed(field, 3)
    settings = field.world.settings
    assert settings.secret_keys is not None
    given = {
        "POSTGRES_URL": settings.postgres_url.get_secret_value(),
        "OBJECT_STORE": settings.object_store,
        "SECRET_KEYS": settings.secret_keys.get_secret_value(),
        "DATA_DIR": str(settings.data_dir),
    }
    ours = {name: value for name, value in os.environ.items() if not name.startswith("HEADRACE_")}
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-P", str(RELEASE)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**ours, **{f"HEADRACE_{name}": value for name, value in given.items()}},
    )
    assert done.returncode == 0, done.stdout + done.stderr

    assert await outcomes(field, replay) == {"applied": 2, "already_applied": 1}
    assert {row["state"] for row in await field.bench.ask(LETTERS, t=OPERATOR)} == {"applied"}
    assert await field.commands() == 2
    tenants = await field.bench.ask(
        "SELECT DISTINCT tenant_id FROM events WHERE type = 'job.requested'"
    )
    assert [row["tenant_id"] for row in tenants] == [field.tenant]
