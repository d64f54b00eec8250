"""What a delivery costs the database does not grow with its records."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import event as hooks

from tests.integration.consumers.cases import CASES, Case
from tests.integration.runner.bench import Bench
from tests.integration.runner.feed import Feed

SINGLY = (
    "cancel",
    "trained",
)  # a job at a time: each is a person's, or stands for minutes of training


@contextmanager
def statements(bench: Bench) -> Iterator[list[str]]:
    """All that are executed meanwhile."""
    seen: list[str] = []

    def executed(*given: Any) -> None:
        seen.append(given[2])

    hooks.listen(bench.pipeline.sync_engine, "before_cursor_execute", executed)
    try:
        yield seen
    finally:
        hooks.remove(bench.pipeline.sync_engine, "before_cursor_execute", executed)


@pytest.mark.parametrize("case", [one for one in CASES if one.name not in SINGLY], ids=str)
async def test_as_many_statements_for_many_records_as_for_one(bench: Bench, case: Case) -> None:
    async with bench.pipeline.begin() as tx:
        events = [await case.prepare(tx, uuid4()) for _ in range(7)]
    feed, runner = Feed(), bench.runner(case.consumer)
    assert await runner(feed.deliver(events[0])) is True  # makes the positions

    with statements(bench) as for_one:
        assert await runner(feed.deliver(events[1])) is True
    with statements(bench) as for_five:
        assert await runner(feed.deliver(*events[2:])) is True

    assert len(for_five) == len(for_one)
