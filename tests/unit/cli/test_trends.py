"""Trends on a terminal: which way is better, and which versions do not compare."""

from rich.console import Console
from rich.table import Table

from compose.cli.resources.trends import by_series, by_version


def point(version: int, value: float, same_dataset: bool | None) -> dict[str, object]:
    return {
        "model": "wine",
        "metric": "rmse",
        "version": version,
        "value": value,
        "baseline": 2.0,
        "better": "lower",
        "time": "2026-01-01T00:00:00+00:00",
        "dataset_id": f"dataset-{version}",
        "same_dataset": same_dataset,
    }


def printed(table: Table) -> str:
    console = Console(width=200)
    with console.capture() as capture:
        console.print(table)
    return capture.get()


POINTS = [point(1, 1.5, None), point(2, 1.4, True), point(3, 1.2, False)]


def test_a_version_of_another_dataset_is_marked() -> None:
    first, second, third = printed(by_version(POINTS)).splitlines()[1:]
    assert "other dataset than the version before" in third
    assert "other dataset" not in first + second
    assert "dataset-3" in third


def test_the_better_direction_is_said() -> None:
    (series,) = printed(by_series(POINTS)).splitlines()[1:]
    assert "lower" in series
    assert "other dataset than the version before" in series
