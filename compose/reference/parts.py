"""Who sends and who receives what: producers, consumers and projections in one list."""

from dataclasses import dataclass

from compose.consumer_groups import VIEWS, group_of
from consumers.registry import CONSUMERS
from producers.registry import PRODUCERS
from projections.reading import consumer_of
from schemas.topics import TOPIC_OF, TOPICS


@dataclass(frozen=True)
class Part:
    """One part of Headrace, and the types that go into it and come out of it."""

    name: str
    does: str
    reads: frozenset[str] = frozenset()
    emits: frozenset[str] = frozenset()
    group: str | None = None

    @property
    def parks(self) -> bool:
        """Whether it writes the topic of dead letters: every consumer does, and no projection."""
        return self.name.startswith("consumers/")


def _said(view: object) -> str:
    text = (type(view).__doc__ or "").rstrip(".")
    return text[:1].lower() + text[1:]


PARTS = (
    *(
        Part(
            f"producers/{one.name}",
            one.does,
            emits=frozenset(payload.TYPE for payload in one.emits),
        )
        for one in PRODUCERS
    ),
    *(
        Part(
            f"consumers/{one.name}",
            one.does,
            one.wanted,
            frozenset(payload.TYPE for payload in one.emits),
            group_of(one.name),
        )
        for one in CONSUMERS
    ),
    *(
        Part(f"projections/{name}", _said(view), view.wanted, group=group_of(consumer_of(name)))
        for name, view in VIEWS.items()
    ),
)


def on_topics(types: frozenset[str]) -> list[str]:
    """The topics that these types stand on, in the order of the list."""
    found = {TOPIC_OF[kind] for kind in types}
    return [topic.name for topic in TOPICS if topic.name in found]
