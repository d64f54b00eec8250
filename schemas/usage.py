"""Usage: what is billed, one record per effect."""

from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import AwareDatetime

from schemas.payload import Payload

Meter = Literal[
    "webhook_events",
    "jobs",
    "training_seconds",
    "dataset_rows",
    "predictions",
    "stored_byte_hours",
    "integration_calls",
    "messages",
    "conversations",
    "llm_tokens",
]


class UsageRecorded(Payload, type="usage.recorded"):
    """So much of a meter was used at a time; `record_key` is unique per tenant and period (UTC
    month).
    """

    record_key: str
    period: date
    meter: Meter
    quantity: Decimal
    unit: str
    at: AwareDatetime
    subject: str
