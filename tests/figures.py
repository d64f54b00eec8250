"""What Prometheus text says."""

from collections.abc import Mapping

from prometheus_client.parser import text_string_to_metric_families

from compose.telemetry.meters import meters

Figures = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


def figures(text: str | None = None) -> Figures:
    """By name and labels; of this process without a text."""
    shown = meters().text().decode() if text is None else text
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(shown)
        for sample in family.samples
    }


def of(found: Figures, figure: str, **labels: str) -> float | None:
    """One figure; labels without the prefix that ours share."""
    known = ("error_", "messaging_")
    mine = {
        name if name.startswith(known) else f"headrace_{name}": value
        for name, value in labels.items()
    }
    return found.get((f"headrace_{figure}", frozenset(mine.items())))


def grown(before: Figures, now: Figures, name: str, **labels: str) -> float:
    """By how much one grew."""
    return (of(now, name, **labels) or 0.0) - (of(before, name, **labels) or 0.0)
