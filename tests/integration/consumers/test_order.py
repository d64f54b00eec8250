"""No order across topics: whatever comes first, no job waits for ever, and each ends in the
state that is right.
"""

import asyncio
from uuid import UUID, uuid4

import pytest

from compose.clock import Clock
from compose.processes.worker import tasks
from consumers.ingest.protocol import ColumnProfile, Finding, TopValue, ValidationResult
from consumers.ingest.validation import Validation
from consumers.registry import INGEST
from consumers.work import store as work
from consumers.work.child_result import ChildResult, Finished, TenantRefused
from consumers.work.work_item import WorkItem
from producers.outbox.append import append
from schemas.event import Event
from schemas.log import entry_of
from tests.integration.consumers import rows
from tests.integration.runner.bench import Bench
from tests.integration.runner.feed import Feed

ROUNDS = 100
VALID = Finished(
    ValidationResult(
        valid=True,
        rows=20,
        report=(),
        columns=tuple(
            ColumnProfile(name=name, type="number", empty=0, distinct=9) for name in ("a", "target")
        ),
    ).model_dump(mode="json"),
    0,
    0.1,
    0.1,
)
NO_TABLE = TenantRefused("user_data", "malformed", "not a table")


class Ingest:
    """Ingest as it runs: one consumer, and the worker that decides data sets."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self._feed = Feed()
        self._runner = bench.runner("ingest")
        (task,) = tasks(INGEST, bench.settings, Clock())
        assert isinstance(task, Validation)
        self._validation = task

    async def __call__(self, *events: Event) -> None:
        """One delivery; the door has the events in the log before."""
        assert await self._runner(self._feed.deliver(*events)) is True

    async def at_the_door(self, *events: Event) -> None:
        """What the API did: the event is in the log, and Kafka does not have it yet."""
        async with self.bench.pipeline.begin() as tx:
            await append(tx, [entry_of(event) for event in events])

    async def claim(self) -> WorkItem:
        """The worker takes the next piece of validation."""
        async with self.bench.pipeline.begin() as tx:
            piece = await work.claim(tx, "validation", 60)
        assert piece is not None
        return piece

    async def decide(self, piece: WorkItem, result: ChildResult) -> None:
        """The worker's last transaction, as the worker has it."""
        async with self.bench.pipeline.begin() as tx:
            events = await self._validation.finish(tx, piece, result, Clock().now())
            await work.fence(tx, piece)
            await work.done(tx, piece)
            await append(tx, [entry_of(event) for event in events])

    async def jobs(self) -> list[tuple[str, str | None]]:
        """State and failure code of every job."""
        found = await self.bench.ask(
            "SELECT state, failure->>'class' AS class FROM jobs ORDER BY created_at, id"
        )
        return [(row["state"], row["class"]) for row in found]


@pytest.fixture
def ingest(bench: Bench) -> Ingest:
    return Ingest(bench)


@pytest.mark.parametrize(
    ("result", "expected"),
    [(VALID, ("queued", None)), (NO_TABLE, ("failed", "user_data"))],
    ids=["valid", "rejected"],
)
@pytest.mark.parametrize("job", ["before the data set", "with it", "before it is decided", "after"])
async def test_a_job_at_any_time(
    ingest: Ingest, job: str, result: ChildResult, expected: tuple[str, str]
) -> None:
    tenant = uuid4()
    dataset = rows.submission(tenant)
    asked = rows.request(tenant, UUID(dataset.subject))
    await ingest.at_the_door(dataset, asked)

    if job == "before the data set":
        await ingest(asked)
        assert await ingest.jobs() == [("accepted", None)]
    await ingest(*((asked, dataset) if job == "with it" else (dataset,)))
    if job == "before it is decided":
        await ingest(asked)
        assert await ingest.jobs() == [("accepted", None)]
    await ingest.decide(await ingest.claim(), result)
    if job == "after":
        await ingest(asked)

    assert await ingest.jobs() == [expected]
    said = await ingest.bench.said()
    assert said.count("job.queued") + said.count("job.failed") == 1


async def test_a_data_set_that_nobody_sent(ingest: Ingest) -> None:
    """Also one of another tenant: to this one it is unknown."""
    theirs = rows.submission(uuid4())
    await ingest.at_the_door(theirs)
    await ingest(theirs)

    await ingest(rows.request(uuid4(), UUID(theirs.subject)), rows.request(uuid4(), uuid4()))

    assert await ingest.jobs() == [("failed", "user_config")] * 2


async def test_a_target_that_is_not_there(ingest: Ingest) -> None:
    """Told when the data set is decided, or at once when it is."""
    tenant = uuid4()
    dataset = rows.submission(tenant)
    await ingest.at_the_door(dataset)
    await ingest(dataset, rows.request(tenant, UUID(dataset.subject), target="nothing"))
    await ingest.decide(await ingest.claim(), VALID)
    await ingest(rows.request(tenant, UUID(dataset.subject), target="nothing"))

    assert await ingest.jobs() == [("failed", "user_config")] * 2


async def test_a_data_set_of_two_thousand_columns(ingest: Ingest) -> None:
    """What is said of it fits into a record: the row keeps the whole profile, and a job that
    waits goes on.
    """
    tenant = uuid4()
    dataset = rows.submission(tenant)
    await ingest.at_the_door(dataset)
    await ingest(
        dataset, rows.request(tenant, UUID(dataset.subject), target="column 7 of two thousand")
    )
    top = tuple(
        TopValue(value=f"{number} Lower Headrace Mill Street", count=1) for number in range(5)
    )
    columns = tuple(
        ColumnProfile(
            name=f"column {number} of two thousand", type="text", empty=0, distinct=9, top=top
        )
        for number in range(2000)
    )
    warnings = tuple(
        Finding(
            rule="mostly_numbers",
            severity="warning",
            column=one.name,
            rows=(),
            count=3,
            samples=(),
            message="read as text, for 3 of 20 values are not numbers",
        )
        for one in columns
    )
    outcome = ValidationResult(valid=True, rows=20, report=warnings, columns=columns)

    await ingest.decide(
        await ingest.claim(), Finished(outcome.model_dump(mode="json"), 0, 0.1, 0.1)
    )

    assert await ingest.jobs() == [("queued", None)]
    kept = (
        "SELECT jsonb_array_length(profile) AS profile, jsonb_array_length(findings) AS "
        "findings FROM datasets"
    )
    assert await ingest.bench.ask(kept) == [{"profile": 2000, "findings": 2000}]


@pytest.mark.parametrize("result", [VALID, NO_TABLE], ids=["valid", "rejected"])
async def test_admission_races_the_decision(ingest: Ingest, result: ChildResult) -> None:
    """Both at once, round after round: the job is never left in `accepted` with nobody to move
    it.
    """
    for _ in range(ROUNDS):
        tenant = uuid4()
        dataset = rows.submission(tenant)
        asked = [rows.request(tenant, UUID(dataset.subject)) for _ in range(2)]
        await ingest.at_the_door(dataset, *asked)
        await ingest(dataset)
        piece = await ingest.claim()
        await asyncio.gather(ingest.decide(piece, result), ingest(*asked))

    states = [state for state, _ in await ingest.jobs()]
    assert states == ["queued" if result is VALID else "failed"] * ROUNDS * 2
    assert len(await ingest.bench.said()) == ROUNDS * (3 + 2 + 1 + (1 if result is VALID else 0))


async def test_a_cancel_races_the_decision(ingest: Ingest) -> None:
    """Whichever is first: it ends canceled, and says each step once, in order."""
    for number in range(ROUNDS):
        tenant = uuid4()
        dataset = rows.submission(tenant)
        asked = rows.request(tenant, UUID(dataset.subject))
        await ingest.at_the_door(dataset)
        for poll in ([asked, dataset],) if number % 2 else ([asked], [dataset]):
            await ingest(*poll)
        piece = await ingest.claim()
        await asyncio.gather(
            ingest.decide(piece, VALID), ingest(rows.cancellation(tenant, UUID(asked.subject)))
        )

    assert {state for state, _ in await ingest.jobs()} == {"canceled"}
    versions = await ingest.bench.ask(
        "SELECT aggregate_id, array_agg(version ORDER BY seq) AS versions FROM events WHERE "
        "version > 0"
        " AND topic = 'headrace.jobs' GROUP BY aggregate_id"
    )
    assert len(versions) == ROUNDS
    assert all(row["versions"] in ([1], [1, 2]) for row in versions)
