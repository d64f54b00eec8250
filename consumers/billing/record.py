"""A usage record and the event that says so: pure."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

from schemas.event import Cause, Event, following
from schemas.usage import Meter, UsageRecorded

BY = "billing"
UNITS: dict[Meter, str] = {
    "webhook_events": "event",
    "jobs": "job",
    "training_seconds": "second",
    "dataset_rows": "row",
    "predictions": "prediction",
    "stored_byte_hours": "byte-hour",
    "integration_calls": "call",
    "messages": "message",
    "conversations": "conversation",
    "llm_tokens": "token",
}
WINDOW_SECONDS = 900


@dataclass(frozen=True, slots=True)
class UsageRecord:
    """An amount of a meter, recorded once; `event_ids` are its evidence."""

    cause: Cause
    record_key: str
    meter: Meter
    quantity: Decimal
    at: datetime
    subject: str
    event_ids: tuple[UUID, ...]

    @property
    def period(self) -> date:
        """The UTC month that it is billed in, by its first day."""
        return self.at.astimezone(UTC).date().replace(day=1)

    def event(self, now: datetime) -> Event:
        """The fact, keyed by tenant and meter."""
        data = UsageRecorded(
            record_key=self.record_key,
            period=self.period,
            meter=self.meter,
            quantity=self.quantity,
            unit=UNITS[self.meter],
            at=self.at,
            subject=self.subject,
        )
        return following(
            self.cause, data, by=BY, subject=self.meter, version=1, at=now, ordinal=self.record_key
        )


def webhook_records(events: list[Event]) -> list[UsageRecord]:
    """One record per source and quarter of an hour of a batch, standing on the ids of its
    events.
    """
    groups: dict[tuple[UUID, str, int], list[Event]] = {}
    for event in events:
        window = int(event.time.timestamp()) // WINDOW_SECONDS
        groups.setdefault((event.tenantid, event.subject, window), []).append(event)
    return [
        UsageRecord(
            group[0].cause,
            f"webhooks:{source}:{window}:{group[0].id}",
            "webhook_events",
            Decimal(len(group)),
            datetime.fromtimestamp(window * WINDOW_SECONDS, UTC),
            source,
            tuple(one.id for one in group),
        )
        for (_, source, window), group in groups.items()
    ]
