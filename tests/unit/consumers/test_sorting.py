"""A delivery is sorted out: what is wanted, what is passed over, and what nobody can read."""

from dataclasses import replace
from uuid import uuid4

from consumers.dead_letters.dead_letter import OPERATOR
from consumers.log.batch_decode import Message, decode_batch, letter_of
from schemas.event import Event
from schemas.jobs import JobCancelRequested, JobRequested
from tests.factories import door_event, record_of

JOB = uuid4()
WANTED = frozenset({"job.requested"})


def requested() -> Event:
    return door_event(
        JobRequested(job_id=JOB, kind="train", dataset_id=uuid4(), target="t", model="m"), JOB
    )


def test_wanted_messages_keep_their_order_and_others_are_passed_over() -> None:
    one, other = requested(), requested()
    canceled = door_event(JobCancelRequested(job_id=JOB, reason="r"), JOB)
    records = [record_of(event, offset) for offset, event in enumerate((one, canceled, other))]
    messages, letters = decode_batch(records, "ingest", WANTED)
    assert messages == [Message(records[0], one), Message(records[2], other)]
    assert letters == []


def test_what_cannot_be_read_is_the_operators_letter_and_stops_nothing() -> None:
    good = record_of(requested(), 8)
    bad = replace(good, value=b"{", offset=7)
    messages, letters = decode_batch([bad, good], "ingest", WANTED)
    assert [one.record.offset for one in messages] == [8]
    (letter,) = letters
    assert (letter.record, letter.consumer, letter.tenant, letter.event_id) == (
        bad,
        "ingest",
        OPERATOR,
        None,
    )
    assert (letter.error_class, letter.attempts) == ("undecodable", 1)
    assert "not JSON" in letter.error


def test_the_prefix_of_the_topics_is_seen_through() -> None:
    record = record_of(requested(), prefix="blue.")
    assert len(decode_batch([record], "ingest", WANTED, "blue.")[0]) == 1
    assert len(decode_batch([record], "ingest", WANTED)[1]) == 1


def test_an_unwanted_type_on_the_wrong_topic_is_still_poison() -> None:
    record = replace(record_of(requested()), topic="headrace.models")
    assert len(decode_batch([record], "ingest", frozenset())[1]) == 1


def test_a_letter_of_an_event_is_its_tenants() -> None:
    event = requested()
    letter = letter_of(Message(record_of(event), event), "training", "bug", "KeyError: 'a'", 3)
    assert (letter.tenant, letter.event_id, letter.attempts) == (event.tenantid, event.id, 3)
    assert (letter.consumer, letter.error_class, letter.error) == (
        "training",
        "bug",
        "KeyError: 'a'",
    )
