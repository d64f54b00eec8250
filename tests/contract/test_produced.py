"""What is asked of every record that the tests produce: shown to find each way in which one can
be wrong.
"""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from compose.kafka.log import partition_of
from compose.reference.versions import VERSIONS, Version
from consumers.dead_letters.dead_letter import OPERATOR, DeadLetter
from schemas.log import unpack_headers
from schemas.record import Record
from schemas.topics import DEAD_LETTERS
from tests.contract.test_examples import decoded
from tests.factories import record_of
from tests.published import Produced, violations

PREFIX = "t1."


def produced(version: Version) -> Produced:
    """A good record, as it stands on Kafka."""
    value, _ = version.example()
    record = record_of(decoded(version.type, value), prefix=PREFIX)
    partition = partition_of(record.key, version.topic.partitions)
    return Produced(record.topic, record.key, record.value, record.headers, partition, 7)


GOOD = produced(next(one for one in VERSIONS if one.type == "job.failed"))


def saying(change: Callable[[dict[str, Any]], object]) -> Produced:
    value = json.loads(GOOD.value or b"")
    change(value)
    return GOOD._replace(value=json.dumps(value).encode())


def with_header(name: str, value: bytes) -> Produced:
    return GOOD._replace(
        headers=tuple((one, value if one == name else text) for one, text in GOOD.headers)
    )


@pytest.mark.parametrize("version", VERSIONS, ids=lambda one: one.name)
def test_a_good_record_is_good(version: Version) -> None:
    assert list(violations([produced(version)], PREFIX)) == []


WRONG = {
    "no value": GOOD._replace(value=None),
    "not JSON": GOOD._replace(value=b"{"),
    "not an object": GOOD._replace(value=b"[]"),
    "a field that is not published": saying(lambda one: one["data"].update(note="x")),
    "a field of the envelope that is not published": saying(
        lambda one: one.update(partitionkey="x")
    ),
    "a field of an object inside that is not published": saying(
        lambda one: one["data"]["failure"].update(why="x")
    ),
    "a missing field": saying(lambda one: one["data"].pop("reason")),
    "a number as text": saying(lambda one: one["data"].update(attempt="2")),
    "a word that is not published": saying(
        lambda one: one["data"]["failure"].update({"class": "bad_luck"})
    ),
    "an id that is none": saying(lambda one: one.update(id="5")),
    "a time without a zone": saying(lambda one: one.update(time="2026-01-01T00:00:00")),
    "a version that is not published": saying(
        lambda one: one.update(dataschema="urn:headrace:job.failed:v2")
    ),
    "another type": saying(lambda one: one.update(type="job.canceled")),
    "another topic": GOOD._replace(topic=PREFIX + "headrace.models"),
    "a topic without the prefix of the test": GOOD._replace(topic="t2.headrace.jobs"),
    "no key": GOOD._replace(key=None),
    "the key of another tenant": GOOD._replace(
        key=f"{uuid4()}:{(GOOD.key or b'').decode().split(':')[1]}".encode()
    ),
    "a key that is no text": GOOD._replace(key=b"\xff:x"),
    "another partition": GOOD._replace(partition=((GOOD.partition or 0) + 1) % 6),
    "no headers": GOOD._replace(headers=()),
    "a header that is missing": GOOD._replace(
        headers=tuple(one for one in GOOD.headers if one[0] != "ce_time")
    ),
    "a header that is not published": GOOD._replace(headers=(*GOOD.headers, ("x", b"1"))),
    "a header twice": GOOD._replace(headers=(*GOOD.headers, GOOD.headers[0])),
    "another tenant in the header": with_header("ce_tenantid", str(uuid4()).encode()),
    "another time in the header": with_header("ce_time", b"2026-01-01T00:00:00Z"),
    "another content type": with_header("content-type", b"application/json"),
    "another trace": with_header("traceparent", b"00-" + b"1" * 32 + b"-" + b"1" * 16 + b"-01"),
    "no trace, which the value has": GOOD._replace(headers=GOOD.headers[:-1]),
    "a header that is no text": with_header("ce_source", b"\xff"),
}


@pytest.mark.parametrize("record", WRONG.values(), ids=WRONG.keys())
def test_a_wrong_record_is_found(record: Produced) -> None:
    assert len(list(violations([record], PREFIX))) == 1


def letter(original: Produced) -> Produced:
    """The copy of a record that could not be handled, as it stands on Kafka."""
    record = Record(
        original.topic,
        original.partition or 0,
        original.offset or 0,
        original.key,
        original.value,
        original.headers,
        0,
    )
    copy = DeadLetter(record, "ingest", OPERATOR, None, "undecodable", "no", 1).copy(
        decoded("job.failed", json.loads(GOOD.value or b"")).time
    )
    return Produced(PREFIX + copy.topic, copy.key, copy.value, unpack_headers(copy.headers), 0, 0)


@pytest.mark.parametrize(
    "original", [GOOD, GOOD._replace(key=None, value=b"\xff", headers=(("a", b"\xff"),) * 2)]
)
def test_a_dead_letter_is_its_original_and_what_failed(original: Produced) -> None:
    copy = letter(original)
    assert copy.topic == PREFIX + DEAD_LETTERS.name
    allowed = [one for one in violations([original, copy], PREFIX) if DEAD_LETTERS.name in one]
    assert allowed == []
    wrong = {
        "another byte": copy._replace(value=b"x"),
        "another key": copy._replace(key=b"x"),
        "a header more": copy._replace(headers=(("x", b"1"), *copy.headers)),
        "nothing added": copy._replace(headers=original.headers),
        "an unknown class": copy._replace(
            headers=tuple(
                (name, b"odd" if name == "dead_letter_class" else value)
                for name, value in copy.headers
            )
        ),
        "an offset that is none": copy._replace(
            headers=tuple(
                (name, b"-1" if name == "dead_letter_offset" else value)
                for name, value in copy.headers
            )
        ),
    }
    for name, one in wrong.items():
        assert [
            found for found in violations([original, one], PREFIX) if DEAD_LETTERS.name in found
        ], name
