"""Who is asking: one tenant's key."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from schemas.permissions import ALL, Permission


@dataclass(frozen=True, slots=True)
class Principal:
    """The tenant that the shown key speaks for."""

    tenant: UUID
    key_id: UUID
    key_name: str
    limits: Mapping[str, float] = field(default_factory=dict, compare=False)
    """The tenant's own limits by name."""
    permissions: frozenset[Permission] = ALL
