"""A heavy delivery is cut into parts that cover it without gap; a light one stays whole."""

from dataclasses import replace
from itertools import pairwise
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from consumers.log.batch_decode import decode_batch
from consumers.log.parts import Part, held_with_the_rest, parts_of
from schemas.record import PartlyPaused, PausedPartition, PollBatch, Record, Span
from schemas.webhooks import WebhookReceived
from tests.factories import door_event, record_of

WANTED = frozenset({WebhookReceived.TYPE})


def record(partition: int, offset: int, size_bytes: int) -> Record:
    """Nobody can read it; it weighs what it says."""
    return Record("headrace.webhooks", partition, offset, None, b"x" * size_bytes, (), 0)


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 50)), min_size=1, max_size=40),
    st.integers(1, 200),
)
def test_every_record_is_in_one_part_and_the_spans_follow_one_another(
    given_records: list[tuple[int, int]], most: int
) -> None:
    records = tuple(
        record(partition, offset * 2, size)  # gaps, as control records leave
        for offset, (partition, size) in enumerate(sorted(given_records, key=lambda one: one[0]))
    )
    spans = tuple(
        Span("headrace.webhooks", partition, mine[0].offset - 1, mine[-1].offset + 2)
        for partition in range(3)
        if (mine := [one for one in records if one.partition == partition])
    )
    delivery = PollBatch(records, spans)
    parts = parts_of(delivery, *decode_batch(records, "ingest", WANTED), most)
    assert [one for part in parts for one in part.records] == list(records)
    assert [one.record for part in parts for one in part.letters] == list(records)
    for span in spans:
        covered = [one for part in parts for one in part.spans if one.partition == span.partition]
        assert (covered[0].start, covered[-1].next) == (span.start, span.next)
        assert all(one.next == other.start for one, other in pairwise(covered))
    for part in parts:
        assert len(part.records) == 1 or sum(len(one.value or b"") for one in part.records) <= most
        assert {one.partition for one in part.spans} == {one.partition for one in part.records}


def test_a_body_that_stands_elsewhere_has_its_weight() -> None:
    data = WebhookReceived(
        request_id=uuid4(),
        source_id=uuid4(),
        source_name="ci",
        scheme="github",
        external_id=None,
        content_type="application/json",
        size_bytes=1 << 20,
        sha256="00",
        body_encoding="reference",
        body=None,
    )
    event = record_of(door_event(data, data.source_id))
    records = tuple(replace(event, offset=offset) for offset in range(10))
    delivery = PollBatch(records, (Span(event.topic, 0, 0, 10),))
    assert [
        len(part.records) for part in parts_of(delivery, *decode_batch(records, "ingest", WANTED))
    ] == [3, 3, 3, 1]


def test_what_was_not_tried_comes_again_at_once() -> None:
    """Of three partitions one waits in the first part, one ends in it, and one was not reached."""
    topic = "headrace.webhooks"
    delivery = PollBatch((), tuple(Span(topic, partition, 0, 4) for partition in range(3)))
    part = Part(spans=[Span(topic, 0, 0, 2), Span(topic, 1, 0, 4)])
    became = held_with_the_rest(
        PartlyPaused((PausedPartition(topic, 0, 1, 0.4),)), delivery, [part]
    )
    assert became.holds == (PausedPartition(topic, 0, 1, 0.4), PausedPartition(topic, 2, 0, 0.0))
