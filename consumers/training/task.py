"""What a target column asks for, and whether it can be learned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from consumers.training.plan import Task
from consumers.training.protocol import ColumnType
from consumers.work.child import ChildRefusal
from schemas.bounds import cut, size_of

MIN_ROWS = 10
MIN_ROWS_PER_CLASS = 2
MAX_CLASSES = 200
MAX_LABEL_BYTES = 1000  # the measures of a model, an event, name every class
FEW_INTEGERS = 20
TWO_VALUES = 2
WAY_OUT = "; to predict it as a number, ask for options.task=regression"
WAY_OUT_OF_MODEL = WAY_OUT.replace("ask for", "start a job with another model name and")


@dataclass(frozen=True, slots=True)
class TargetValues:
    """What counts of a target: `kind` is "integer" for whole numbers however they are written."""

    kind: ColumnType
    rows: int
    distinct: int
    rarest: int
    """Rows of the value that has the fewest."""
    fractions: bool = True
    """Of a number: whether one is no whole number.

    Else one is too large for its digits to be exact.
    """


def infer_task(target: TargetValues) -> tuple[Task, str]:
    """The task, and why it is that one.

    Text and booleans are classes. Whole numbers are when they are few (at most 20, and one per five
    rows; two always) and each has two rows, or there are only two of them.
    """
    if target.kind in ("text", "boolean"):
        return "classification", f"the target is {target.kind}"
    if target.kind == "number":
        large = "the target has whole numbers beyond 2^53, which are not exact"
        return "regression", "the target has fractions" if target.fractions else large
    most = max(TWO_VALUES, min(FEW_INTEGERS, target.rows // 5))
    if target.distinct > most:
        return (
            "regression",
            f"the target has {target.distinct} whole numbers, at most {most} would be classes",
        )
    if target.rarest < MIN_ROWS_PER_CLASS and target.distinct > TWO_VALUES:
        why = f"a value of the target has fewer than {MIN_ROWS_PER_CLASS} rows, too few for a class"
        return "regression", why
    return "classification", f"the target has {target.distinct} whole numbers"


def check_task(task: Task, kind: ColumnType, target: str) -> None:
    if task == "regression" and kind in ("text", "boolean"):
        message = f"the column {target!r} is {kind}; regression needs numbers"
        raise ChildRefusal("user_config", "task_unsuitable", message)


def check_rows(rows: int, target: str) -> None:
    if rows < MIN_ROWS:
        message = f"{rows} rows have a value in {target!r}; at least {MIN_ROWS} are needed"
        if not rows:
            message += (
                "; if it has words such as none or -, they were read as missing (the dataset's "
                f"report names them): to keep them upload the file with types={target}:text"
            )
        raise ChildRefusal("user_data", "too_few_rows", message)


def check_distinct(distinct: int, target: str, *, rows: int, empty: int) -> None:
    """`rows` have a value in the target, `empty` more have none."""
    if distinct < TWO_VALUES:
        gaps = f" that have one, {rows} of {rows + empty} ({empty} are empty)" if empty else ""
        message = (
            f"the column {target!r} has the same value in all rows{gaps}; at least two "
            "values are needed"
        )
        raise ChildRefusal("user_data", "target_unusable", message)


def check_classes(
    counts: Mapping[str, int], target: str, kind: ColumnType, model_task: Task | None = None
) -> None:
    """`counts` is rows by class; a model that has a task keeps it."""
    numeric = kind in ("integer", "number")
    way_out = (WAY_OUT_OF_MODEL if model_task else WAY_OUT) if numeric else ""
    if len(counts) > MAX_CLASSES:
        message = (
            f"the column {target!r} has {len(counts)} classes, {MAX_CLASSES} are allowed{way_out}"
        )
        raise ChildRefusal("user_data", "target_unusable", message)
    longest = max(counts, key=size_of)
    if size_of(longest) > MAX_LABEL_BYTES:
        message = (
            f"a class of {target!r} is a text of {size_of(longest)} bytes, "
            f"{MAX_LABEL_BYTES} are allowed: {cut(longest, 40)!r}"
        )
        raise ChildRefusal("user_data", "target_unusable", message)
    rare = sorted(label for label, count in counts.items() if count < MIN_ROWS_PER_CLASS)
    if rare:
        named = ", ".join(repr(cut(label, 40)) for label in rare[:5]) + (
            " …" if len(rare) > 5 else ""
        )
        message = (
            f"each class of {target!r} needs {MIN_ROWS_PER_CLASS} rows; too few have "
            f"{named}{way_out}"
        )
        raise ChildRefusal("user_data", "target_unusable", message)
