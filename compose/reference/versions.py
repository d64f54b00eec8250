"""Every version of every event that is published, with its example."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import schemas
from schemas.event import Headers
from schemas.event_decode import decode
from schemas.payload import Payload
from schemas.topics import PAYLOADS, TOPIC_OF, TOPICS, Topic
from schemas.upcasters import FORMERS

EXAMPLES = Path(schemas.__path__[0]) / "examples"
TOPIC = {topic.name: topic for topic in TOPICS}


@dataclass(frozen=True)
class Version:
    """One version of one event type; `is_current` when it is still written."""

    payload: type[Payload]
    is_current: bool = True

    @property
    def type(self) -> str:
        return self.payload.TYPE

    @property
    def name(self) -> str:
        """Type and version: the name of its files, and of its message."""
        return f"{self.type}.v{self.payload.VERSION}"

    @property
    def topic(self) -> Topic:
        """The topic that events of this type are published to."""
        return TOPIC[TOPIC_OF[self.type]]

    @property
    def about(self) -> str:
        """What it says, in one line."""
        return " ".join((self.payload.__doc__ or "").split())

    def example(self) -> tuple[dict[str, Any], Headers]:
        """A record's value and headers, with all that was added to the version since."""
        value = fullest(EXAMPLES / short(self.topic), self.name).read_bytes()
        event = decode(value, (), {self.type: self.payload}, {})
        return json.loads(value), event.headers()


def fullest(folder: Path, name: str) -> Path:
    """A version's example with the most fields: `job.queued.v1-a.json` adds to
    `job.queued.v1.json`.
    """
    found = sorted([folder / f"{name}.json", *folder.glob(f"{name}-*.json")])
    return max(found, key=lambda path: len(_places(json.loads(path.read_bytes()))))


def _places(value: Any, place: str = "") -> set[str]:
    """Where a document has a value; the elements of a list are one place."""
    if isinstance(value, dict):
        return {place}.union(*(_places(one, f"{place}.{name}") for name, one in value.items()))
    if isinstance(value, list):
        return {place}.union(*(_places(one, f"{place}[]") for one in value))
    return {place}


CURRENT = tuple(Version(PAYLOADS[kind]) for kind in PAYLOADS)
VERSIONS = (*CURRENT, *(Version(one.payload, is_current=False) for one in FORMERS.values()))


def short(topic: Topic) -> str:
    """A topic's name without what all have in common."""
    return topic.name.removeprefix("headrace.")
