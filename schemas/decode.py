"""Records become events, or the reason why not."""

from schemas.event import Event, Undecodable, decode
from schemas.record import Record
from schemas.topics import PAYLOADS, TOPIC_OF


def read(record: Record, topic_prefix: str = "") -> Event:
    """The event in a record, on its own topic and under its own key; raises Undecodable."""
    event = decode(record.value, record.headers, PAYLOADS)
    topic = record.topic.removeprefix(topic_prefix)
    if TOPIC_OF[event.type] != topic:
        raise Undecodable(f"{event.type} does not belong on {topic}")
    if record.key != event.key:
        raise Undecodable(f"the key {record.key!r:.100} is not the event's {event.key!r}")
    return event
