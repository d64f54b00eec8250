"""A command under a key: run once, answered again; its effect and its answer are one commit.

A process that dies before that commit leaves a lease, and after the lease the next repetition runs
with the same ids. One that only seemed dead finds its token gone, and commits nothing.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from pydantic_core import to_json

from producers.idempotency import store
from producers.idempotency.key import Scope
from schemas.errors import Refusal
from schemas.ids import derived
from schemas.ports import Clock, TenantTransactions

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

log = logging.getLogger(__name__)

LEASE_SECONDS = 30.0
RETRY_AFTER_SECONDS = 1
WITHHELD = "The secret was shown in the first answer only. If that was lost, rotate the secret."
Body = Callable[[], Awaitable[bytes]]
"""What two requests must have in common to be the same one."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command is answered: now, or (`replayed`) the first time."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)
    replayed: bool = False

    def kept(self) -> bytes:
        """The body as it is stored: without its secret."""
        shown = {"secret": None, "note": WITHHELD} if self.body.get("secret") is not None else {}
        return to_json({**self.body, **shown})


class Execution(Protocol):
    """One run of a command."""

    @property
    def attempt(self) -> UUID | None:
        """What tells two runs under one key apart; None where there is no key."""

    def new_id(self, what: str) -> UUID:
        """The id of what the command makes; under a key the same in every run."""

    async def finish(
        self, tx: "AsyncConnection", answer: Answer, body: bytes | None = None
    ) -> None:
        """Keep the answer, in the transaction of the effect. `body` is what was not known when the
        run began.

        Raises Refusal `idempotency_key_running` when the key was taken over: then nothing may be
        committed.
        """


@dataclass(frozen=True, slots=True)
class UnkeyedExecution:
    """A run without a key: every time is the first."""

    clock: Clock
    attempt: UUID | None = None

    def new_id(self, what: str) -> UUID:
        """A new id for each call: no request is repeated."""
        return self.clock.new_id()

    async def finish(
        self, tx: "AsyncConnection", answer: Answer, body: bytes | None = None
    ) -> None:
        """Keep nothing: no request is repeated."""


@dataclass(frozen=True, slots=True)
class KeyedExecution:
    """A run that holds its key."""

    claim: store.IdempotencyClaim
    seed: UUID
    body_hash: bytes | None

    @property
    def attempt(self) -> UUID | None:
        """The token of the lease."""
        return self.claim.token

    def new_id(self, what: str) -> UUID:
        """Derived from the key's first claim."""
        scope = self.claim.scope
        return derived(self.seed, scope.tenant, scope.principal, scope.route, scope.key, what)

    async def finish(
        self, tx: "AsyncConnection", answer: Answer, body: bytes | None = None
    ) -> None:
        """Keep the answer under the row's lock, if the token is still the current one."""
        digest = self.body_hash if body is None else self.claim.scope.fingerprint(body)
        assert digest is not None, "answers cannot be distinguished without the body's hash"
        if not await store.finish(
            tx, self.claim, digest, answer.status, answer.headers, answer.kept().decode()
        ):
            raise running()


class IdempotentExecutor:
    """Runs commands, each once for its key."""

    def __init__(self, transactions: TenantTransactions, clock: Clock) -> None:
        self._transactions = transactions
        self._clock = clock

    async def __call__(
        self,
        scope: Scope | None,
        body: Body,
        run: Callable[[Execution], Awaitable[Answer]],
        *,
        streamed: bool = False,
    ) -> Answer:
        """Run, or answer as before. With `streamed` the run reads the body, and `body` reads it
        when there is none.

        Raises Refusal `idempotency_key_reused` (another body) or `idempotency_key_running`.
        """
        if scope is None:
            return await run(UnkeyedExecution(self._clock))
        digest = None if streamed else scope.fingerprint(await body())
        claimed = await self._claim(scope, digest)
        if isinstance(claimed, KeyedExecution):
            async with self._held(claimed):
                return await run(claimed)
        if claimed.status is None and (digest is None or digest == claimed.body_hash):
            raise running()
        if (digest or scope.fingerprint(await body())) != claimed.body_hash:
            raise Refusal(
                "idempotency_key_reused", "This Idempotency-Key came before, with another request."
            )
        return Answer(claimed.status, claimed.body, claimed.headers, replayed=True)

    async def _claim(self, scope: Scope, digest: bytes | None) -> Any:
        claim = store.IdempotencyClaim(scope, self._clock.new_id(), LEASE_SECONDS)
        while True:
            async with self._transactions(scope.tenant) as tx:
                seed = await store.claim(tx, claim, digest, self._clock.new_id())
                if seed is not None:
                    return KeyedExecution(claim, seed, digest)
                known = await store.look(tx, scope)
            if known is not None:  # else it was released between the two
                return known

    @contextlib.asynccontextmanager
    async def _held(self, turn: KeyedExecution) -> AsyncIterator[None]:
        beating = asyncio.create_task(self._beat(turn.claim))
        try:
            yield
        except BaseException:
            await self._release(turn.claim)
            raise
        finally:
            beating.cancel()

    async def _beat(self, claim: store.IdempotencyClaim) -> None:
        while True:
            await asyncio.sleep(claim.lease_seconds / 3)
            with contextlib.suppress(Exception):  # a lease that is lost is noticed by `finish`
                async with self._transactions(claim.scope.tenant) as tx:
                    await store.renew(tx, claim)

    async def _release(self, claim: store.IdempotencyClaim) -> None:
        # An answer that was stored after all stays: only a run without one gives its key back.
        try:
            async with self._transactions(claim.scope.tenant) as tx:
                await store.release(tx, claim)
        except Exception as error:  # noqa: BLE001 - the lease ends by itself
            log.warning(
                "an idempotency key was not released, it is taken until its lease ends: %s", error
            )


def running() -> Refusal:
    """Somebody is at it."""
    return Refusal(
        "idempotency_key_running",
        "A request with this Idempotency-Key is under way. Send it again in a moment.",
        retry_after_seconds=RETRY_AFTER_SECONDS,
    )
