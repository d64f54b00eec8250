"""Which events are so old that what consumers have had of their time is no longer kept: pure."""

from collections.abc import Sequence
from datetime import datetime

from consumers.dead_letters.dead_letter import DeadLetter
from consumers.log.batch_decode import Message, letter_of
from schemas.ids import first_at

TOO_OLD = "too_old"


def without_too_old(
    messages: Sequence[Message], consumer: str, since: datetime
) -> tuple[Sequence[Message], list[DeadLetter]]:
    """Return the messages that can be deduplicated, and dead letters of the others.

    A copy of an event whose row in `processed` is deleted would have its effect twice.
    """
    oldest = first_at(int(since.timestamp() * 1000)).int
    if all(one.event.id.int >= oldest for one in messages):
        return messages, []
    why = (
        f"the event is from before {since:%Y-%m-%d %H:%M} UTC: what {consumer} applied of that "
        "time is no longer "
        "known; replay it only if it has had no effect yet"
    )
    old = [letter_of(one, consumer, TOO_OLD, why) for one in messages if one.event.id.int < oldest]
    return [one for one in messages if one.event.id.int >= oldest], old
