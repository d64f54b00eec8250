"""The metrics and their table in docs/operations.md are the same."""

import re

from compose.telemetry.catalogue import METRICS
from compose.telemetry.meters import Meters
from tests.contract.house import ROOT

ROW = re.compile(
    r"^\| `(headrace\.[a-z_.]+)` \| (\S+) \| ([^|]*) \| [^|]+ \| [^|]+ \|$", re.MULTILINE
)


def documented() -> dict[str, tuple[str, tuple[str, ...]]]:
    text = (ROOT / "docs/operations.md").read_text()
    return {
        name: (unit, tuple(re.findall(r"`([^`]+)`", by))) for name, unit, by in ROW.findall(text)
    }


def test_each_documented_metric_exists_and_each_existing_one_is_documented() -> None:
    assert documented() == {one.name: (one.unit, one.attributes) for one in METRICS}
    assert len({one.name for one in METRICS}) == len(METRICS)


def test_prometheus_is_shown_each_of_them_by_its_kind() -> None:
    some = Meters()
    try:
        for one in METRICS:
            of = ("some",) * len(one.attributes)
            match one.kind:
                case "counter":
                    some.count(one, 1, *of)
                case "histogram":
                    some.record(one, 0.1, *of)
                case "gauge":
                    some.show(one, {of: 1.0})
        shown = dict(
            re.findall(r"^# TYPE (headrace_\w+) (\w+)$", some.text().decode(), re.MULTILINE)
        )
    finally:
        some.close()
    units = {"s": "_seconds", "By": "_bytes"}
    assert shown == {
        one.name.replace(".", "_")
        + units.get(one.unit, "")
        + ("_total" if one.kind == "counter" else ""): one.kind
        for one in METRICS
    }
