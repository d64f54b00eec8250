"""Every move of a job, legal and illegal, and what it says of itself."""

from itertools import product
from typing import get_args

import pytest

from consumers.jobs.job import TRANSITIONS, IllegalTransition, State, cancel, expire, fail, move
from schemas.jobs import JobProgressed, JobStarted
from tests.factories import new_id
from tests.unit.consumers.moving import JOB, LATER, job

CAUSE = new_id()
STATES: tuple[State, ...] = get_args(State)
LEGAL: set[tuple[State, State]] = {
    ("accepted", "queued"),
    ("accepted", "failed"),
    ("accepted", "canceled"),
    ("accepted", "expired"),
    ("queued", "running"),
    ("queued", "canceled"),
    ("queued", "expired"),
    ("queued", "failed"),
    ("running", "finalizing"),
    ("running", "failed"),
    ("running", "canceled"),
    ("running", "expired"),
    ("finalizing", "succeeded"),
    ("finalizing", "failed"),
}
STARTED = JobStarted(job_id=JOB, attempt=2, reason="a worker took it up")


def test_every_state_is_on_the_map() -> None:
    assert set(TRANSITIONS) == set(STATES)


@pytest.mark.parametrize(("start", "end"), list(product(STATES, STATES)))
def test_a_move_is_made_or_refused(start: State, end: State) -> None:
    before = job(start)
    if (start, end) in LEGAL or start == end:
        after = move(before, end, STARTED, cause=CAUSE, by="training", at=LATER).job
        assert (after.state, after.version) == (end, before.version + 1)
    else:
        with pytest.raises(IllegalTransition, match=f"from {start} to {end}"):
            move(before, end, STARTED, cause=CAUSE, by="training", at=LATER)


@pytest.mark.parametrize("state", STATES)
def test_a_job_is_over_where_no_way_leads_on(state: State) -> None:
    assert job(state).over is (state in {"succeeded", "failed", "canceled", "expired"})


def test_a_move_says_so_in_the_jobs_own_chain() -> None:
    before = job("queued")
    moved = move(before, "running", STARTED, cause=CAUSE, by="training", at=LATER, attempt=2)
    event = moved.event
    assert (moved.job.attempt, before.attempt) == (2, 1)
    assert (event.type, event.subject, event.tenantid) == ("job.started", str(JOB), before.tenant)
    assert (event.aggregateversion, event.time, event.source) == (4, LATER, "/headrace/training")
    assert (event.causationid, event.correlationid) == (CAUSE, before.cause.correlation)


def test_the_same_step_has_the_same_id_and_another_has_another() -> None:
    data = JobProgressed(job_id=JOB, attempt=1, stage="fitting", fraction=0.5)
    steps = [
        move(
            job("running"), "running", data, cause=CAUSE, by="training", at=LATER, ordinal=ordinal
        ).event.id
        for ordinal in ("1/3", "1/3", "1/4", "2/3")
    ]
    assert steps[0] == steps[1]
    assert len(set(steps)) == 3


def test_a_failure_keeps_whose_fault_it_was() -> None:
    moved = fail(
        job("running"), "user_data", "too_few_rows", "9 rows", cause=CAUSE, by="training", at=LATER
    )
    said = {"class": "user_data", "code": "too_few_rows", "message": "9 rows"}
    assert (moved.job.state, moved.job.failure) == ("failed", said)
    data = moved.event.data.model_dump(mode="json")
    assert (data["failure"], data["attempt"], data["reason"]) == (said, 1, "9 rows")


def test_cancel_and_expire_end_it_with_their_reason() -> None:
    canceled = cancel(job("queued"), "a mistake", cause=CAUSE, by="ingest", at=LATER)
    expired = expire(job("running"), "600 s are over", cause=CAUSE, by="training", at=LATER)
    assert (canceled.job.state, canceled.event.data.model_dump()["reason"]) == (
        "canceled",
        "a mistake",
    )
    assert (expired.job.state, expired.event.data.model_dump()["reason"]) == (
        "expired",
        "600 s are over",
    )


@pytest.mark.parametrize("state", ["succeeded", "failed", "canceled", "expired"])
def test_what_is_over_cannot_be_ended_again(state: State) -> None:
    for end in ("failed", "canceled", "expired"):
        if end != state:
            with pytest.raises(IllegalTransition):
                move(job(state), end, STARTED, cause=CAUSE, by="training", at=LATER)
