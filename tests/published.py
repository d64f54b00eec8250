"""The published contract, asked of every record that the tests produce: value, headers, key,
tenant, partition.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

import asyncpg
import jsonschema_rs
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from compose.kafka.log import partition_of
from compose.reference.headers import KEY, dead_letter_headers, event_headers
from compose.reference.jsonschemas import record
from compose.reference.versions import VERSIONS
from schemas.event import Headers
from schemas.log import unpack_headers
from schemas.topics import DEAD_LETTERS, TOPICS

ADDED = len(dead_letter_headers()["required"])
REPEATED = {
    "ce_id": "id",
    "ce_type": "type",
    "ce_source": "source",
    "ce_time": "time",
    "ce_tenantid": "tenantid",
}
NONE: Mapping[str, int] = MappingProxyType({})


class Produced(NamedTuple):
    """One record; `partition` and `offset` when it stands on Kafka."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers
    partition: int | None = None
    offset: int | None = None


Places = dict[tuple[str, int | None, int | None], Produced]


def strict(schema: dict[str, Any]) -> jsonschema_rs.Validator:
    """A schema that also refuses what it does not name: readers pass over that, writers must not
    write it.
    """
    return jsonschema_rs.validator_for(_closed(schema), validate_formats=True)


def _closed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {name: _closed(one) for name, one in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        inner.setdefault("additionalProperties", False)
    return inner


@cache
def _records() -> dict[tuple[str, str], jsonschema_rs.Validator]:
    return {
        (one.topic.name, f"urn:headrace:{one.type}:v{one.payload.VERSION}"): strict(record(one))
        for one in VERSIONS
    }


@cache
def _headers(kind: str | None) -> jsonschema_rs.Validator:
    return strict(dead_letter_headers() if kind is None else event_headers(kind))


_KEY = jsonschema_rs.validator_for(KEY)


def violations(
    produced: Iterable[Produced], prefix: str = "", grown: Mapping[str, int] = NONE
) -> Iterator[str]:
    """What does not satisfy the published contract, a line each; `grown` topics have more
    partitions.
    """
    known = list(produced)
    places: Places = {
        (one.topic, one.partition, one.offset): one for one in known if one.offset is not None
    }
    for one in known:
        name = one.topic.removeprefix(prefix)
        try:
            if name == DEAD_LETTERS.name:
                _check_letter(one, places)
            else:
                _check_event(one, name, grown)
        except (jsonschema_rs.ValidationError, ValueError, RecursionError, AssertionError) as error:
            yield f"{one.topic}[{one.partition}]@{one.offset}: {error} in {(one.value or b'')[:200]!r}"[
                :700
            ]


def _check_event(one: Produced, topic: str, grown: Mapping[str, int]) -> None:
    value = json.loads(one.value or b"")
    assert isinstance(value, dict), "not an object"
    schema = _records().get((topic, str(value.get("dataschema"))))
    assert schema is not None, f"no published version of {topic}"
    schema.validate(value)
    headers = _texts(one.headers)
    _headers(value["type"]).validate(headers)
    for header, field in REPEATED.items():
        assert headers[header] == value[field], f"{header} is not {field}"
    assert headers.get("traceparent") == value["traceparent"], "traceparent is not the event's"
    key = (one.key or b"").decode()
    _KEY.validate(key)
    assert key == f"{value['tenantid']}:{value['subject']}", f"the key is {key}"
    if one.partition is not None:
        (published,) = (known.partitions for known in TOPICS if known.name == topic)
        allowed = {
            partition_of(one.key, count) for count in (published, grown.get(topic, published))
        }
        assert one.partition in allowed, "not the partition of its key"


def _check_letter(one: Produced, places: Places) -> None:
    """The added headers are the last ones.

    The rest is the original, byte for byte, where it can be looked up.
    """
    added = _texts(one.headers[-ADDED:])
    _headers(None).validate(added)
    place = (
        added["dead_letter_topic"],
        int(added["dead_letter_partition"]),
        int(added["dead_letter_offset"]),
    )
    original = places.get(place)
    if original is not None:
        assert one.value in (original.value, None), "not the bytes of the original"
        headers = tuple(
            (name, value or b"") for name, value in original.headers
        )  # null, as some clients send
        assert one.value is None or (one.key, one.headers[:-ADDED]) == (original.key, headers), (
            "another key or header"
        )


def _texts(headers: Headers) -> dict[str, str]:
    assert len({name for name, _ in headers}) == len(headers), "a header stands there twice"
    assert all(value is not None for _, value in headers), "a header without a value"
    return {name: value.decode() for name, value in headers}


async def in_the_log(connection: asyncpg.Connection) -> list[Produced]:
    """Every record of a database's log: what Kafka gets, whether or not it got there."""
    rows = await connection.fetch("SELECT topic, key, value, headers FROM events")
    return [
        Produced(row["topic"], row["key"], row["value"], unpack_headers(row["headers"]))
        for row in rows
    ]


async def on_kafka(
    bootstrap: str, prefix: str = "", grown: Mapping[str, int] = NONE
) -> list[Produced]:
    """Every record of our topics with this prefix."""
    counts = {topic.name: topic.partitions for topic in TOPICS} | dict(grown)
    places = [
        TopicPartition(prefix + name, number)
        for name, count in counts.items()
        for number in range(count)
    ]
    found: list[Produced] = []
    # Topics named here are known at the first answer, and the last fetch does not wait for more:
    # 0.03 s, not 0.7.
    async with AIOKafkaConsumer(
        *{place.topic for place in places},
        bootstrap_servers=bootstrap,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=5,
    ) as consumer:
        ends = {place: end for place, end in (await consumer.end_offsets(places)).items() if end}
        while any([await consumer.position(place) < end for place, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=1000)).values():
                found += [
                    Produced(
                        one.topic, one.key, one.value, tuple(one.headers), one.partition, one.offset
                    )
                    for one in records
                ]
    return found


def check_topics(bootstrap: str, grown: Mapping[str, int] = NONE) -> None:
    """Every record that a stack of its own has produced satisfies the contract, and there are
    some.
    """
    produced = asyncio.run(on_kafka(bootstrap, grown=grown))
    assert produced
    assert list(violations(produced, grown=grown))[:5] == []
    COUNTED["satisfied"] += len(produced)


class Verdict:
    """What one test produced, against the contract.

    A test that is marked `foreign` must have broken it somewhere.
    """

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._foreign = request.node.get_closest_marker("foreign") is not None
        self._broken = 0

    def on(self, produced: list[Produced], prefix: str = "") -> None:
        """Fails when a record breaks the contract, unless the test says that it writes such
        records.
        """
        found = list(violations(produced, prefix))
        self._broken += len(found)
        COUNTED["satisfied"] += len(produced) - len(found)
        COUNTED["foreign" if self._foreign else "broken"] += len(found)
        assert self._foreign or not found, "the published contract is broken:\n" + "\n".join(
            found[:5]
        )

    def end(self) -> None:
        """Fails when the mark is there for nothing."""
        assert self._broken or not self._foreign, (
            "marked `foreign`, and every record satisfied the contract"
        )


COUNTED: Counter[str] = Counter()
"""How many records of this run were asked, and how many of them broke the contract on purpose."""
