"""The key that a client gives a command: what it may be, and what of it and of the body is kept.

Pure.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from schemas.errors import Refusal

HEADER = "Idempotency-Key"
KEY = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a key counts: for one principal of one tenant, on one route."""

    tenant: UUID
    principal: UUID
    route: str
    key: str

    @property
    def key_hash(self) -> bytes:
        """What is stored of the key."""
        return hashlib.sha256(self.key.encode()).digest()

    def fingerprint(self, body: bytes) -> bytes:
        """What is stored of a body: nobody who reads the table can try secrets against it
        without the key.
        """
        return hmac.digest(self.key.encode(), body, "sha256")


def checked_key(given: Sequence[str]) -> str | None:
    """The key among a request's headers of that name; raises Refusal `invalid_idempotency_key`."""
    if not given:
        return None
    if len(given) > 1 or not KEY.fullmatch(given[0]):
        raise Refusal(
            "invalid_idempotency_key",
            f"{HEADER} is one header of 1 to 255 visible ASCII characters; a new UUID for each "
            "command is best.",
        )
    return given[0]
