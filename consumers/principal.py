"""Who asks, as far as the consumers' routes need to know."""

from typing import Protocol
from uuid import UUID


class Principal(Protocol):
    """The tenant, and the key that was shown."""

    @property
    def tenant(self) -> UUID:
        """Whose rows are meant."""

    @property
    def key_id(self) -> UUID:
        """The id of the API key."""

    @property
    def key_name(self) -> str:
        """What its owner calls it."""


def actor_label(asking: Principal) -> str:
    """Who it was, for the row that keeps what was decided."""
    return f"{asking.key_name} ({asking.key_id})"
