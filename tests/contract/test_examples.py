"""Golden examples: an envelope per event type and version, as it stands on Kafka.

Once published none is changed.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

import schemas
from compose.reference.versions import fullest
from schemas.decode import read
from schemas.event import Event
from schemas.event_decode import Undecodable
from schemas.payload import Payload
from schemas.record import Record
from schemas.topics import PAYLOADS, TOPIC_OF, TOPICS
from schemas.upcasters import FORMERS
from tests.contract.golden import Golden

EXAMPLES = Path(schemas.__path__[0]) / "examples"
TYPES = sorted(PAYLOADS)
GOLDEN = Golden(EXAMPLES, PAYLOADS, FORMERS)


def place_of(kind: str) -> Path:
    topic = TOPIC_OF[kind].removeprefix("headrace.")
    return fullest(EXAMPLES / topic, f"{kind}.v{PAYLOADS[kind].VERSION}")


def example(kind: str) -> dict[str, Any]:
    found = json.loads(place_of(kind).read_text())
    assert isinstance(found, dict)
    return found


def decoded(kind: str, envelope: dict[str, Any]) -> Event:
    key = f"{envelope['tenantid']}:{envelope['subject']}".encode()
    return read(Record(TOPIC_OF[kind], 0, 0, key, json.dumps(envelope).encode(), (), 0))


def stands(kind: str, envelope: dict[str, Any]) -> bool:
    """Whether an envelope is exactly what we would write."""
    try:
        return bool(json.loads(decoded(kind, envelope).encode()) == envelope)
    except Undecodable:
        return False


@pytest.mark.parametrize("kind", TYPES)
def test_an_example_is_read_and_written_again_the_same(kind: str) -> None:
    envelope = example(kind)
    event = decoded(kind, envelope)
    assert type(event.data) is PAYLOADS[kind]
    assert json.loads(event.encode()) == envelope


@pytest.mark.parametrize("kind", TYPES)
def test_the_headers_of_an_example_agree_with_it(kind: str) -> None:
    envelope = example(kind)
    event = decoded(kind, envelope)
    record = Record(TOPIC_OF[kind], 0, 0, event.key, event.encode(), event.headers(), 0)
    assert read(record) == event
    headers = {name: value.decode() for name, value in event.headers()}
    assert (headers["ce_type"], headers["ce_time"]) == (
        kind,
        event.time.isoformat().replace("+00:00", "Z"),
    )
    assert headers["content-type"] == "application/cloudevents+json"


@pytest.mark.parametrize("kind", TYPES)
def test_every_field_of_a_payload_is_guarded_by_its_example(kind: str) -> None:
    # Rename, add or drop a field of a model, and its example no longer stands: this shows that for
    # each field.
    envelope = example(kind)
    fields = PAYLOADS[kind].model_fields
    assert set(envelope["data"]) == {
        field.serialization_alias or name for name, field in fields.items()
    }
    for name in envelope["data"]:
        renamed = {
            key if key != name else f"{key}_x": value for key, value in envelope["data"].items()
        }
        assert not stands(kind, {**envelope, "data": renamed}), name


@pytest.mark.parametrize("kind", TYPES)
def test_an_example_is_realistic(kind: str) -> None:
    envelope = example(kind)
    optional = {"column", "body"}
    missing = [
        name for name, value in envelope["data"].items() if value is None and name not in optional
    ]
    assert missing == []
    assert envelope["traceparent"]
    assert (envelope["causationid"] is None) == (envelope["correlationid"] == envelope["id"])


def test_every_version_has_its_example_and_its_way_to_the_current_one() -> None:
    assert GOLDEN.gaps() == []


def test_a_published_example_never_changes() -> None:
    assert GOLDEN.changes() == []


@pytest.mark.parametrize(
    "path", [path for _, _, path in GOLDEN.files()], ids=lambda path: path.name
)
def test_every_example_is_lifted_to_a_current_event(path: Path) -> None:
    event = GOLDEN.lifted(path)
    assert type(event.data) is PAYLOADS[event.type]
    assert path.parent == EXAMPLES / TOPIC_OF[event.type].removeprefix("headrace.")
    assert decoded(event.type, json.loads(event.encode())) == event


def test_every_payload_class_stands_on_one_topic() -> None:
    classes = {one for one in Payload.__subclasses__() if one.__module__.startswith("schemas.")}
    carried = [payload for topic in TOPICS for payload in topic.events]
    assert classes == {*carried, *(one.payload for one in FORMERS.values())}
    assert len(carried) == len(set(carried)) == len(PAYLOADS)


@pytest.mark.parametrize("kind", TYPES)
def test_a_payload_can_be_described(kind: str) -> None:
    described = TypeAdapter(PAYLOADS[kind]).json_schema(mode="serialization")
    assert set(described["properties"]) == set(example(kind)["data"])
