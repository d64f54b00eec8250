"""Metering by those who have the effect: a record in the transaction of what it bills."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from consumers.billing import store
from consumers.billing.record import UsageRecord
from schemas.event import Cause, Event
from schemas.usage import Meter

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection


async def record(
    tx: "AsyncConnection",
    cause: Cause,
    *,
    record_key: str,
    meter: Meter,
    quantity: Decimal,
    subject: str,
    at: datetime,
) -> Sequence[Event]:
    """Write one record standing on the event `cause`.

    The events to append (none when it is known already).
    """
    one = UsageRecord(cause, record_key, meter, quantity, at, subject, (cause.id,))
    return [new.event(at) for new in await store.write(tx, [one])]
