"""What sources need of the world."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol
from uuid import UUID


class Sealer(Protocol):
    """Secrets at rest, bound to their tenant and source."""

    def seal(self, secret: str, tenant: UUID, source: UUID) -> bytes:
        """The secret, as it is stored."""

    def open(self, stored: bytes, tenant: UUID, source: UUID) -> str:
        """The secret in what is stored."""


Preview = Callable[[UUID, bytes, dict[str, Any], int], Awaitable[dict[str, Any]]]
"""What a payload would become under an action: (tenant, body, action, mapping version).

Raises ValueError with the reason.
"""
