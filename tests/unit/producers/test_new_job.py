"""What the API lets in as a job: nothing that the log, the database or a consumer cannot take
later.
"""

from typing import Any
from uuid import uuid4

import pytest
from pydantic import JsonValue, ValidationError

from producers.api.jobs.http import Cancellation, NewJob
from schemas.bounds import MOST_OPTIONS_BYTES
from schemas.decode import read
from schemas.jobs import MOST_OPTION_DEPTH, JobRequested
from tests.factories import door_event, record_of


def body(**changes: Any) -> dict[str, Any]:
    return {"dataset_id": str(uuid4()), "target": "target", "model": "wine", **changes}


def nested(depth: int) -> dict[str, JsonValue]:
    inner: dict[str, JsonValue] = {}
    for _ in range(depth - 1):
        inner = {"a": inner}
    return inner


@pytest.mark.parametrize(
    "options", [{}, {"profile": "fast", "seed": 7}, {"ü": ["😀", None, 1.5]}, nested(20)]
)
def test_what_is_let_in_can_be_read_by_every_consumer(options: dict[str, Any]) -> None:
    job = NewJob.model_validate(body(options=options))
    job_id = uuid4()
    event = door_event(JobRequested(job_id=job_id, **job.model_dump()), job_id)
    data = read(record_of(event)).data
    assert isinstance(data, JobRequested)
    assert data.options == options


@pytest.mark.parametrize(
    "options",
    [
        {"a": "\x00"},
        {"\x00": 1},
        {"a": ["b", {"c": "\x00"}]},
        {"a": "\ud800"},
        {"\udfff": 1},
        {"a": float("nan")},
        {"a": [float("inf")]},
        nested(MOST_OPTION_DEPTH + 2),
        {"a": [[[nested(300)]]]},
    ],
    ids=[
        "NUL",
        "NUL in a name",
        "NUL deep inside",
        "half a surrogate",
        "half a surrogate in a name",
        "NaN",
        "infinity",
        "too deep",
        "far too deep",
    ],
)
def test_options_that_would_be_stuck_later_are_refused_now(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        NewJob.model_validate(body(options=options))


@pytest.mark.parametrize(
    "changes",
    [
        {"target": ""},
        {"target": "a\x00"},
        {"target": "t" * 201},
        {"target": "\ud800"},
        {"model": ""},
        {"model": "a/b"},
        {"model": "a\n"},
        {"model": "m" * 101},
        {"kind": "predict"},
        {"dataset_id": "a/b"},
        {"dataset_id": 7},
        {"options": []},
        {"priority": 1},
    ],
    ids=ascii,
)
def test_what_is_malformed_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        NewJob.model_validate(body(**changes))


@pytest.mark.parametrize("reason", ["a\x00", "r" * 501, "\ud800"], ids=ascii)
def test_a_reason_that_cannot_be_stored_is_refused(reason: str) -> None:
    with pytest.raises(ValidationError):
        Cancellation(reason=reason)
    assert Cancellation().reason


def test_options_are_bounded_in_bytes() -> None:
    room = MOST_OPTIONS_BYTES - len('{"a":""}')
    assert NewJob.model_validate(body(options={"a": "x" * room}))
    assert NewJob.model_validate(body(options={"a": "\u6587" * (room // 3)}))
    for large in ("x" * (room + 1), "\u6587" * (room // 3 + 1)):
        with pytest.raises(ValidationError, match="bytes as JSON, 16384 are allowed"):
            NewJob.model_validate(body(options={"a": large}))
