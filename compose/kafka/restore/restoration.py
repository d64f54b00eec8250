"""Publish again what Kafka has lost: each step can be called again after a kill."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import asyncpg
from aiokafka.admin import NewPartitions

from compose.kafka.partition_expansion.expansion import LOOK_SECONDS, alone
from compose.kafka.partition_expansion.progress import RESTORE, Look, looking
from compose.kafka.restore.missing import Range, find_range
from compose.kafka.restore.result import Progress, Restored, Tell
from compose.kafka.restore.resuming import LOCK, MOVE, Offsets, resuming
from compose.kafka.restore.survey import CannotRestore, Survey, TopicLoss, survey
from compose.kafka.topics import create, partitions_of
from compose.settings import Settings
from producers.outbox.partition_layout import hold, lift
from producers.outbox.relay import elected
from schemas.ports import Failpoint, no_failpoint

REST_SECONDS = 60.0  # how long it waits for a relay to let the topics rest
SEQS_AT_ONCE = 20_000
# Statements read months of the log: whoever restores ends them, not a clock.
COMMAND_SECONDS = 24 * 3600
COMMIT_TRIES = 5  # of which each but the last may end in a deadlock
NEWEST = "SELECT coalesce(max(seq), 0) FROM events"
# Into what waits for the hold to be lifted; the relay then sends all of it in the order of its seq.
LIST = """
INSERT INTO outbox_held (seq, size_bytes, topic)
SELECT e.seq, coalesce(octet_length(e.value), 0) + octet_length(e.headers), e.topic
FROM events e JOIN unnest($3::text[], $4::bigint[], $5::uuid[]) AS r(topic, first,
    oldest) USING (topic)
WHERE e.seq >= $1 AND e.seq < $2 AND e.seq >= r.first AND e.id >= r.oldest
  AND NOT EXISTS (SELECT FROM outbox o WHERE o.seq = e.seq)
ON CONFLICT DO NOTHING
"""
ENDS = """
UPDATE partition_ends e SET confirmed_offset = least(e.confirmed_offset, g.ends - 1),
    went_back_at = NULL
FROM unnest($2::int[], $3::bigint[]) AS g(partition, ends)
WHERE e.topic = $1 AND e.partition = g.partition
"""
# What is known by place is of the offsets before: who waited there, and what may have killed a
# process.
FORGET = (
    "DELETE FROM blocked_partitions WHERE topic = $1",
    "DELETE FROM suspect_records WHERE topic = $1",
    "DELETE FROM consumer_starts WHERE topic = $1",
)
# The relay looks again at what it had stopped for; without this only when its pause is over.
GO_ON = "UPDATE topic_layouts SET stopped_since = NULL, stopped_why = NULL WHERE topic = $1"
CLUSTER = """
UPDATE kafka_cluster SET cluster_id = $1, incarnation = incarnation + $2 RETURNING incarnation
"""
FIRST_CLUSTER = "INSERT INTO kafka_cluster (cluster_id) VALUES ($1)"


@dataclass(frozen=True)
class Restoration:
    """By the one who may; `tell` receives how far it is."""

    look: Look
    tell: Tell
    failpoint: Failpoint = no_failpoint

    async def plan(self, first_seq: int | None, *, every: bool) -> Restored:
        """What `restore` would do; changes nothing."""
        found = await survey(self.look)
        return await self._planned(found, self._affected(found, first_seq, every=every), first_seq)

    async def restore(self, first_seq: int | None = None, *, every: bool = False) -> Restored:
        """Publish again what is lost, from `first_seq` on where it is given; raises CannotRestore.

        With `every`, also topics that show no loss are compared with the log. Killed at any step,
        it leaves the topics paused, and continues when it is called again.
        """
        before = await survey(self.look)
        affected = self._affected(before, first_seq, every=every)
        if not affected:
            return Restored()
        # What cannot be worked out is seen before anything is paused.
        await self._planned(before, affected, first_seq)
        await self._make(affected)
        for loss in affected:
            await hold(self.look.connection, loss.topic.name, loss.partitions, None, RESTORE)
        await self._rest(affected)
        self.failpoint("restore.held")
        now = await survey(self.look)
        names = {loss.topic for loss in affected}
        losses = [loss for loss in now.topics if loss.topic in names]
        planned = replace(await self._planned(now, losses, first_seq), reasons=_reasons(affected))
        await self._list([one for one in planned.ranges if one.records])
        self.failpoint("restore.listed")
        whole = {one.topic for one in planned.ranges if one.is_whole}
        await self._commit(now, losses, await resuming(self.look, losses, whole))
        self.failpoint("restore.done")
        return planned

    def _affected(
        self, found: Survey, first_seq: int | None, *, every: bool
    ) -> Sequence[TopicLoss]:
        chosen = found.topics if every or first_seq is not None else found.lost
        for loss in chosen:
            if loss.found > loss.partitions:
                raise CannotRestore(
                    f"{loss.topic.name} has {loss.found} partitions, and its keys are over "
                    f"{loss.partitions}",
                    f"take them over first: headrace topics grow {loss.topic.name} {loss.found}",
                )
        return chosen

    async def _planned(
        self, found: Survey, losses: Sequence[TopicLoss], first_seq: int | None
    ) -> Restored:
        ranges = []
        for loss in losses:
            self.tell(Progress(f"comparing {loss.name} with the log in Postgres"))
            one = await find_range(self.look, loss, first_seq)
            if one is not None and (one.records or one.too_old):
                ranges.append(one)
        moved = sum(len(loss.positions) for loss in losses)
        return Restored(_reasons(losses), tuple(ranges), moved, found.cluster)

    async def _make(self, affected: Sequence[TopicLoss]) -> None:
        """Each topic with the partitions that its keys are spread over."""
        counts = {loss.name: loss.partitions for loss in affected}
        await create(self.look.admin, self.look.settings.kafka_topic_prefix, counts)
        for loss in affected:
            if 0 < loss.found < loss.partitions:
                more = {loss.name: NewPartitions(loss.partitions)}
                await self.look.admin.create_partitions(more)
        until = time.monotonic() + REST_SECONDS
        while await partitions_of(self.look.admin, sorted(counts)) != counts:
            if time.monotonic() > until:
                raise CannotRestore("Kafka did not make the topics as they were")
            await asyncio.sleep(LOOK_SECONDS)

    async def _rest(self, affected: Sequence[TopicLoss]) -> None:
        """Return when nothing of these topics is under way: no relay is at work, or it has seen
        the holds.
        """
        until = time.monotonic() + REST_SECONDS
        while not await elected(self.look.connection, "relay"):
            if all([await self.look.settled(loss.topic.name) for loss in affected]):
                return
            if time.monotonic() > until:
                raise CannotRestore(
                    f"the relay has not let the topics rest within {REST_SECONDS:g} s",
                    "stop it, or look into its log; then call this again",
                )
            await asyncio.sleep(LOOK_SECONDS)

    async def _list(self, ranges: Sequence[Range]) -> None:
        if not ranges:
            return
        newest: int = await self.look.connection.fetchval(NEWEST)
        first = min(one.first_seq for one in ranges)
        given = (
            [one.topic for one in ranges],
            [one.first_seq for one in ranges],
            [one.oldest for one in ranges],
        )
        for begin in range(first, newest + 1, SEQS_AT_ONCE):
            await self.look.connection.execute(LIST, begin, begin + SEQS_AT_ONCE, *given)
            done = min(begin + SEQS_AT_ONCE, newest + 1) - first
            self.tell(Progress("listing what is lost", done, newest + 1 - first))

    async def _commit(
        self, now: Survey, losses: Sequence[TopicLoss], offsets: Mapping[str, Offsets]
    ) -> None:
        """Commit; again where a delivery, whose locks lie across, made Postgres choose this one."""
        for left in reversed(range(COMMIT_TRIES)):
            try:
                await self._commit_once(now, losses, offsets)
            except asyncpg.DeadlockDetectedError:
                if not left:
                    raise
            else:
                return

    async def _commit_once(
        self, now: Survey, losses: Sequence[TopicLoss], offsets: Mapping[str, Offsets]
    ) -> None:
        """Everything that makes the readers and the relay go on, in one transaction."""
        connection = self.look.connection
        async with connection.transaction():
            await connection.execute(LOCK, [loss.name for loss in losses])
            for loss in losses:
                moved = loss.positions
                await connection.execute(
                    MOVE,
                    loss.name,
                    [one.consumer for one in moved],
                    [one.generation for one in moved],
                    [one.partition for one in moved],
                    offsets[loss.name],
                )
                await connection.execute(
                    ENDS, loss.name, list(loss.log), [end for _, end in loss.log.values()]
                )
                for statement in FORGET:
                    await connection.execute(statement, loss.name)
            is_lost = any(loss.reasons for loss in losses)
            known: Any = await connection.fetchval(CLUSTER, now.cluster, int(is_lost))
            if known is None:
                await connection.execute(FIRST_CLUSTER, now.cluster)
            for loss in losses:
                await connection.execute(GO_ON, loss.topic.name)
                await lift(connection, loss.topic.name, loss.partitions)


def _reasons(losses: Sequence[TopicLoss]) -> tuple[str, ...]:
    begun = [
        f"a restore of {loss.topic.name} was begun and not finished"
        for loss in losses
        if loss.is_begun
    ]
    every = [reason for loss in losses for reason in loss.reasons]
    return tuple(dict.fromkeys([*every, *begun]))


@asynccontextmanager
async def restoring(
    settings: Settings, tell: Tell, failpoint: Failpoint = no_failpoint
) -> AsyncIterator[Restoration]:
    """The one who may restore; raises CannotRestore while somebody else does, or grows a topic."""
    async with looking(settings, COMMAND_SECONDS) as look:
        if not await alone(look):
            raise CannotRestore("another command is restoring or growing a topic")
        yield Restoration(look, tell, failpoint)
