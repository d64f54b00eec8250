"""What ingest decides of requests, cancellations and validated files."""

from typing import Any

import pytest

from consumers.ingest.dataset import refused_by, rejected, submitted, validated
from consumers.ingest.decide import cancellation, request, settle
from consumers.ingest.protocol import ColumnProfile, Finding, ValidationResult
from consumers.jobs.job import State
from consumers.log.outcome import Applied, Ignored
from schemas.datasets import DatasetRejected, DatasetSubmitted, DatasetValidated
from schemas.event import Event
from schemas.jobs import JobCanceled, JobCancelRequested, JobFailed, JobQueued
from tests.factories import door_event
from tests.unit.consumers.moving import (
    COLUMNS,
    DATASET,
    JOB,
    LATER,
    TENANT,
    dataset,
    job,
    requested,
)


def only(outcome: object) -> Event:
    assert isinstance(outcome, Applied)
    (event,) = outcome.events
    return event


def test_a_job_on_a_valid_data_set_is_queued_with_all_that_training_needs() -> None:
    event, data = requested()
    decision = request(event, data, None, dataset(), submitted=True, at=LATER)
    said = only(decision.outcome)
    assert isinstance(said.data, JobQueued)
    assert (said.data.dataset_version, said.data.columns) == (4, COLUMNS)
    assert (said.data.object_key, said.data.target, said.data.model) == (
        "tenants/a/data.csv",
        "target",
        "wine",
    )
    assert (said.data.options, said.aggregateversion, said.causationid) == (
        {"seed": 7},
        1,
        event.id,
    )
    assert decision.job is not None
    assert (decision.job.state, decision.job.version, decision.job.tenant) == ("queued", 1, TENANT)
    assert decision.job.cause == event.cause


@pytest.mark.parametrize("known", [None, dataset(state="submitted")])
def test_a_job_waits_for_a_data_set_that_is_not_decided(known: Any) -> None:
    event, data = requested()
    decision = request(event, data, None, known, submitted=True, at=LATER)
    assert decision.outcome == Applied()
    assert decision.job is not None
    assert (decision.job.state, decision.job.version, decision.job.attempt) == ("accepted", 0, 0)


def test_a_target_is_found_by_the_heading_as_it_stands_in_the_file() -> None:
    event, data = requested("\u200btarget\u00a0 (x)\t")
    column = COLUMNS[1].model_copy(update={"name": "target (x)"})
    known = dataset(columns=(COLUMNS[0], column))
    said = only(request(event, data, None, known, submitted=True, at=LATER).outcome).data
    assert isinstance(said, JobQueued)
    assert said.target == "target (x)"


def failed(target: str = "target", known: Any = None) -> JobFailed:
    event, data = requested(target)
    decision = request(event, data, None, known, submitted=known is not None, at=LATER)
    said = only(decision.outcome).data
    assert isinstance(said, JobFailed)
    assert decision.job is not None
    assert decision.job.state == "failed"
    return said


def test_a_data_set_that_nobody_knows_fails_the_job() -> None:
    failure = failed().failure
    assert (failure.failure_class, failure.code) == ("user_config", "dataset_not_found")
    assert str(DATASET) in failure.message


def test_a_rejected_data_set_fails_the_job_with_its_reason() -> None:
    failure = failed(known=dataset(state="rejected", reason="ragged rows")).failure
    assert (failure.failure_class, failure.code) == ("user_data", "dataset_rejected")
    assert "ragged rows" in failure.message


def test_an_impossible_target_fails_the_job_and_names_the_columns() -> None:
    failure = failed("quality", dataset()).failure
    assert (failure.failure_class, failure.code) == ("user_config", "target_not_found")
    assert "alcohol, target" in failure.message


@pytest.mark.parametrize("state", ["accepted", "queued", "running", "succeeded"])
def test_a_job_that_exists_is_not_taken_in_again(state: State) -> None:
    event, data = requested()
    decision = request(event, data, job(state), dataset(), submitted=True, at=LATER)
    assert isinstance(decision.outcome, Ignored)
    assert decision.job is None


def test_only_jobs_that_wait_are_settled() -> None:
    event, _ = requested()
    moved = settle(job("accepted"), dataset(), event, LATER)
    assert moved is not None
    assert moved.job.state == "queued"
    for state in ("queued", "running", "finalizing", "succeeded", "failed", "canceled", "expired"):
        assert settle(job(state), dataset(), event, LATER) is None
    assert settle(job("accepted"), dataset(state="submitted"), event, LATER) is None


def test_two_jobs_settled_by_one_event_have_different_ids() -> None:
    event, _ = requested()
    other = job(id=TENANT)
    moves = [settle(one, dataset(), event, LATER) for one in (job(), other)]
    assert len({moved.event.id for moved in moves if moved}) == 2


def cancel_event() -> tuple[Event, JobCancelRequested]:
    data = JobCancelRequested(job_id=JOB, reason="a mistake")
    return door_event(data, JOB, tenant=TENANT, at=LATER), data


@pytest.mark.parametrize("state", ["accepted", "queued"])
def test_what_waits_is_canceled_at_once(state: State) -> None:
    event, data = cancel_event()
    decision = cancellation(event, data, job(state), LATER)
    said = only(decision.outcome)
    assert said.data == JobCanceled(job_id=JOB, reason="a mistake")
    assert said.causationid == event.id
    assert decision.job is not None
    assert (decision.job.state, decision.stop) == ("canceled", True)


def test_what_runs_is_asked_to_stop() -> None:
    decision = cancellation(*cancel_event(), job("running"), LATER)
    assert decision.outcome == Applied()
    assert decision.job is not None
    assert (decision.job.state, decision.job.cancel_reason, decision.job.version) == (
        "running",
        "a mistake",
        3,
    )
    assert decision.stop


@pytest.mark.parametrize(
    "state", ["finalizing", "succeeded", "failed", "canceled", "expired", None]
)
def test_what_is_over_or_unknown_stays_as_it_is(state: State | None) -> None:
    decision = cancellation(*cancel_event(), job(state) if state else None, LATER)
    assert isinstance(decision.outcome, Ignored)
    assert (decision.job, decision.stop) == (None, False)


RESULT = ValidationResult(
    valid=True,
    rows=178,
    columns=(
        ColumnProfile(name="alcohol", type="number", empty=0, distinct=126, min=11.03, max=14.83),
        ColumnProfile(name="target", type="text", empty=2, distinct=3),
    ),
    report=(
        Finding(
            rule="mostly_numbers",
            severity="warning",
            column="target",
            rows=(4,),
            count=1,
            message="m",
            samples=("n/k",),
        ),
    ),
)


def test_a_file_is_submitted_then_validated() -> None:
    data = DatasetSubmitted(
        dataset_id=DATASET,
        name="wine",
        object_key="k",
        size_bytes=9,
        sha256="ab",
        content_type="text/csv",
    )
    event = door_event(data, DATASET, tenant=TENANT)
    before = submitted(event, data)
    assert (before.state, before.aggregate_version, before.created_at) == (
        "submitted",
        0,
        event.time,
    )
    after, said = validated(before, RESULT, 2, cause=event.cause, at=LATER)
    assert (after.state, after.version, after.rows, after.columns) == ("validated", 2, 178, COLUMNS)
    assert isinstance(said.data, DatasetValidated)
    assert (said.data.columns, said.data.version, said.data.sha256) == (COLUMNS, 2, "ab")
    assert said.data.profile[0] == {
        "name": "alcohol",
        "type": "number",
        "empty": 0,
        "distinct": 126,
        "min": 11.03,
        "max": 14.83,
        "top": [],
    }
    assert (said.data.findings[0].rule, said.aggregateversion) == ("mostly_numbers", 1)
    assert (said.subject, said.causationid, said.tenantid) == (str(DATASET), event.id, TENANT)


def test_a_file_that_is_no_table_is_rejected_with_its_errors() -> None:
    bad = [
        Finding(
            rule="quote",
            severity="error",
            column=None,
            rows=(),
            count=1,
            message=f"e{number}",
            samples=(),
        )
        for number in range(5)
    ]
    reason, findings = refused_by(
        RESULT.model_copy(update={"valid": False, "report": (*RESULT.report, *bad)})
    )
    assert (reason, len(findings)) == ("e0; e1; e2", 6)
    after, said = rejected(
        dataset(state="submitted"), reason, findings, cause=requested()[0].cause, at=LATER
    )
    assert (after.state, after.reason, after.aggregate_version) == ("rejected", reason, 2)
    assert isinstance(said.data, DatasetRejected)
    assert (said.data.reason, said.data.findings, said.aggregateversion) == (reason, findings, 2)


def test_a_rejection_always_has_a_reason() -> None:
    assert refused_by(RESULT.model_copy(update={"report": ()}))[0]
