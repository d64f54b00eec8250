"""Records become events, or the reason why not."""

from schemas.event import Event
from schemas.event_decode import Undecodable, decode
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


REQUIRED = ("ce_id", "ce_type", "ce_source", "ce_tenantid")


def read_whole(record: Record, topic_prefix: str = "") -> Event:
    """As `read`, for a record that must stand on Kafka as we write it: others filter by its
    headers.
    """
    event = read(record, topic_prefix)
    names = {name for name, _ in record.headers}
    for name in REQUIRED:
        if name not in names:
            raise Undecodable(f"header {name} is missing")
    return event
