"""Bytes become an event, or Undecodable with the reason: nothing else is ever raised."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.decode import read
from schemas.event import Event, following
from schemas.event_decode import Undecodable
from schemas.jobs import JobCanceled, JobQueued, JobRequested
from schemas.record import Record
from tests.factories import door_event, record_of

JOB = uuid4()
EVENT = door_event(
    JobRequested(
        job_id=JOB,
        kind="train",
        dataset_id=uuid4(),
        target="target",
        model="wine",
        options={"seed": 7},
    ),
    JOB,
)
GOOD = record_of(EVENT)


def saying(change: Callable[[dict[str, Any]], object]) -> Record:
    """The good record with its envelope changed.

    Headers left out, so that only the value speaks.
    """
    envelope = json.loads(EVENT.encode())
    change(envelope)
    return replace(GOOD, value=json.dumps(envelope).encode(), headers=())


def with_bytes(old: bytes, new: bytes) -> Record:
    assert old in EVENT.encode()
    return replace(GOOD, value=EVENT.encode().replace(old, new))


def test_what_was_written_is_read() -> None:
    assert read(GOOD) == EVENT
    assert read(record_of(EVENT, prefix="test."), "test.") == EVENT


def test_unknown_fields_of_a_newer_producer_are_passed_over() -> None:
    def extend(envelope: dict[str, Any]) -> None:
        envelope["sampledrate"] = 1
        envelope["data"]["priority"] = "high"

    assert read(saying(extend)) == EVENT


POISON: dict[str, Record] = {
    "null value": replace(GOOD, value=None),
    "empty": replace(GOOD, value=b""),
    "bad JSON": replace(GOOD, value=b'{"type": '),
    "a byte order mark": replace(GOOD, value=b"\xef\xbb\xbf" + EVENT.encode()),
    "not UTF-8": with_bytes(b'"wine"', b'"\xff"'),
    "a NUL byte": with_bytes(b'"wine"', b'"\x00"'),
    "a NUL in the subject": saying(lambda one: one.update(subject="a\x00b")),
    "a NUL in the options": with_bytes(b'{"seed":7}', b'{"seed":"\\u0000"}'),
    "a NUL in the name of an option": with_bytes(b'{"seed":7}', b'{"\\u0000":7}'),
    "a lone surrogate": with_bytes(b'"wine"', b'"\\ud800"'),
    "not a number": with_bytes(b'{"seed":7}', b'{"seed":NaN}'),
    "an infinite number": with_bytes(b'{"seed":7}', b'{"seed":1e999}'),
    "a number of 5000 digits": with_bytes(b'{"seed":7}', b'{"seed":' + b"9" * 5000 + b"}"),
    "not an object": replace(GOOD, value=b"[]"),
    "a string": replace(GOOD, value=b'"job.requested"'),
    "huge nesting": replace(GOOD, value=b"[" * 100_000),
    "huge nesting of objects": replace(GOOD, value=b'{"data":' * 100_000),
    "deep options": with_bytes(b'{"seed":7}', b'{"a":' * 100 + b"7" + b"}" * 100),
    "no type": saying(lambda one: one.pop("type")),
    "a type that is a list": saying(lambda one: one.update(type=["job.requested"])),
    "an unknown type": saying(lambda one: one.update(type="job.exploded")),
    "an unknown version": saying(
        lambda one: one.update(dataschema="urn:headrace:job.requested:v2")
    ),
    "no version": saying(lambda one: one.pop("dataschema")),
    "data of another type": saying(lambda one: one.update(data={"job_id": str(JOB)})),
    "no data": saying(lambda one: one.pop("data")),
    "null data": saying(lambda one: one.update(data=None)),
    "data as text": saying(lambda one: one.update(data="{}")),
    "an id that is a number": saying(lambda one: one.update(id=5)),
    "an empty subject": saying(lambda one: one.update(subject="")),
    "a long subject": saying(lambda one: one.update(subject="a" * 201)),
    "a time without zone": saying(lambda one: one.update(time="2026-01-01T00:00:00")),
    "a negative version": saying(lambda one: one.update(aggregateversion=-1)),
    "a version beyond 64 bits": saying(lambda one: one.update(aggregateversion=1 << 63)),
    "a broken trace": saying(lambda one: one.update(traceparent="00-zz")),
    "another spec": saying(lambda one: one.update(specversion="0.3")),
    "the wrong topic": replace(GOOD, topic="headrace.datasets"),
    "a foreign prefix": replace(GOOD, topic="other.headrace.jobs"),
    "the wrong key": replace(GOOD, key=f"{uuid4()}:{JOB}".encode()),
    "no key": replace(GOOD, key=None),
}


@pytest.mark.parametrize("record", POISON.values(), ids=POISON.keys())
def test_poison_is_undecodable(record: Record) -> None:
    with pytest.raises(Undecodable) as caught:
        read(record)
    assert 0 < len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    "missing",
    [
        "id",
        "source",
        "type",
        "subject",
        "time",
        "dataschema",
        "tenantid",
        "correlationid",
        "aggregateversion",
        "data",
    ],
)
def test_a_missing_field_is_named(missing: str) -> None:
    with pytest.raises(Undecodable):
        read(saying(lambda one: one.pop(missing)))


@pytest.mark.parametrize("name", ["ce_id", "ce_type", "ce_source", "ce_tenantid"])
def test_a_header_that_says_otherwise_is_refused(name: str) -> None:
    headers = tuple((one, b"\xff\x00" if one == name else value) for one, value in GOOD.headers)
    with pytest.raises(Undecodable, match=name):
        read(replace(GOOD, headers=headers))


def test_a_second_header_of_the_name_counts_too() -> None:
    with pytest.raises(Undecodable, match="ce_tenantid"):
        read(replace(GOOD, headers=(*GOOD.headers, ("ce_tenantid", str(uuid4()).encode()))))


def test_foreign_headers_do_not_matter() -> None:
    assert read(replace(GOOD, headers=(*GOOD.headers, ("b3", b"\xff\xfe")))) == EVENT


@given(st.binary(max_size=200))
def test_any_bytes_are_an_event_or_undecodable(value: bytes) -> None:
    with pytest.raises(Undecodable):
        read(replace(GOOD, value=value))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(st.sampled_from(sorted(json.loads(EVENT.encode()))), JSON)
def test_any_value_in_any_field_is_an_event_or_undecodable(name: str, value: Any) -> None:
    try:
        read(saying(lambda one: one.update({name: value})))
    except Undecodable:
        return


def follow(ordinal: object = 0, by: str = "ingest") -> Event:
    return following(
        EVENT.cause,
        JobCanceled(job_id=JOB, reason="asked"),
        by=by,
        subject=str(JOB),
        version=1,
        at=EVENT.time,
        ordinal=ordinal,
    )


def test_what_follows_keeps_the_chain_and_has_the_same_id_again() -> None:
    event = follow()
    assert (event.causationid, event.correlationid, event.tenantid) == (
        EVENT.id,
        EVENT.correlationid,
        EVENT.tenantid,
    )
    assert (event.source, event.aggregateversion, event.key) == ("/headrace/ingest", 1, EVENT.key)
    assert event.id == follow().id
    assert len({event.id, follow(1).id, follow(by="training").id}) == 3


def test_options_keep_what_json_can_say() -> None:
    queued = JobQueued(
        job_id=JOB,
        kind="train",
        dataset_id=UUID(int=1),
        dataset_version=1,
        object_key="k",
        columns=(),
        target="t",
        model="m",
        options={"a": [1, 2.5, None, True, {"b": "ü␀"}]},
        reason="r",
    )
    event = following(EVENT.cause, queued, by="ingest", subject=str(JOB), version=1, at=EVENT.time)
    assert read(record_of(event)) == event
