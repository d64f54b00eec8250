"""The embedded stack's Kafka loses what it had: the door stays open, and `up` publishes it
again.
"""

import re
import shutil
import signal
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from compose.devstack.lifecycle import stop_stack
from producers.webhooks.verification.standard_webhooks import sign
from tests.chaos.live_stack import COMMAND, LEASE_SECONDS, LiveStack, environment, live_stack
from tests.eventually import eventually
from tests.harness.directories import own_directory

BILLED = "SELECT unnest(event_ids) FROM usage_records WHERE meter = 'webhook_events'"
INGESTED = "SELECT event_id FROM processed WHERE consumer = 'ingest'"
SEEN = "SELECT coalesce(sum(value), 0)::int FROM read_usage_days WHERE meter = 'webhook_events'"


class Sender:
    """A source on a stack that is stopped and started; each webhook is answered 202."""

    def __init__(self, stack: LiveStack) -> None:
        self.stack = stack
        self.sent = 0
        self.source: dict[str, Any] = {}

    async def send(self, count: int) -> None:
        """So many more."""
        async with self.stack.client() as client:
            if not self.source:
                self.source = (await client.post("/v1/sources", json={"name": "ci"})).json()
            for number in range(self.sent, self.sent + count):
                body = b'{"n": %d}' % number
                signed = sign(
                    body, self.source["secret"], message_id=f"msg_{number}", now=datetime.now(UTC)
                )
                answer = await client.post(
                    f"/hooks/{self.source['id']}",
                    content=body,
                    headers={**signed, "content-type": "application/json"},
                )
                assert answer.status_code == 202, answer.text
        self.sent += count

    async def effects(self) -> tuple[int, ...]:
        """How many are on the ledger, in ingest and in the view; none twice."""
        connection = await asyncpg.connect(self.stack.postgres_url)
        try:
            await connection.execute("SET ROLE headrace_pipeline")
            billed = [row[0] for row in await connection.fetch(BILLED)]
            assert len(billed) == len(set(billed))
            ingested = len(await connection.fetch(INGESTED))
            return len(billed), ingested, await connection.fetchval(SEEN)
        finally:
            await connection.close()

    async def all_applied(self) -> None:
        """Each has its effect exactly once."""
        await eventually(self.effects, lambda found: found == (self.sent,) * 3, seconds=90)


def _up_with(stack: LiveStack, meanwhile: Callable[[], object]) -> str:
    """Stop it, do something to its files, start it; what the start said."""
    stop_stack(stack.data_dir)
    meanwhile()
    done = subprocess.run(
        [*COMMAND, "up", "--detach", "--data-dir", str(stack.data_dir)],
        env=environment(HEADRACE_LEASE_SECONDS=LEASE_SECONDS, COLUMNS="200"),
        check=True,
        capture_output=True,
        text=True,
        timeout=300,
    )
    return done.stdout


def _replaced(directory: Path, older: Path) -> None:
    shutil.rmtree(directory)
    shutil.copytree(older, directory)


def _published_again(said: str) -> int:
    found = re.search(r"kafka's log had lost something: (\d+) records are published again", said)
    assert found is not None, said
    return int(found[1])


async def test_up_publishes_again_what_its_kafka_has_lost(request: pytest.FixtureRequest) -> None:
    """An older copy of its directory, a directory that Kafka cannot read, and none at all."""
    with own_directory(request) as directory, live_stack(directory / "data") as stack:
        kafka, older = stack.data_dir / "kafka", directory / "older"
        sender = Sender(stack)
        await sender.send(20)
        await sender.all_applied()
        stack.signal("kafka", signal.SIGSTOP)
        shutil.copytree(kafka, older)  # as a snapshot of a volume has it
        stack.signal("kafka", signal.SIGCONT)
        await sender.send(40)
        await sender.all_applied()

        said = _up_with(stack, lambda: _replaced(kafka, older))
        assert _published_again(said) >= 40
        await sender.send(10)
        await sender.all_applied()

        said = _up_with(stack, lambda: (kafka / "records" / "meta.properties").write_text("?"))
        assert "FAILED: kafka" in said
        assert any("kafka" in problem for problem in stack.status.problems)
        await sender.send(10)

        said = _up_with(stack, lambda: shutil.rmtree(kafka))
        assert _published_again(said) >= 80
        assert stack.status.problems == ()
        await sender.send(10)
        await sender.all_applied()
