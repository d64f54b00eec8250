"""What a scheme says of a request: genuine, with its identity, or not, with the reason (kept to ourselves)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Genuine:
    """Signed by the source's secret; `external_id` is the sender's own id of this delivery."""

    external_id: str | None


@dataclass(frozen=True, slots=True)
class Forged:
    """Not proven to be from the source; every reason is answered alike."""

    reason: str


class Verify(Protocol):
    """One scheme. Pure: raw bytes, headers (lower-case names), live secrets, the time. Never raises."""

    def __call__(
        self,
        body: bytes,
        headers: Mapping[str, str],
        secrets: Sequence[str],
        *,
        now: datetime,
        tolerance_seconds: int,
    ) -> Genuine | Forged:
        """Judge one request."""
