"""When a consumer fails so often that it must stop rather than empty its topics into the dead
letters. Pure.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

GOOD, BAD = ".", "x"
# What a tenant's own data or configuration brings about says nothing against the consumer, and must
# not stop others.
COUNTED = frozenset({"undecodable", "permanent", "bug", "internal"})
NOBODY = ""
MOST_WITNESSES = 8
WITNESS_SECONDS = 86_400.0

Result = tuple[bool, UUID | None]
"""Whether a message went well, and whose it is: None for a record that cannot be read, which is
nobody's.
"""


@dataclass(frozen=True, slots=True)
class BreakerLimits:
    """How much may fail; past either limit the consumer pauses."""

    max_run: int = 20  # failures one after the other
    max_ratio: float = 0.5  # of the last `window` messages, once there are `minimum`
    window: int = 200
    minimum: int = 50

    def __post_init__(self) -> None:
        if (
            not 0 < self.max_run < self.window
            or not 0 < self.minimum <= self.window
            or not 0 < self.max_ratio <= 1
        ):
            raise ValueError(f"these limits never trip, or always: {self}")

    @property
    def max_of_tenant(self) -> int:
        """How many failures of one tenant count while another tenant's messages go well: a third
        of a run.
        """
        return max(1, (self.max_run + 1) // 3)


@dataclass(frozen=True, slots=True)
class Judgement:
    """The latest outcomes, oldest first, a character each; why it is too much, if it is; how many
    may yet fail.

    `failed` names the tenant of each failure in `recent`. `witnesses` are tenants whose latest
    message went well, with the time in seconds; `alone` are those that failed past what counts of
    one tenant.
    """

    recent: str
    too_much: str | None = None
    allowed: int = 0
    failed: tuple[str, ...] = ()
    witnesses: Mapping[str, float] = field(default_factory=dict)
    alone: frozenset[UUID] = frozenset()


def judge(
    before: Judgement, results: Iterable[Result], limits: BreakerLimits, at: float = 0.0
) -> Judgement:
    """Add results in their order; it stops at the first that is too much.

    The first `allowed` failures do not count: an operator has said that what is in the log cannot
    be fixed. Nor do further failures of one tenant while another tenant is a witness that the
    consumer works: one tenant alone, however much it sends, stops nobody. Where no other tenant is
    seen to be well, every failure counts.
    """
    window = _Window(before, limits, at)
    for good, tenant in results:
        too_much = window.add(good, tenant)
        if too_much is not None:
            return window.judgement(too_much)
    return window.judgement(None)


class _Window:
    """A judgement while results are added."""

    def __init__(self, before: Judgement, limits: BreakerLimits, at: float) -> None:
        self._limits, self._at = limits, at
        self._recent, self._allowed = before.recent, before.allowed
        bad = before.recent.count(BAD)
        # A process of the version before writes `recent` alone: whose its failures are is not
        # known.
        self._failed = list(before.failed) if len(before.failed) == bad else [NOBODY] * bad
        self._witnesses = {
            who: when for who, when in before.witnesses.items() if at - when < WITNESS_SECONDS
        }
        self._alone: set[UUID] = set()

    def add(self, good: bool, tenant: UUID | None) -> str | None:
        """Why it is too much with this one."""
        who = NOBODY if tenant is None else tenant.hex
        self._witnesses.pop(who, None)
        if good:
            self._see(who)
        elif self._allowed > 0:
            self._allowed -= 1
        elif (
            tenant is not None
            and self._witnesses
            and self._failed.count(who) >= self._limits.max_of_tenant
        ):
            self._alone.add(tenant)
            return None
        else:
            self._failed.append(who)
            self._push(BAD)
            return self._too_much()
        self._push(GOOD)
        return None

    def judgement(self, too_much: str | None) -> Judgement:
        """What is known now."""
        return Judgement(
            self._recent,
            too_much,
            self._allowed,
            tuple(self._failed),
            self._witnesses,
            frozenset(self._alone),
        )

    def _see(self, who: str) -> None:
        if who != NOBODY:
            self._witnesses[who] = self._at
            while len(self._witnesses) > MOST_WITNESSES:
                del self._witnesses[next(iter(self._witnesses))]

    def _push(self, mark: str) -> None:
        self._recent += mark
        gone, self._recent = (
            self._recent[: -self._limits.window],
            self._recent[-self._limits.window :],
        )
        del self._failed[: gone.count(BAD)]

    def _too_much(self) -> str | None:
        recent, limits = self._recent, self._limits
        if len(recent) - len(recent.rstrip(BAD)) > limits.max_run:
            return f"more than {limits.max_run} failures in a row"
        bad = recent.count(BAD)
        if len(recent) >= limits.minimum and bad > limits.max_ratio * len(recent):
            return f"{bad} of the last {len(recent)} failed, more than {limits.max_ratio:.0%}"
        return None
