"""A job as people read it: forward only, whatever comes twice or late."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.jobs.fold import JobRow, NotBegun, fold, fold_all, moment
from schemas.event import Event
from schemas.jobs import JobCancelRequested
from schemas.payload import Payload
from tests.factories import door_event
from tests.unit.projections.events import (
    CANCELED,
    DATASET,
    EXPIRED,
    JOB,
    QUEUED,
    START,
    SUCCEEDED,
    TENANT,
    TRAINED,
    at,
    failed,
    progressed,
    requested,
    started,
    story,
)

HAPPY: tuple[Payload, ...] = (
    QUEUED,
    started(),
    progressed(0.2),
    progressed(0.8),
    TRAINED,
    SUCCEEDED,
)
STORIES: dict[str, tuple[Payload, ...]] = {
    "happy": HAPPY,
    "canceled while it waits": (QUEUED, CANCELED),
    "refused": (failed("target_not_found"),),
    "canceled while it runs": (QUEUED, started(), progressed(0.5), CANCELED),
    "expired": (QUEUED, started(), EXPIRED),
    "a lost worker": (
        QUEUED,
        started(),
        progressed(0.5),
        started(2),
        progressed(0.1, 2),
        TRAINED,
        SUCCEEDED,
    ),
    "failed after the training": (QUEUED, started(), TRAINED, failed("internal")),
}


def row_of(*told: Payload) -> JobRow:
    row = fold_all(story(*told))
    assert row is not None
    return row


def test_a_request_begins_the_row() -> None:
    event = requested()
    row = fold(None, event)
    assert row is not None
    assert (row.tenant, row.id, row.version, row.state) == (TENANT, JOB, 0, "accepted")
    assert (row.kind, row.model, row.created_at, row.updated_at) == ("train", "wine", START, START)
    assert row.document == {
        "id": str(JOB),
        "kind": "train",
        "state": "accepted",
        "dataset_id": str(DATASET),
        "dataset_version": None,
        "target": "target",
        "model": {"name": "wine", "version": None},
        "options": {"seed": 7},
        "origin": "api",
        "correlation_id": str(event.correlationid),
        "progress": None,
        "attempts": [],
        "task": None,
        "metrics": None,
        "baseline": None,
        "details": None,
        "failure": None,
        "created_at": at(0),
        "updated_at": at(0),
    }


def test_a_happy_job_ends_with_its_model_and_its_metrics() -> None:
    row = row_of(*HAPPY)
    assert (row.state, row.version, row.updated_at.isoformat()) == ("succeeded", 6, at(6))
    document = row.document
    assert (document["state"], document["dataset_version"], document["updated_at"]) == (
        "succeeded",
        4,
        at(6),
    )
    assert document["model"] == {"name": "wine", "version": 2}
    assert (document["metrics"], document["baseline"]) == ({"accuracy": 0.97}, {"accuracy": 0.4})
    assert (document["task"], document["details"]) == ("classification", {"rows": 45})
    assert document["progress"] == {"stage": "trained", "fraction": 1.0}
    assert document["attempts"] == [
        {"attempt": 1, "started_at": at(2), "ended_at": at(5), "reason": "a worker took it up"}
    ]
    assert (document["failure"], document["created_at"]) == (None, at(0))


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ((), "accepted"),
        (HAPPY[:1], "queued"),
        (HAPPY[:2], "running"),
        (HAPPY[:4], "running"),
        (HAPPY[:5], "finalizing"),
        (HAPPY, "succeeded"),
        ((QUEUED, CANCELED), "canceled"),
        ((QUEUED, started(), EXPIRED), "expired"),
        ((failed(),), "failed"),
    ],
)
def test_the_state_follows_the_events(told: tuple[Payload, ...], state: str) -> None:
    row = row_of(*told)
    assert (row.state, row.document["state"]) == (state, state)


def test_progress_is_the_running_attempts() -> None:
    assert row_of(*HAPPY[:4]).document["progress"] == {"stage": "fitting", "fraction": 0.8}
    assert row_of(QUEUED, started(), progressed(0.5), started(2)).document["progress"] is None


def test_a_lost_worker_leaves_an_attempt_behind() -> None:
    attempts = row_of(*STORIES["a lost worker"]).document["attempts"]
    assert [(one["attempt"], one["started_at"], one["ended_at"]) for one in attempts] == [
        (1, at(2), at(4)),
        (2, at(4), at(6)),
    ]


@pytest.mark.parametrize("end", [CANCELED, EXPIRED, failed()])
def test_every_end_closes_the_attempt(end: Payload) -> None:
    (attempt,) = row_of(QUEUED, started(), end).document["attempts"]
    assert attempt["ended_at"] == at(3)


def test_a_failure_says_whose_fault_it_is() -> None:
    said = {"class": "user_data", "code": "too_few_rows", "message": "9 rows"}
    assert row_of(failed()).document["failure"] == said


def test_a_cancel_request_changes_nothing_by_itself() -> None:
    asked = door_event(JobCancelRequested(job_id=JOB, reason="r"), JOB, tenant=TENANT)
    row = row_of(QUEUED)
    assert fold(row, asked) is row
    assert fold(None, asked) is None


def test_a_job_without_its_request_is_an_error_and_not_half_a_row() -> None:
    with pytest.raises(NotBegun, match=str(JOB)):
        fold(None, story(QUEUED)[1])
    assert fold_all([]) is None


@pytest.mark.parametrize("told", STORIES.values(), ids=STORIES.keys())
def test_a_copy_or_an_older_event_gives_the_very_same_row(told: tuple[Payload, ...]) -> None:
    events = story(*told)
    row = fold_all(events)
    for event in events:
        assert fold(row, event) is row


@pytest.mark.parametrize("told", STORIES.values(), ids=STORIES.keys())
def test_the_earlier_row_is_left_as_it_was(told: tuple[Payload, ...]) -> None:
    row: JobRow | None = None
    for event in story(*told):
        before = repr(row)
        after = fold(row, event)
        assert repr(row) == before
        row = after


@st.composite
def told_with_copies(draw: st.DrawFn) -> tuple[list[Event], list[Event]]:
    """A story, and the same as Kafka can hand it over: first appearances in order, any earlier
    one again between.
    """
    events = story(*draw(st.sampled_from(list(STORIES.values()))))
    seen: list[Event] = []
    for place, event in enumerate(events):
        seen.append(event)
        copies = draw(st.lists(st.integers(0, place), max_size=3))
        seen.extend(events[copy] for copy in copies)
    return events, seen


@given(told_with_copies())
def test_any_interleaving_with_copies_gives_the_same_row(
    told: tuple[list[Event], list[Event]],
) -> None:
    events, seen = told
    row: JobRow | None = None
    versions = []
    for event in seen:
        row = fold(row, event)
        assert row is not None
        versions.append(row.version)
    assert row == fold_all(events)
    assert versions == sorted(versions)


def test_the_timeline_has_a_line_for_all_but_progress() -> None:
    events = story(*HAPPY)
    lines = [moment(event) for event in events]
    assert [line.type for line in lines if line] == [
        "job.requested",
        "job.queued",
        "job.started",
        "job.trained",
        "job.succeeded",
    ]
    line = lines[2]
    assert line is not None
    assert (line.tenant, line.job_id, line.version, line.event_id) == (TENANT, JOB, 2, events[2].id)
    assert line.data == {"attempt": 1, "reason": "a worker took it up"}


def test_a_failures_line_says_why() -> None:
    line = moment(story(failed())[1])
    assert line is not None
    assert line.data["failure"] == {
        "class": "user_data",
        "code": "too_few_rows",
        "message": "9 rows",
    }
