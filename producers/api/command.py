"""A command becomes one event, durably, and a 202 that says what was written."""

from dataclasses import dataclass
from uuid import UUID

from pydantic import BaseModel

from producers.outbox.accept import Accept, Acceptance
from producers.ports import Clock
from schemas.event import first
from schemas.log import entry_of
from schemas.payload import Payload


class Started(BaseModel):
    """What a command answers: what it is about, to be asked for by its id."""

    id: UUID
    state: str


@dataclass(frozen=True, slots=True)
class Commands:
    """The way in for every resource of the API."""

    accept: Accept
    clock: Clock

    async def send(self, data: Payload, *, tenant: UUID, subject: UUID, route: str, traceparent: str) -> str:
        """Accept `data` as an event about `subject`; returns the position to read after. Raises Unavailable."""
        event = first(
            data, id=self.clock.new_id(), source=f"/headrace/api/{route}", subject=str(subject), tenant=tenant,
            at=self.clock.now(), traceparent=traceparent,
        )  # fmt: skip
        accepted = await self.accept(Acceptance(entry_of(event)))
        return f"e-{accepted.event_id}"
