"""Dead letters: grouped by what went wrong, bounded in size, and every byte of the record kept
in the row.
"""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.dead_letters.dead_letter import (
    MOST_COPY_BYTES,
    MOST_ERROR_BYTES,
    OPERATOR,
    DeadLetter,
    storable,
)
from schemas.log import unpack_headers
from schemas.record import Record
from tests.factories import new_id

AT = datetime(2026, 3, 2, 9, 14, 7, tzinfo=UTC)
RECORD = Record("headrace.jobs", 3, 41, b"key", b'{"a": 1}', (("trace", b"\xff\x00"),), 0)
LETTER = DeadLetter(RECORD, "ingest", new_id(), new_id(), "bug", "KeyError: 'a'\n  line 3", 3)
# The producer's batch has 1 MiB; the rest is for the format around a record.
MOST_RECORD_BYTES = (1 << 20) - 4096


def letter(error: str = LETTER.error, **changes: object) -> DeadLetter:
    return replace(LETTER, error=error, **changes)  # type: ignore[arg-type]


def test_type_and_trace_are_read_from_the_headers() -> None:
    def said(name: str, value: bytes) -> DeadLetter:
        return letter(record=replace(RECORD, headers=((name, value),)))

    assert said("ce_type", b"job.queued").event_type == "job.queued"
    assert said("ce_type", b"job.invented").event_type is None
    assert said("ce_type", b"\xff\x00").event_type is None
    trace = "0af7651916cd43dd8448eb211c80319c"
    assert said("traceparent", f"00-{trace}-b7ad6b7169203331-01".encode()).trace_id == trace
    assert said("traceparent", b"\xff").trace_id is None
    assert (LETTER.event_type, LETTER.trace_id) == (None, None)


@given(st.text(alphabet=st.characters(), max_size=50))
def test_any_error_has_a_fingerprint_headers_and_a_row(error: str) -> None:
    one = letter(error + "\ud800\x00")
    assert len(one.fingerprint) == 16
    assert one.copy(AT).headers
    kept = storable(one.error)
    assert "\x00" not in kept
    assert kept.encode()


def test_an_error_is_cut() -> None:
    assert len(storable("e" * 9000)) == MOST_ERROR_BYTES
    assert storable("as it is: ü") == "as it is: ü"


def test_the_id_is_that_of_the_consumer_and_the_place() -> None:
    same = letter("another error", attempts=1)
    elsewhere = letter(record=replace(RECORD, offset=42))
    unread = letter(event_id=None, tenant=OPERATOR)
    assert LETTER.id == same.id
    assert len({LETTER.id, elsewhere.id, letter(consumer="training").id, unread.id}) == 4


def test_the_copy_has_the_record_and_says_what_failed() -> None:
    copy = LETTER.copy(AT)
    assert (copy.topic, copy.key, copy.value) == ("headrace.dead-letters", RECORD.key, RECORD.value)
    assert (copy.is_copy, copy.id, copy.tenant, copy.time) == (True, LETTER.id, LETTER.tenant, AT)
    headers = unpack_headers(copy.headers)
    assert headers[0] == ("trace", b"\xff\x00")
    assert dict(headers[1:]) == {
        "dead_letter_consumer": b"ingest",
        "dead_letter_class": b"bug",
        "dead_letter_error": b"KeyError: 'a'\n  line 3",
        "dead_letter_topic": b"headrace.jobs",
        "dead_letter_partition": b"3",
        "dead_letter_offset": b"41",
        "dead_letter_attempts": b"3",
    }


def test_a_tombstone_stays_one() -> None:
    copy = letter(record=replace(RECORD, key=None, value=None)).copy(AT)
    assert (copy.key, copy.value) == (None, None)


@pytest.mark.parametrize(
    ("size", "whole"), [(MOST_COPY_BYTES - 4096, True), (MOST_COPY_BYTES + 1, False)]
)
def test_a_large_record_is_copied_without_its_value(size: int, whole: bool) -> None:
    assert (letter(record=replace(RECORD, value=b"v" * size)).copy(AT).value is not None) is whole


@pytest.mark.parametrize(
    "value", [None, b"", b"v" * (700 << 10), b"v" * MOST_COPY_BYTES, b"v" * (1 << 20)]
)
@pytest.mark.parametrize("key", [None, b"k" * (300 << 10), b"k" * (1 << 20)])
@pytest.mark.parametrize("header", [b"", b"\xff" * (300 << 10), b"h" * (1 << 20)])
def test_a_copy_always_fits_on_the_topic(
    value: bytes | None, key: bytes | None, header: bytes
) -> None:
    # One that does not fit would stop the relay for good.
    record = replace(RECORD, key=key, value=value, headers=(("big", header),))
    copy = letter("e" * 9000, record=record).copy(AT)
    headers = unpack_headers(copy.headers)
    size = sum(len(name.encode()) + len(one) + 10 for name, one in headers)
    total = size + len(copy.key or b"") + len(copy.value or b"")
    assert total < MOST_RECORD_BYTES
    assert dict(headers)["dead_letter_offset"] == b"41"
