"""What a run of chaos says in the end."""

from collections import Counter
from collections.abc import Mapping, Sequence

from tests.chaos.checker import Final, Violation
from tests.chaos.traffic import Traffic


def report(
    title: str,
    traffic: Traffic,
    final: Final,
    found: Sequence[Violation],
    recovery: Mapping[str, float],
    drained_seconds: float,
) -> str:
    """Figures, with N and the bound that it allows (the rule of three)."""
    kinds = Counter(one.kind for one in found)
    n = traffic.accepted
    bound = (
        f"0 of {n}, at most {3 / max(1, n):.5f} at 95 %"
        if not found
        else f"{len(found)} violations"
    )
    copies = len(final.topic) - len({one.event_id for one in final.topic})
    duplicated = kinds["duplicate effect"] + kinds["double billing"]
    other = len(found) - kinds["lost"] - duplicated - kinds["reordered"]
    paths = ", ".join(f"{name} {seconds:.1f}" for name, seconds in recovery.items())
    lines = [
        f"{title}: {bound}",
        (
            f"  {len(traffic.answers)} answers 202 for {n} events, {len(traffic.jobs)} jobs, "
            f"{len(traffic.reads)} reads"
        ),
        (
            f"  lost {kinds['lost']}, duplicated {duplicated}, reordered {kinds['reordered']}, other "
            f"{other}"
        ),
        (
            f"  {copies} copies on the topic, longest wait for a 202 "
            f"{traffic.longest_wait_seconds:.1f} s"
        ),
        f"  refused meanwhile {dict(traffic.refused)}",
        f"  recovery seconds {paths or 'not taken'}",
        f"  settled {drained_seconds:.1f} s after the last message",
        *(f"  {one.kind}: {one.what}" for one in found[:20]),
    ]
    return "\n".join(lines)
