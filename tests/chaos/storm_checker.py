"""What senders of webhooks know, held against everything that is there afterwards: pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

Kind = Literal[
    "lost",
    "phantom",
    "duplicate effect",
    "reordered",
    "body altered",
    "billing difference",
    "left over",
]


@dataclass(slots=True)
class Sent:
    """One message, as its sender knows it.

    The times are of one clock that never gives two the same.
    """

    source: str
    number: int
    digest: bytes
    sent: int
    """When the first byte of its first delivery left."""
    answered: int | None = None
    """When its first 202 was read; None when no answer ever came: it may be there, once, or not."""
    events: tuple[str, ...] = ()
    """The events that its answers named: one, however often it was sent."""


@dataclass(frozen=True, slots=True)
class Appearance:
    """An event where it was found: on the topic, in the log, or as a stored request."""

    source: str
    event: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class Billed:
    """A usage record of webhooks."""

    source: str
    quantity: Decimal
    events: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """Everything that is there when all is quiet; `shown` is what the usage view says of all of
    it.
    """

    topic: Sequence[Appearance]
    log: Sequence[Appearance]
    requests: Sequence[Appearance]
    bills: Sequence[Billed]
    shown: Decimal
    left_over: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken promise."""

    kind: Kind
    what: str


def check(sent: Iterable[Sent], found: Found) -> list[Violation]:
    """Every violation; none when all promises were kept."""
    known = {one.digest: one for one in sent}
    told = {event: one for one in known.values() for event in one.events}
    return [
        *_identities(known.values()),
        *(
            violation
            for where in ("topic", "log", "requests")
            for violation in _there(known, told, found, where)
        ),
        *_order(known, found.topic, "topic"),
        *_order(known, found.log, "log"),
        *_once(found.log, "log"),
        *_once(found.requests, "requests"),
        *_billing(found),
        *(
            Violation("left over", f"{count} {what}")
            for what, count in found.left_over.items()
            if count
        ),
    ]


def _name(one: Sent) -> str:
    return f"message {one.number} of {one.source}"


def _identities(sent: Iterable[Sent]) -> Iterator[Violation]:
    for one in sent:
        if len(one.events) > 1:
            yield Violation(
                "duplicate effect", f"{_name(one)} was told as the events {', '.join(one.events)}"
            )


def _there(
    known: Mapping[bytes, Sent], told: Mapping[str, Sent], found: Found, where: str
) -> Iterator[Violation]:
    """Each event that was told is there, with the body that was sent.

    And nothing that nobody sent.
    """
    there: Sequence[Appearance] = getattr(found, where)
    events: dict[bytes, set[str]] = {}
    for one in {one.event: one for one in there}.values():
        message = known.get(one.digest)
        if message is None or message.source != one.source:
            if one.event in told:
                yield Violation(
                    "body altered",
                    f"in the {where} {_name(told[one.event])} has another body or source",
                )
            else:
                yield Violation(
                    "phantom", f"event {one.event} of {one.source} in the {where} was never sent"
                )
        else:
            events.setdefault(one.digest, set()).add(one.event)
    for digest, of_one in events.items():
        if len(of_one | set(known[digest].events)) > 1:
            yield Violation(
                "duplicate effect", f"in the {where} {_name(known[digest])} is {sorted(of_one)}"
            )
    ids = {one.event for one in there}
    for event, message in told.items():
        if event not in ids:
            yield Violation("lost", f"{_name(message)} was answered and is not in the {where}")


def _order(
    known: Mapping[bytes, Sent], seen: Sequence[Appearance], where: str
) -> Iterator[Violation]:
    """What was answered before another was sent comes before it: first appearances, source by
    source.
    """
    met: set[str] = set()
    latest: dict[str, Sent] = {}
    for one in seen:
        message = known.get(one.digest)
        if one.event in met or message is None:
            continue
        met.add(one.event)
        before = latest.get(one.source)
        if before is not None and message.answered is not None and message.answered < before.sent:
            yield Violation(
                "reordered", f"in the {where} {_name(message)} comes after {before.number}"
            )
        if before is None or message.sent > before.sent:
            latest[one.source] = message


def _once(rows: Sequence[Appearance], where: str) -> Iterator[Violation]:
    """The topic may hold copies of an event; a table may not."""
    for event, times in Counter(one.event for one in rows).items():
        if times > 1:
            yield Violation("duplicate effect", f"{event} is {times} times in the {where}")


def _billing(found: Found) -> Iterator[Violation]:
    """Each event of the log stands on one record of its source, and the view has their sum."""
    source_of = {one.event: one.source for one in found.log}
    billed = Counter(event for bill in found.bills for event in bill.events)
    for bill in found.bills:
        if bill.quantity != len(bill.events):
            yield Violation(
                "billing difference", f"{bill.quantity} billed for {len(bill.events)} webhooks"
            )
        if any(source_of.get(event) not in (None, bill.source) for event in bill.events):
            yield Violation(
                "billing difference",
                f"a record of {bill.source} stands on another source's webhooks",
            )
    for event in source_of.keys() - billed.keys():
        yield Violation("billing difference", f"{event} is not billed")
    for event, times in billed.items():
        if times > 1 or event not in source_of:
            yield Violation("billing difference", f"{event} is billed {times} times")
    if found.shown != len(source_of):
        yield Violation(
            "billing difference", f"the usage view says {found.shown} of {len(source_of)} webhooks"
        )
