"""A command becomes one event, durably, and a 202 that says what was written."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from pydantic import BaseModel

from producers.idempotency.executor import Answer, Execution, IdempotentExecutor
from producers.outbox.accept import Accept, Acceptance
from producers.outbox.append import append
from schemas.bounds import MOST_EVENT_BYTES
from schemas.errors import Refusal
from schemas.event import Event, first
from schemas.log import EventTooLarge, LogEntry, entry_of
from schemas.payload import Payload
from schemas.ports import Clock, Transactions


class Started(BaseModel):
    """What a command answers: what it is about, to be asked for by its id."""

    id: UUID
    state: str


@dataclass(frozen=True, slots=True)
class Commands:
    """The way in for every resource of the API."""

    accept: Accept
    clock: Clock
    once: IdempotentExecutor
    transactions: Transactions
    refusal: Callable[[BaseException], type[Exception]]

    async def send(
        self,
        turn: Execution,
        data: Payload,
        *,
        tenant: UUID,
        subject: UUID,
        route: str,
        traceparent: str,
        state: str,
        body: bytes | None = None,
    ) -> Answer:
        """Accept `data` as an event about `subject`, in whose `state` it is then.

        Raises Unavailable, NotStorable or Refusal `event_too_large`.
        `body` is what `turn.finish` is to compare repetitions with.
        """
        event = first(
            data,
            id=turn.new_id("event"),
            source=f"/headrace/api/{route}",
            subject=str(subject),
            tenant=tenant,
            at=self.clock.now(),
            traceparent=traceparent,
        )
        headers = {"Location": f"/v1/{route}/{subject}", "Headrace-Position": f"e-{event.id}"}
        answer = Answer(202, {"id": str(subject), "state": state}, headers)
        entry = _entry(event)
        if turn.attempt is None:
            await self.accept(Acceptance(entry))
        else:
            await self._with_its_answer(turn, entry, answer, body)
        return answer

    async def _with_its_answer(
        self, turn: Execution, entry: LogEntry, answer: Answer, body: bytes | None
    ) -> None:
        # Not the group commit: the event counts only if the key is still ours, so the two are one
        # transaction.
        try:
            async with self.transactions() as tx:
                await turn.finish(tx, answer, body)
                await append(tx, [entry])
        except Refusal:
            raise
        except Exception as error:
            raise self.refusal(error)(str(error)) from error


def _entry(event: Event) -> LogEntry:
    try:
        return entry_of(event)
    except EventTooLarge as error:
        raise Refusal("event_too_large", str(error), max_bytes=MOST_EVENT_BYTES) from None
