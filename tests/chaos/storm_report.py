"""What a storm says in the end, for somebody who reads it once."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import get_args

from tests.chaos.storm_checker import Found, Kind, Violation
from tests.chaos.storm_senders import SCHEMES, Storm


def report(
    storm: Storm,
    found: Found,
    violations: Sequence[Violation],
    struck: Counter[str],
    proxy: Mapping[str, int],
    quiet_seconds: float,
    grown_bytes: int,
) -> str:
    """The promise first, then what it was put through."""
    n = storm.accepted
    kinds = Counter(one.kind for one in violations)
    there = {one.digest for one in found.log}
    unknown = [one for one in storm.sent if one.answered is None]
    kept = sum(one.digest in there for one in unknown)
    copies = len(found.topic) - len({one.event for one in found.topic})
    outcomes = storm.outcomes
    cut = sum(times for what, times in outcomes.items() if what.startswith("cut"))
    rate = len(storm.sent) / storm.seconds
    made = f"{len(storm.sent):,} webhooks in {storm.seconds:.0f} s ({rate:.0f}/s)"
    bound = f"0 of {n:,} webhooks, at most {3 / max(1, n):.6f} (3/N) at 95 %"
    lines = [
        f"storm: {bound if not violations else f'{len(violations)} VIOLATIONS in {n:,} webhooks'}; seed {storm.seed}",
        "  violations " + ", ".join(f"{kind} {kinds[kind]}" for kind in get_args(Kind)),
        f"  sent       {made} of {len(storm.sources)} sources, {len(SCHEMES)} schemes",
        (
            f"  answered   {n:,} accepted; {outcomes['of them duplicates']:,} more deliveries were "
            "known as duplicates"
        ),
        (
            f"  unknown    {len(unknown):,} were cut and never sent again; {kept:,} of them are "
            "there, each once"
        ),
        (
            f"  refused    {outcomes['503']:,} answers 503, {cut:,} times cut, "
            f"{outcomes['not connected']:,} not connected"
        ),
        "  struck     " + ", ".join(f"{what} ({times})" for what, times in struck.items()),
        "  proxy      " + ", ".join(f"{times:,} {what}" for what, times in sorted(proxy.items())),
        f"  copies     {copies:,} on the topic, which each consumer counts once",
        f"  waited     at most {storm.longest_wait_seconds:.1f} s for a 202",
        (
            f"  settled    all was sent on, billed and shown {quiet_seconds:.1f} s after the last "
            "webhook"
        ),
        f"  memory     the senders and their record grew by {grown_bytes / 2**20:.0f} MB",
        *(f"  {one.kind}: {one.what}" for one in violations[:20]),
        *(f"  not expected: {one}" for one in storm.surprises[:20]),
    ]
    return "\n".join(lines)
