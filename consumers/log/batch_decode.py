"""A delivery sorted out: the messages to handle, and the dead letters among the rest."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from consumers.dead_letters.dead_letter import OPERATOR, DeadLetter
from consumers.log.pacing import Pace
from schemas.decode import read_whole
from schemas.event import Event
from schemas.event_decode import FromNewer, Undecodable
from schemas.record import Record

SORTED_AT_ONCE = 10


@dataclass(frozen=True, slots=True)
class Message:
    """An event and the record that it came in."""

    record: Record
    event: Event


class Condemned(NamedTuple):
    """Why a record is given up: the class, the reason, how often it was tried; a bug's stack.

    One that must not even be read is `unread`: its dead letter is nobody's, so the operator's.
    """

    error_class: str
    error: str
    attempts: int
    unread: bool = False
    stack: str | None = None


def decode_batch(
    records: Sequence[Record],
    consumer: str,
    wanted: frozenset[str],
    prefix: str = "",
    condemned: Condemned | None = None,
) -> tuple[list[Message], list[DeadLetter]]:
    """The messages of the wanted types, and the dead letters among the rest.

    What a newer producer wrote is parked when its type is wanted, to be replayed after the upgrade,
    else passed over.
    """
    messages: list[Message] = []
    dead_letters: list[DeadLetter] = []
    if condemned is not None and condemned.unread:
        return messages, [
            DeadLetter(one, consumer, OPERATOR, None, *condemned[:3]) for one in records
        ]
    for record in records:
        try:
            event = read_whole(record, prefix)
        except FromNewer as error:
            if error.kind in wanted:
                dead_letters.append(
                    DeadLetter(record, consumer, OPERATOR, None, "unknown_version", str(error), 1)
                )
            continue
        except Undecodable as error:
            dead_letters.append(
                DeadLetter(record, consumer, OPERATOR, None, "undecodable", str(error), 1)
            )
            continue
        if event.type in wanted:
            messages.append(Message(record, event))
    return messages, dead_letters


async def sort_out_in_turns(
    records: Sequence[Record], consumer: str, wanted: frozenset[str], prefix: str
) -> tuple[list[Message], list[DeadLetter]]:
    """Sort out a few records at a time, and let the loop turn: a wide one takes milliseconds."""
    messages: list[Message] = []
    dead_letters: list[DeadLetter] = []
    pace = Pace()
    for start in range(0, len(records), SORTED_AT_ONCE):
        found = decode_batch(records[start : start + SORTED_AT_ONCE], consumer, wanted, prefix)
        messages += found[0]
        dead_letters += found[1]
        await pace.turn()
    return messages, dead_letters


def letter_of(
    message: Message,
    consumer: str,
    error_class: str,
    error: str,
    attempts: int = 1,
    stack: str | None = None,
) -> DeadLetter:
    """A dead letter of an event that could be read: its tenant's."""
    tenant: UUID = message.event.tenantid
    return DeadLetter(
        message.record, consumer, tenant, message.event.id, error_class, error, attempts, stack
    )


def condemned_letters(
    messages: Sequence[Message], consumer: str, condemned: Condemned
) -> list[DeadLetter]:
    """Dead letters of messages that are given up for one reason."""
    given = (condemned.error_class, condemned.error, condemned.attempts, condemned.stack)
    return [letter_of(one, consumer, *given) for one in messages]


def first_of_each(messages: Sequence[Message]) -> list[Message]:
    """The relay's copies can stand in one poll: the first counts."""
    seen: dict[UUID, Message] = {}
    for one in messages:
        seen.setdefault(one.event.id, one)
    return list(seen.values())
