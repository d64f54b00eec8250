"""The time that a sender signed: strictly written, and near ours on both sides."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal

from producers.webhooks.verification.headers import plain
from producers.webhooks.verification.verdict import Forged

TimeFormat = Literal["seconds", "milliseconds", "rfc3339"]
# No leading zero: where a template puts digits beside the time, a zero moved between the two would
# sign the same bytes.
_NUMBER = re.compile(r"[1-9][0-9]{0,14}")
_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})"
)


def signed_in(
    headers: Mapping[str, str],
    name: str,
    *,
    now: datetime,
    tolerance_seconds: int,
    written: TimeFormat = "seconds",
) -> tuple[str, datetime] | Forged:
    """The header's text, as it was signed, and the time it says."""
    stamp = plain(headers, name)
    if stamp is None:
        return Forged(f"{name} is missing, repeated or not printable ASCII")
    at = signed_at(stamp, name, now=now, tolerance_seconds=tolerance_seconds, written=written)
    return at if isinstance(at, Forged) else (stamp, at)


def signed_at(
    stamp: str, name: str, *, now: datetime, tolerance_seconds: int, written: TimeFormat = "seconds"
) -> datetime | Forged:
    """The time that a text says, if it is at most `tolerance_seconds` before or after now."""
    try:
        seconds = _seconds(stamp, written)
        if seconds is None:
            return Forged(f"{name} is not a time in {written}")
        if abs(now.timestamp() - seconds) > tolerance_seconds:
            return Forged(f"{name} is outside the tolerance")
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return Forged(f"{name} is not a time in {written}")


def _seconds(stamp: str, written: TimeFormat) -> float | None:
    if written == "rfc3339":
        return datetime.fromisoformat(stamp).timestamp() if _RFC3339.fullmatch(stamp) else None
    if not _NUMBER.fullmatch(stamp):
        return None
    return int(stamp) / 1000 if written == "milliseconds" else int(stamp)
