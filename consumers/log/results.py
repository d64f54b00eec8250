"""What became of a delivery's records, as the breaker counts it."""

from collections.abc import Sequence
from uuid import UUID

from consumers.dead_letters.dead_letter import OPERATOR, DeadLetter
from consumers.log.batch_decode import Message
from consumers.log.circuit_breaker.policy import COUNTED, Result
from schemas.record import Record


def results_of(
    records: Sequence[Record], handled: Sequence[Message], letters: Sequence[DeadLetter]
) -> list[Result]:
    """Of each record that was handled or given up, whether it went well, as far as the breaker
    is concerned.
    """
    if not letters:
        return [(True, one.event.tenantid) for one in handled]
    owners: dict[tuple[str, int, int], UUID | None] = {
        _place(one.record): one.event.tenantid for one in handled
    }
    counted = [one for one in letters if one.error_class in COUNTED]
    owners |= {
        _place(one.record): None if one.tenant == OPERATOR else one.tenant for one in counted
    }
    bad = {_place(one.record) for one in counted}
    return [
        (_place(one) not in bad, owners[_place(one)]) for one in records if _place(one) in owners
    ]


def _place(record: Record) -> tuple[str, int, int]:
    return record.topic, record.partition, record.offset
