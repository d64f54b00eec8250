"""A model of the work queue: who gets what, until when, and that only the current holder ends a
piece.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import ClassVar, TypeVar
from uuid import UUID, uuid4

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from consumers.work import store
from consumers.work.store import LeaseLost
from consumers.work.work_item import NewWorkItem, WorkItem
from schemas.event import Cause
from tests.integration.model.ground import Ground

T = TypeVar("T")
QUEUE = "training"
# A claim looks for leases that ran out only when the database has been up for one; held for long by
# the first beat.
CLAIM_SECONDS, HELD_SECONDS, PAUSE_SECONDS = 0.5, 1000, 500
HOLDERS = st.integers(0, 2)


@dataclass
class Known:
    """A piece as it should be; `until` and `due` are offsets of the clock."""

    tenant: UUID
    place: int
    due: int = 0
    until: int | None = None
    done: bool = False
    attempt: int = 0
    token: int = 0


class Leases(RuleBasedStateMachine):
    """Two tenants' pieces and three holders."""

    ground: ClassVar[Ground]

    def __init__(self) -> None:
        super().__init__()
        self.ground.empty()
        self.tenants = [uuid4(), uuid4()]
        self.clock = 0
        self.pieces: dict[UUID, Known] = {}
        self.turns: dict[UUID, int] = {}
        self.held: list[list[WorkItem]] = [[], [], []]

    @rule(tenant=st.integers(0, 1), count=st.integers(1, 3))
    def enqueue(self, tenant: int, count: int) -> None:
        for _ in range(count):
            at, subject, mine = self._now(), uuid4(), self.tenants[tenant]
            new = NewWorkItem(
                mine,
                QUEUE,
                subject,
                {},
                Cause(subject, mine, subject, None),
                at,
                at + timedelta(hours=9),
            )
            self.pieces[subject] = Known(mine, len(self.pieces))
            self.ground.do(self._in(partial(store.enqueue, items=[new, new])))

    @rule(holder=HOLDERS, most=st.none() | st.integers(1, 2))
    def claim(self, holder: int, most: int | None) -> None:
        """The tenant with the least running, then whose turn is longest ago; of it the oldest."""

        async def act(tx: AsyncConnection) -> WorkItem | None:
            found = await store.claim(tx, QUEUE, CLAIM_SECONDS, most)
            if found is not None:
                await store.heartbeat(tx, found, HELD_SECONDS)
            return found

        found = self.ground.do(self._in(act))
        running = {
            tenant: sum(
                one.tenant == tenant and one.until is not None and one.until > self.clock
                for one in self.pieces.values()
            )
            for tenant in self.tenants
        }
        free = {
            subject: one
            for subject, one in self.pieces.items()
            if not one.done
            and (most is None or running[one.tenant] < most)
            and (one.due <= self.clock if one.until is None else one.until <= self.clock)
        }
        if not free:
            assert found is None
            return
        assert found is not None
        wanted = min(
            free,
            key=lambda it: (
                running[free[it].tenant],
                self.turns.get(free[it].tenant, -1),
                free[it].place,
            ),
        )
        known = self.pieces[wanted]
        assert (found.subject, found.tenant) == (wanted, known.tenant)
        assert (found.attempt, found.token) == (known.attempt + 1, known.token + 1)
        known.attempt, known.token, known.until = (
            found.attempt,
            found.token,
            self.clock + HELD_SECONDS,
        )
        self.turns[known.tenant] = max(self.turns.values(), default=0) + 1
        self.held[holder].append(found)

    @rule(
        holder=HOLDERS,
        which=st.integers(0, 9),
        act=st.sampled_from(["beat", "done", "give_back", "return_unused"]),
    )
    def hold(self, holder: int, which: int, act: str) -> None:
        """Whoever holds it, or held it once, says that it lives, that it is done, or that it
        gives it back.
        """
        if not self.held[holder]:
            return
        piece = self.held[holder][which % len(self.held[holder])]
        known = self.pieces[piece.subject]
        current = not known.done and known.until is not None and known.token == piece.token
        try:
            self.ground.do(self._in(lambda tx: self._act(tx, act, piece)))
        except LeaseLost:
            assert not current
            return
        assert current
        if act == "beat":
            known.until = self.clock + HELD_SECONDS
            return
        known.until, known.done = None, act == "done"
        known.due = self.clock + (PAUSE_SECONDS if act == "give_back" else 0)
        known.attempt -= act == "return_unused"

    async def _act(self, tx: AsyncConnection, act: str, piece: WorkItem) -> None:
        if act == "beat":
            await store.heartbeat(tx, piece, HELD_SECONDS)
            return
        await store.fence(tx, piece)
        if act == "done":
            await store.done(tx, piece)
        elif act == "give_back":
            await store.release(tx, piece, self._now() + timedelta(seconds=PAUSE_SECONDS))
        else:
            await store.return_unused(tx, piece)

    @rule(seconds=st.sampled_from([600, 1100]))
    def later(self, seconds: int) -> None:
        """Past a pause, or past a lease too."""
        self.clock += seconds
        self.ground.do(self._move(seconds))

    async def _move(self, seconds: int) -> None:
        async with self.ground.owner.begin() as tx:
            query = text("UPDATE clock_offset SET value = value + make_interval(secs => :seconds)")
            await tx.execute(query, {"seconds": seconds})

    @invariant()
    def rows_are_as_known(self) -> None:
        query = "SELECT subject_id, state, attempt, token FROM work"
        rows = {
            row.subject_id: (row.state, row.attempt, row.token)
            for row in self.ground.do(self.ground.ask(query))
        }
        assert rows == {
            subject: (
                "done" if one.done else "leased" if one.until is not None else "ready",
                one.attempt,
                one.token,
            )
            for subject, one in self.pieces.items()
        }

    async def _in(self, act: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        async with self.ground.pipeline.begin() as tx:
            return await act(tx)

    def _now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.clock)
