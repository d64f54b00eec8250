"""Names what went wrong: what clients were told, held against the final state. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

Kind = Literal[
    "lost",
    "duplicate effect",
    "phantom",
    "reordered",
    "stuck job",
    "wrong end",
    "double billing",
    "not billed",
    "view differs",
    "non-monotone read",
    "unsent",
    "dead letter",
]


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken promise."""

    kind: Kind
    what: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A 202: message `number` of a source, whose messages are sent one after the other, is this
    event.
    """

    source: str
    number: int
    event_id: str


@dataclass(frozen=True, slots=True)
class Seen:
    """One appearance of an event, in the order of the log or the partition."""

    source: str
    event_id: str


@dataclass(frozen=True, slots=True)
class Bill:
    """A usage record."""

    meter: str
    subject: str
    quantity: Decimal
    event_ids: tuple[str, ...]


@dataclass(frozen=True)
class Told:
    """What clients know: every 202, the jobs that follow from them, and what reads of one
    counter said in turn.
    """

    answers: Sequence[Answer]
    jobs: frozenset[str]
    reads: Sequence[Decimal] = ()


@dataclass(frozen=True)
class Final:
    """What there is when everything has settled."""

    topic: Sequence[Seen]
    log: Sequence[Seen]
    jobs: Mapping[str, tuple[str, int]]
    """State and version of each job in its owner's row."""
    ends: Sequence[str]
    """One job id for each distinct ending that stands on the topic."""
    bills: Sequence[Bill]
    shown_jobs: Mapping[str, tuple[str, int]]
    shown_usage: Mapping[str, Decimal]
    models: Sequence[tuple[str, str, float]] = ()
    """(job, metric, value) of each model version; `shown_models` are the points of the trend."""
    shown_models: Sequence[tuple[str, str, float]] = ()
    outbox: int = 0
    dead_letters: Sequence[str] = field(default=())


def check(told: Told, final: Final) -> list[Violation]:
    """Every violation, none when all promises were kept."""
    return [
        *_identities(told),
        *_appearances(told, final.topic, "the topic"),
        *_appearances(told, final.log, "the log"),
        *_repeated(final.log),
        *_jobs(told, final),
        *_billing(told, final),
        *_views(final),
        *_reads(told),
        *(
            [Violation("unsent", f"{final.outbox} events are still in the outbox")]
            if final.outbox
            else []
        ),
        *(Violation("dead letter", one) for one in final.dead_letters),
    ]


def _identities(told: Told) -> Iterator[Violation]:
    """One message is one event, however often it was sent."""
    events: dict[tuple[str, int], set[str]] = {}
    for answer in told.answers:
        events.setdefault((answer.source, answer.number), set()).add(answer.event_id)
    for (source, number), ids in events.items():
        if len(ids) > 1:
            yield Violation(
                "duplicate effect", f"message {number} of {source} became the events {sorted(ids)}"
            )


def _appearances(told: Told, seen: Sequence[Seen], where: str) -> Iterator[Violation]:
    """Each accepted event is there, nothing else is, and first appearances are in the order of
    sending.
    """
    numbers = {answer.event_id: answer.number for answer in told.answers}
    there = {one.event_id for one in seen}
    for answer in {one.event_id: one for one in told.answers}.values():
        if answer.event_id not in there:
            yield Violation("lost", f"message {answer.number} of {answer.source} is not in {where}")
    firsts: dict[str, list[int]] = {}
    met: set[str] = set()
    for one in seen:
        if one.event_id in met:
            continue
        met.add(one.event_id)
        if one.event_id not in numbers:
            yield Violation(
                "phantom", f"{one.event_id} of {one.source} in {where} was told to nobody"
            )
        else:
            firsts.setdefault(one.source, []).append(numbers[one.event_id])
    for source, order in firsts.items():
        highest = -1
        for number in order:
            if number < highest:
                yield Violation(
                    "reordered", f"in {where} message {number} of {source} comes after {highest}"
                )
            highest = max(highest, number)


def _repeated(log: Sequence[Seen]) -> Iterator[Violation]:
    """The topic may hold copies of an event, the log may not."""
    for event_id, times in Counter(one.event_id for one in log).items():
        if times > 1:
            yield Violation("duplicate effect", f"{event_id} is {times} times in the log")


def _jobs(told: Told, final: Final) -> Iterator[Violation]:
    """Each job that was asked for ends once, in success, and there are no others."""
    ends = Counter(final.ends)
    for job in sorted(told.jobs):
        state = final.jobs.get(job, ("missing", 0))[0]
        if state == "missing":
            yield Violation("lost", f"job {job} is unknown")
        elif state in ("failed", "canceled", "expired"):
            yield Violation("wrong end", f"job {job} is {state}")
        elif state != "succeeded":
            yield Violation("stuck job", f"job {job} is {state}")
        elif ends[job] == 0:
            yield Violation("lost", f"the end of job {job} is not on the topic")
    for job, times in ends.items():
        if times > 1:
            yield Violation("duplicate effect", f"job {job} ended {times} times")
    for job in sorted(set(final.jobs) - told.jobs):
        yield Violation("phantom", f"nobody asked for job {job}")
    for (job, metric), times in Counter((job, metric) for job, metric, _ in final.models).items():
        if times > 1:
            yield Violation(
                "duplicate effect", f"job {job} registered {times} models with a {metric}"
            )


def _billing(told: Told, final: Final) -> Iterator[Violation]:
    """Each webhook stands on one record, and each succeeded job on one record of each of its
    meters.
    """
    accepted = {answer.event_id for answer in told.answers}
    webhooks = [bill for bill in final.bills if bill.meter == "webhook_events"]
    billed = Counter(event_id for bill in webhooks for event_id in bill.event_ids)
    for bill in webhooks:
        if bill.quantity != len(bill.event_ids):
            yield Violation(
                "double billing", f"{bill.quantity} billed for {len(bill.event_ids)} webhooks"
            )
    for event_id in sorted(accepted - set(billed)):
        yield Violation("not billed", f"webhook {event_id}")
    for event_id, times in billed.items():
        if event_id not in accepted:
            yield Violation("phantom", f"webhook {event_id} is billed and was told to nobody")
        elif times > 1:
            yield Violation("double billing", f"webhook {event_id} is billed {times} times")
    for meter in ("jobs", "training_seconds"):
        counted = Counter(bill.subject for bill in final.bills if bill.meter == meter)
        for job in sorted(told.jobs - set(counted)):
            yield Violation("not billed", f"{meter} of job {job}")
        for job, times in counted.items():
            if times > 1:
                yield Violation("double billing", f"{meter} of job {job}: {times} records")
            if job not in told.jobs:
                yield Violation("phantom", f"{meter} of job {job}, which nobody asked for")


def _views(final: Final) -> Iterator[Violation]:
    """The projections say what the owners' rows say."""
    for job in sorted(set(final.jobs) | set(final.shown_jobs)):
        owner, shown = final.jobs.get(job), final.shown_jobs.get(job)
        if owner != shown:
            yield Violation("view differs", f"job {job} is {owner}, shown as {shown}")
    sums: dict[str, Decimal] = {}
    for bill in final.bills:
        sums[bill.meter] = sums.get(bill.meter, Decimal(0)) + bill.quantity
    for meter in sorted(set(sums) | set(final.shown_usage)):
        if sums.get(meter) != final.shown_usage.get(meter):
            yield Violation(
                "view differs",
                f"{meter}: {sums.get(meter)}, shown as {final.shown_usage.get(meter)}",
            )
    if sorted(final.models) != sorted(final.shown_models):
        yield Violation("view differs", "the trend's points are not those of the model versions")


def _reads(told: Told) -> Iterator[Violation]:
    """A read model only moves forward."""
    for before, after in zip(told.reads, told.reads[1:], strict=False):
        if after < before:
            yield Violation("non-monotone read", f"a counter was read as {before}, then as {after}")
