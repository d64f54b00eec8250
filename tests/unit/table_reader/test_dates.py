"""Dates are recognized in the forms that programs and people write, and told from what is none."""

from pathlib import Path

import pytest

from tests.unit.table_reader.reading import column


@pytest.mark.parametrize(
    "value",
    [
        "01-31-25",
        "31-01-25",
        "01-31-2025",
        "Jan-25",
        "Jan 2025",
        "01/2025",
        "31.1.25",
        "2025-01-31T10Z",
        "2025-01-31T10:30:00 Europe/Berlin",
        "2025-01-31T10:30:00Z[UTC]",
        "2025-01-31 10:30:00 CET",
        "2025-01-31T10:30:00+01:00[Europe/Berlin]",
        "Fri, 31 Jan 2025 10:30:00 GMT",
        "Friday, January 31, 2025",
        "Mon Jan 31 10:30:00 2025",
        "Fri Jan  3 10:30:00 UTC 2025",
        "31/Jan/2025:10:30:00 +0000",
        "[31/Jan/2025:10:30:00 +0000]",
        "31. Januar 2025",
        "3. März 2025",
        "31-JAN-25",
        "2025年1月31日",
        "10:30",
        "7:05:09 PM",
        "31.1.25 7:05",
    ],
)
def test_further_forms_of_dates_and_times_are_recognized(value: str, tmp_path: Path) -> None:
    found, findings = column(tmp_path, [value, "2024-12-31"] * 8)
    assert (found.type, found.looks_like) == ("text", "dates")
    assert findings["looks_like_dates"].samples == (value, "2024-12-31")


@pytest.mark.parametrize(
    "value",
    [
        "10-10-100",
        "20-20-20",
        "5-10-2",
        "1.2.3",
        "0.12.10",
        "10.0.0.1",
        "1:2",
        "25:10",
        "Marathon 12",
        "May",
        "Marx 2020",
        "2010/11",
        "31/2025",
        "13/2025",
        "Mon 12",
        "31 Main 12",
        "555-0131",
    ],
)
def test_versions_ratios_and_names_are_no_dates(value: str, tmp_path: Path) -> None:
    found, findings = column(tmp_path, [value, f"{value} "] * 8)
    assert found.looks_like is None
    assert not {"looks_like_dates", "mostly_dates"} & set(findings)


def test_integers_that_are_dates_are_said_and_stay_integers(tmp_path: Path) -> None:
    values = ["20250131", "20241231", "19991101"] * 4
    found, findings = column(tmp_path, [*values, "NA"])
    assert (found.type, found.looks_like, found.max) == ("integer", None, 20250131)
    finding = findings["looks_like_dates"]
    assert (finding.severity, finding.count, finding.rows[:2]) == ("warning", 12, (2, 3))
    for other in ("20251301", "20250132", "31", "-20250131"):
        assert "looks_like_dates" not in column(tmp_path, [*values, other])[1]
    assert column(tmp_path, values, types={"x": "integer"})[1] == {}
