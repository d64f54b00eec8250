"""A model of inbox, outbox, consumer, dead letters and replays: whatever ends where, each
webhook counts once.
"""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, ClassVar
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from compose.failures import door_refusal
from compose.postgres.positions import Positions
from compose.processes.replays import lane_of
from consumers.dead_letters import store as letters
from consumers.dead_letters.filter import DeadLetterFilter
from consumers.errors import Transient
from consumers.log.outcome import Outcome, Rejected
from consumers.ports import Handle
from consumers.replays import store as replays
from consumers.replays.replay import Target
from producers.outbox.accept import Accept
from producers.outbox.ports import Unavailable
from producers.outbox.relay import relay_once
from schemas.event import Event
from schemas.record import PollBatch, Span
from schemas.topics import WEBHOOKS
from schemas.webhooks import WebhookReceived
from tests.factories import new_id
from tests.integration.model.ground import PARTITIONS, Ground, RecordedLog, Struck
from tests.integration.model.log_order import check_log_order
from tests.integration.model.single_connection import SingleConnection
from tests.integration.outbox.deliveries import Sender, known_source

TOPIC = WEBHOOKS.name
TENANTS = [UUID(f"01890000-0000-7000-8000-00000000000{number}") for number in (1, 3)]
BODIES = (b'{"n": 1}', b'{"n": 2}', b'{"poison": 1}')
MESSAGES = st.sampled_from(["a", "b", "c", "d", "e", "f"])
DELIVERY = st.tuples(
    st.integers(0, 1), MESSAGES, st.sampled_from(BODIES), st.sampled_from([False, False, True])
)
EFFECTS = "SELECT unnest(event_ids) AS id FROM usage_records"
LETTERS = "SELECT event_id, state FROM dead_letters"
SUMS = """
SELECT coalesce(sum(quantity), 0) AS ledger, coalesce(sum(cardinality(event_ids)), 0) AS ids,
       (SELECT coalesce(sum((convert_from(value, 'UTF8')::jsonb #>> '{data,quantity}')::numeric), 0)
        FROM events WHERE type = 'usage.recorded') AS said
FROM usage_records
"""


class Deliveries(RuleBasedStateMachine):
    """Billing counts webhooks of two sources.

    Those with poison in the body are refused until it is mended.
    """

    ground: ClassVar[Ground]

    def __init__(self) -> None:
        super().__init__()
        self.ground.empty()
        # Always the same ids, or a failure would not come again: they choose the partition, each
        # another.
        self.senders = [Sender(replace(known_source("ci"), tenant=one, id=one)) for one in TENANTS]
        self.log = RecordedLog()
        self.mended = False
        self.accepted: dict[tuple[int, str], tuple[UUID, bytes]] = {}
        self.at = [0] * PARTITIONS

    # The door

    @rule(deliveries=st.lists(DELIVERY, min_size=1, max_size=5))
    def accept(self, deliveries: list[tuple[int, str, bytes, bool]]) -> None:
        """Deliveries, each the first of its message or not.

        The door may end after a commit, its answer untold.
        """
        for one in deliveries:
            self.ground.do(self._accept(*one))

    async def _accept(self, sender: int, message: str, body: bytes, crash: bool) -> None:
        def failpoint(step: str) -> None:
            if crash and step == "accept.stored":
                raise Struck

        async with self.ground.connection() as connection:
            door = Accept(
                SingleConnection(connection), door_refusal, writers=1, failpoint=failpoint
            )
            delivery = self.senders[sender].delivery(message, body)
            known = self.accepted.setdefault((sender, message), (delivery.entry.id, body))
            with suppress(Unavailable):
                answer = await door(delivery)
                assert (answer.event_id, answer.duplicate) == (
                    known[0],
                    known[0] != delivery.entry.id,
                )
                assert answer.same_body == (known[1] == body)

    # The relay

    @rule(crash=st.none() | st.integers(0, 5) | st.just("sent"), most=st.integers(1, 8))
    def relay(self, crash: int | str | None, most: int) -> None:
        """A round; it may end after some records, or after all and before they are struck off."""
        self.ground.do(self._relay(crash, most))

    async def _relay(self, crash: int | str | None, most: int) -> int:
        def failpoint(step: str) -> None:
            if crash == "sent" and step == "relay.sent":
                raise Struck

        self.log.struck = crash if isinstance(crash, int) else None
        async with self.ground.connection() as connection:
            with suppress(Struck):
                return await relay_once(connection, self.log, max_records=most, failpoint=failpoint)
        return 0

    @rule()
    def flow(self) -> None:
        """Nothing goes wrong for a while."""
        while self.ground.do(self._relay(None, 100)):
            pass
        for partition in range(PARTITIONS):
            while self.ground.do(self._consume(partition, 3)):
                pass

    # The consumer

    @rule(
        partition=st.integers(0, PARTITIONS - 1),
        most=st.integers(1, 5),
        back=st.sampled_from([0, 0, 0, 1, 3, -1]),
        crash=st.sampled_from(["", "", "before", "after"]),
    )
    def consume(self, partition: int, most: int, back: int, crash: str) -> None:
        """A poll from where the subscription stands, or from further back or ahead.

        The process may end.
        """
        self.ground.do(self._consume(partition, most, back, crash))

    async def _consume(self, partition: int, most: int, back: int = 0, crash: str = "") -> bool:
        log = self.log.partitions[TOPIC, partition]
        known = await Positions(self.ground.pipeline, "billing").read([(TOPIC, partition)])
        if not known:  # then the subscription begins where the log does, and nowhere else
            back = max(back, 0)
        start = min(max(0, self.at[partition] - back), len(log))
        records = tuple(log[start : start + most])
        if not records:
            return False
        span = Span(TOPIC, partition, start, start + len(records))
        try:
            stands = await self.ground.runner(self._poisoned, crash)(PollBatch(records, (span,)))
        except Transient:
            stands = False
        if stands is True and not back:
            self.at[partition] = span.next
        else:  # seek again, as the subscription does
            read = await Positions(self.ground.pipeline, "billing").read([(TOPIC, partition)])
            self.at[partition] = read.get((TOPIC, partition), 0)
        return True

    @rule(partition=st.integers(0, PARTITIONS - 1), to=st.integers(0, 5))
    def rewind(self, partition: int, to: int) -> None:
        """An operator puts the position back."""
        self.at[partition] = min(self.at[partition], to)
        query = (
            "UPDATE positions SET next = LEAST(next, :to) WHERE partition = :partition "
            "RETURNING next"
        )
        self.ground.do(self.ground.ask(query, to=to, partition=partition))

    def _poisoned(self, real: Handle) -> Handle:
        async def handle(tx: AsyncConnection, events: Sequence[Event]) -> Sequence[Outcome]:
            good = [event for event in events if self.mended or not _poison(event)]
            became = dict(zip([event.id for event in good], await real(tx, good), strict=True))
            return [became.get(event.id) or Rejected("user_config", "poison") for event in events]

        return handle

    # Dead letters

    @rule(mended=st.booleans())
    def mend(self, mended: bool) -> None:
        """Mend the handler, or break it again."""
        self.mended = mended

    @rule(sender=st.integers(0, 1))
    def discard(self, sender: int) -> None:
        """A tenant gives up what is open."""
        self.ground.do(self._of_tenant(sender, self._discard))

    async def _discard(self, tx: AsyncConnection, _: UUID) -> None:
        await letters.discard(tx, DeadLetterFilter(), "test", "enough")

    @rule(sender=st.integers(0, 1))
    def replay(self, sender: int) -> None:
        """All letters of a tenant, whatever their state, those of another replay included."""
        self.ground.do(self._of_tenant(sender, self._start))

    async def _start(self, tx: AsyncConnection, tenant: UUID) -> None:
        found = await letters.take_up(tx, DeadLetterFilter(), 100)
        targets = [Target(row["id"], row["event_id"], row["consumer"]) for row in found]
        row = replays.NewRow(tenant, new_id(), "dead_letters", {}, None, None, None, "test")
        await replays.create(tx, row, targets)

    async def _of_tenant(self, sender: int, act: Any) -> None:
        tenant = self.senders[sender].source.tenant
        async with self.ground.api.begin() as tx:
            await tx.execute(
                text("SELECT set_config('app.tenant', :tenant, true)"), {"tenant": str(tenant)}
            )
            await act(tx, tenant)

    @rule(crash=st.sampled_from(["", "before", "after"]))
    def take_turn(self, crash: str) -> None:
        """The lane's next turn; its process may end."""
        self.ground.do(self._turn(crash))

    async def _turn(self, crash: str = "") -> bool:
        with suppress(Transient):
            return not await lane_of(self.ground.runner(self._poisoned, crash)).round()
        return True

    # What holds always

    @invariant()
    def nothing_counts_twice(self) -> None:
        """An event has its effect once, or a letter that is open or given up, or is not consumed
        yet.
        """
        effects = Counter(row.id for row in self.ground.do(self.ground.ask(EFFECTS)))
        state = {row.event_id: row.state for row in self.ground.do(self.ground.ask(LETTERS))}
        had = {
            row.event_id
            for row in self.ground.do(self.ground.ask("SELECT event_id FROM processed"))
        }
        ids = {event for event, _ in self.accepted.values()}
        assert set(effects.values()) <= {1}
        assert set(effects) | set(state) <= ids
        for event in ids:
            outcome = (effects[event], state.get(event))
            allowed = [(1, None), (1, "applied"), (0, "parked"), (0, "replaying"), (0, "discarded")]
            assert outcome in (allowed if event in had else [(0, None)]), outcome

    @invariant()
    def the_ledger_adds_up(self) -> None:
        (sums,) = self.ground.do(self.ground.ask(SUMS))
        assert sums.ledger == sums.ids == sums.said

    @invariant()
    def the_log_is_in_order(self) -> None:
        """What is no longer in the outbox stands on the log.

        Of each key in the order of its seq, copies apart.
        """
        query = (
            "SELECT seq, id, key, topic, seq IN (SELECT seq FROM outbox) AS listed FROM "
            "events ORDER BY seq"
        )
        rows = self.ground.do(self.ground.ask(query))
        check_log_order(rows, self.log.partitions)

    def teardown(self) -> None:
        """All is well again: everything that was accepted has its effect, or was given up."""
        self.mended = True
        self.flow()
        for sender in (0, 1):
            self.replay(sender)
        while self.ground.do(self._turn()):
            pass
        effects = {row.id for row in self.ground.do(self.ground.ask(EFFECTS))}
        given_up = {
            row.event_id
            for row in self.ground.do(self.ground.ask(LETTERS))
            if row.state == "discarded"
        }
        assert effects | given_up == {event for event, _ in self.accepted.values()}
        assert not effects & given_up
        self.nothing_counts_twice()
        self.the_ledger_adds_up()
        self.the_log_is_in_order()


def _poison(event: Event) -> bool:
    return isinstance(event.data, WebhookReceived) and "poison" in (event.data.body or "")
