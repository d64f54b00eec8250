"""What a scheme says of a request: genuine, with its identity, or not, with the reason (kept to
ourselves).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Genuine:
    """Signed by the source's secret.

    `external_id` is the sender's own id of this delivery, and `signed_id` whether the signature
    covers it. `signed_at` is the time that the sender signed, where the scheme has one; it says
    when, not what, and is left out when verdicts are compared. A `challenge` is answered with
    itself as plain text, and nothing is stored.
    """

    external_id: str | None
    signed_id: bool = True
    signed_at: datetime | None = field(default=None, compare=False)
    challenge: str | None = None


@dataclass(frozen=True, slots=True)
class Forged:
    """Not proven to be from the source; every reason is answered alike."""

    reason: str


Content = Callable[[bytes], bytes]
"""The content of a genuine body, without the coding in which it was sent."""


def as_sent(body: bytes) -> bytes:
    """The content of a body that has no coding: itself."""
    return body


class Verify(Protocol):
    """One scheme. Pure: raw bytes, headers (lower-case names), live secrets, the time.

    The signature is over the bytes as they were sent; an id is read from what `content` gives of
    them, which is called for genuine ones only. Nothing is raised but what `content` raises.
    """

    def __call__(
        self,
        body: bytes,
        headers: Mapping[str, str],
        secrets: Sequence[str],
        *,
        now: datetime,
        tolerance_seconds: int,
        content: Content = as_sent,
    ) -> Genuine | Forged:
        """Judge one request. A header sent twice comes as `headers.gathered` joins it."""


class Sign(Protocol):
    """The other side of a scheme: what its provider adds to a body. Pure.

    Raises ValueError for an unusable secret.
    """

    def __call__(
        self, body: bytes, secret: str, *, message_id: str, now: datetime
    ) -> dict[str, str]:
        """The headers, by lower-case name.

        A scheme whose id is in the body leaves `message_id` aside.
        """
