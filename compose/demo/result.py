"""What the demo shows at its end: tables for people, the same as data for scripts."""

from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from compose.cli.output import number, sparkline, table
from compose.demo.flow import TREND_METRIC, Journey, Seen


def show(console: Console, seen: Seen) -> None:
    """All tables, the checks last."""
    console.print()
    _titled(console, "Metrics on held-out rows, beside the baseline", _metrics(seen))
    _titled(console, f"Trend of demo-wine, {TREND_METRIC}", _trend(seen))
    _titled(console, "Usage of this run", _usage(seen))
    if seen.journey is not None:
        _titled(console, "Journey of the webhook", _journey(seen.journey))
    _titled(console, "Checks", _checks(seen))
    held = sum(check.holds for check in seen.checks)
    colour = "green" if seen.holds else "red"
    console.print(f"[bold {colour}]{held} of {len(seen.checks)} checks hold[/], {seen.seconds:.1f} s")


def as_data(seen: Seen) -> dict[str, Any]:
    """The same for scripts."""
    return {
        "ok": seen.holds,
        "seconds": round(seen.seconds, 3),
        "checks": [asdict(check) for check in seen.checks],
        "trainings": [{"label": entry.label, "by": entry.by, "job": job} for entry, job in seen.trainings],
        "trend": list(seen.trend),
        "usage": {
            meter: {"before": str(seen.usage_before.get(meter, 0)), "after": str(value)}
            for meter, value in seen.usage_after.items()
        },
        "journey": None if seen.journey is None else asdict(seen.journey),
    }


def _titled(console: Console, title: str, shown: Table) -> None:
    console.print(f"[bold underline]{title}[/]")
    console.print(shown)
    console.print()


def _metrics(seen: Seen) -> Table:
    shown = table("training", "model", "metric", "value", "baseline", right=("value", "baseline"))
    for entry, job in seen.trainings:
        if job["state"] != "succeeded":
            continue
        model = f"{job['model']['name']} v{job['model']['version']}"
        for place, name in enumerate(entry.data.metrics):
            first = (entry.label, escape(model)) if place == 0 else ("", "")
            shown.add_row(*first, name, number(job["metrics"].get(name)), number(job["baseline"].get(name)))
    return shown


def _trend(seen: Seen) -> Table:
    shown = table("version", "value", "baseline", "trend", right=("version", "value", "baseline"))
    bars = sparkline([point["value"] for point in seen.trend])
    for place, point in enumerate(seen.trend):
        shown.add_row(
            number(point["version"]), number(point["value"]), number(point["baseline"]), bars[: place + 1]
        )  # fmt: skip
    return shown


def _usage(seen: Seen) -> Table:
    shown = table("meter", "before", "after", "this run", right=("before", "after", "this run"))
    for meter, after in sorted(seen.usage_after.items()):
        before = seen.usage_before.get(meter, type(after)(0))
        shown.add_row(escape(meter), f"{before:,}", f"{after:,}", f"+{after - before:,}")
    return shown


def _journey(journey: Journey) -> Table:
    shown = table("what", "id", "when")
    shown.add_row("webhook request", journey.request_id, "")
    shown.add_row("event, and correlation id", journey.event_id, "")
    for line in journey.timeline:
        shown.add_row(escape(line["type"]), line["event_id"], line["time"][11:23])
    shown.add_row("job", journey.job_id, "")
    shown.add_row("model version", escape(f"{journey.model} v{journey.version}"), "")
    return shown


def _checks(seen: Seen) -> Table:
    shown = table("", "check", "seen")
    for check in seen.checks:
        shown.add_row("[green]✓[/]" if check.holds else "[red]✗[/]", escape(check.name), escape(check.detail))
    return shown
