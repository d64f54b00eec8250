"""A delivery in parts: what one transaction takes is bounded in bytes, whatever a poll brings."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from consumers.dead_letters.dead_letter import DeadLetter
from consumers.log.batch_decode import Message
from schemas.record import PartlyPaused, PausedPartition, PollBatch, Record, Span, event_id_of
from schemas.webhooks import WebhookReceived

MOST_PART_BYTES = 4 << 20


@dataclass(slots=True)
class Part:
    """Records of a delivery that follow one another, decoded."""

    records: list[Record] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)


def parts_of(
    delivery: PollBatch,
    messages: list[Message],
    letters: list[DeadLetter],
    most_bytes: int = MOST_PART_BYTES,
) -> list[Part]:
    """The delivery whole when it is light, as nearly all are.

    Else in its order, each part of about `most_bytes`.
    """
    apart = sum(_apart(one) for one in messages)
    if apart + sum(len(one.value or b"") for one in delivery.records) <= most_bytes:
        return [Part(list(delivery.records), list(delivery.spans), messages, letters)]
    by_record = {id(one.record): one for one in messages}
    condemned = {id(one.record): one for one in letters}
    parts, weight = [Part()], 0
    for record in delivery.records:
        message = by_record.get(id(record))
        own = len(record.value or b"") + (_apart(message) if message else 0)
        if parts[-1].records and weight + own > most_bytes:
            parts.append(Part())
            weight = 0
        weight += own
        parts[-1].records.append(record)
        parts[-1].messages += [message] if message else []
        parts[-1].letters += [condemned[id(record)]] if id(record) in condemned else []
    _span(parts, delivery.spans)
    return parts


def held_with_the_rest(
    became: PartlyPaused, delivery: PollBatch, applied: Sequence[Part]
) -> PartlyPaused:
    """What waits, and what of the delivery was not tried yet: that comes again at once."""
    holds = {(one.topic, one.partition): one for one in became.holds}
    done = {(span.topic, span.partition): span.next for part in applied for span in part.spans}
    for span in delivery.spans:
        place = (span.topic, span.partition)
        begin = done.get(place, span.start)
        if place not in holds and begin < span.next:
            holds[place] = PausedPartition(*place, begin, 0.0)
    return PartlyPaused(tuple(holds.values()))


def _apart(message: Message) -> int:
    """The bytes that the handler fetches for a message."""
    data = message.event.data
    return (
        data.size_bytes
        if isinstance(data, WebhookReceived) and data.body_encoding == "reference"
        else 0
    )


def _span(parts: Sequence[Part], spans: Sequence[Span]) -> None:
    """Each part covers its partitions from where the one before ended.

    The last of a partition ends as the delivery.
    """
    for span in spans:
        begin = span.start
        last = [(part, one) for part in parts if (one := _last_record(part, span)) is not None]
        for part, record in last:
            after = span.next if part is last[-1][0] else record.offset + 1
            last_id = event_id_of(record.headers)
            part.spans.append(Span(span.topic, span.partition, begin, after, last_id))
            begin = after


def _last_record(part: Part, span: Span) -> Record | None:
    place = (span.topic, span.partition)
    own = (one for one in part.records if (one.topic, one.partition) == place)
    return max(own, key=lambda one: one.offset, default=None)
