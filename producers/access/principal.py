"""Who is asking: one tenant's key."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Principal:
    """The tenant that the shown key speaks for."""

    tenant: UUID
    key_id: UUID
    key_name: str
