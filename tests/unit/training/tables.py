"""CSV files that a user could upload, drawn by chance: names, kinds of columns and gaps of every
sort.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

NAMES = (
    "*",
    "^a.*$",
    "^.*$",
    "a",
    "ab",
    "value",
    "Größe",
    "with space",
    "class",
    "0",
    "1.5",
    "target",
    "count",
    "filled:a",
    "a.b",
    "[x]",
    "{y}",
    "%s",
    "__index__",
    "literal",
    "x" * 200,
)
WORDS = (
    "red",
    "green",
    "blue",
    "NA-like",
    "n",
    "true story",
    "Zürich",
    "a,b",
    'say "x"',
    "long " * 60,
)


@dataclass(frozen=True)
class Drawn:
    """A file, and what is asked for."""

    text: str
    target: str
    options: dict[str, object]
    budget_seconds: float


def _numbers(low: float, high: float) -> st.SearchStrategy[str]:
    return st.floats(low, high, allow_nan=False).map(repr)


HUGE = st.sampled_from(
    ["1e308", "-1.7e308", "1e160", "1e150", "1e60", "1e39", "1e-300", "0", "1", "5e-324"]
)
KINDS: dict[str, st.SearchStrategy[str]] = {
    "rare": st.sampled_from(["no"] * 12 + ["yes"]),
    "few": st.sampled_from(["a", "b", "c"]),
    "zero_one": st.sampled_from(["0", "1"]),
    "zero_one_whole": st.sampled_from(["0.0", "1.0", "-0.0"]),
    "ratings": st.integers(1, 10).map(str),
    "integers": st.integers(-(10**6), 10**6).map(str),
    "long_integers": st.integers(10**18, 10**22).map(str),
    "zeros": st.integers(0, 99).map(lambda number: f"{number:05d}"),
    "numbers": _numbers(-1e3, 1e3),
    "huge": HUGE,
    "mostly_one": st.sampled_from(["0.1"] * 15 + ["1e60", "1e-200"]),
    "constant": st.just("7"),
    "boolean": st.sampled_from(["true", "False", "TRUE"]),
    "one_true": st.sampled_from(["false"] * 15 + ["true"]),
    "words": st.sampled_from(WORDS),
    "free_text": st.text(
        st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=40
    ),
    "ids": st.uuids().map(str),
    "dates": st.dates().map(str),
    "times": st.datetimes().map(lambda time: time.isoformat()),
    "markers": st.sampled_from(["1", "2.5", "NA", "n/a", "?", "None", "-", "null", "#N/A"]),
    "mixed": st.sampled_from(["1", "2.0", "true", "red", "2024-01-01", "007"]),
    "empty": st.just(""),
}


# What is mostly predicted: else most examples end as a refusal before anything is fitted.
TARGETS = (
    "rare",
    "few",
    "zero_one",
    "zero_one_whole",
    "ratings",
    "integers",
    "numbers",
    "boolean",
    "one_true",
    "words",
)


@st.composite
def tables(draw: st.DrawFn) -> Drawn:
    """A table of 2 to 5 columns and 10 to 40 rows, with gaps in some columns."""
    rows = draw(st.integers(12, 40))
    names = draw(st.lists(st.sampled_from(NAMES), min_size=2, max_size=5, unique=True))
    target = st.sampled_from(TARGETS) if draw(st.integers(0, 5)) else st.sampled_from(sorted(KINDS))
    columns = [
        _column(draw, rows, draw(target if place == 0 else _features()))
        for place in range(len(names))
    ]
    options: dict[str, object] = {"seed": draw(st.integers(0, 5))}
    if task := draw(st.sampled_from([None, None, None, "classification", "regression"])):
        options["task"] = task
    # With a second the simplest candidate alone is tried, with a minute all of them.
    budget = draw(st.sampled_from([1.0] * 7 + [60.0]))
    return Drawn(_written(names, columns), names[0], options, budget)


def _features() -> st.SearchStrategy[str]:
    """Numbers that are refused end a training early, so they are rarer."""
    return st.sampled_from(sorted(set(KINDS) - {"huge"}) * 3 + ["huge"])


def _column(draw: st.DrawFn, rows: int, kind: str) -> list[str]:
    values = draw(st.lists(KINDS[kind], min_size=rows, max_size=rows))
    if draw(st.integers(0, 2)):
        return values
    gaps = draw(st.sets(st.integers(0, rows - 1), max_size=rows // 3))
    return ["" if row in gaps else value for row, value in enumerate(values)]


def _written(names: Sequence[str], columns: Sequence[Sequence[str]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(zip(*columns, strict=True))
    return out.getvalue()
