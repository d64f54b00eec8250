"""Real inputs: data sets as scikit-learn ships them, events as the door writes them."""

import csv
import io
import os
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from schemas.event import Event, first
from schemas.ids import uuid7
from schemas.payload import Payload
from schemas.record import Record
from schemas.topics import TOPIC_OF


def new_id(at: datetime | None = None) -> UUID:
    """A UUIDv7 of now, or of another time."""
    return uuid7(int((at or datetime.now(UTC)).timestamp() * 1000), os.urandom(10))


def shipped_csv(name: str) -> bytes:
    """wine, breast_cancer, iris or diabetes as CSV.

    The last column is `target` (class names in a classification).
    """
    from sklearn import datasets

    bunch = getattr(datasets, f"load_{name}")()
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*(str(one).replace("/", "_") for one in bunch.feature_names), "target"])
    named = hasattr(bunch, "target_names")
    for row, target in zip(bunch.data, bunch.target, strict=True):
        writer.writerow([*map(float, row), bunch.target_names[target] if named else float(target)])
    return out.getvalue().encode()


def door_event(
    data: Payload, subject: Any, tenant: UUID | None = None, at: datetime | None = None
) -> Event:
    """An event as the door writes it."""
    now = at or datetime.now(UTC)
    return first(
        data,
        id=new_id(at),
        source="/headrace/tests",
        subject=str(subject),
        tenant=tenant or uuid4(),
        at=now,
        traceparent=None,
    )


def record_of(event: Event, offset: int = 0, partition: int = 0, prefix: str = "") -> Record:
    """The record in which an event stands on its topic."""
    return Record(
        prefix + TOPIC_OF[event.type],
        partition,
        offset,
        event.key,
        event.encode(),
        event.headers(),
        int(event.time.timestamp() * 1000),
    )
