"""What a target column asks for, and whether it can be learned."""

from __future__ import annotations

from collections.abc import Mapping

from consumers.training.plan import Task
from consumers.training.protocol import ColumnType
from consumers.work.child import Refusal
from schemas.bounds import cut, size_of

MIN_ROWS = 10
MIN_ROWS_PER_CLASS = 2
MAX_CLASSES = 200
MAX_LABEL_BYTES = 1000  # the measures of a model, an event, name every class
FEW_INTEGERS = 20


def infer_task(kind: ColumnType, distinct: int, rows: int) -> Task:
    """Text and booleans are classes; integers are when they are few, at most 20 and one per five rows."""
    if kind in ("text", "boolean"):
        return "classification"
    if kind == "integer" and distinct <= max(2, min(FEW_INTEGERS, rows // 5)):
        return "classification"
    return "regression"


def check_task(task: Task, kind: ColumnType, target: str) -> None:
    if task == "regression" and kind in ("text", "boolean"):
        message = f"the column {target!r} is {kind}; regression needs numbers"
        raise Refusal("user_config", "task_unsuitable", message)


def check_rows(rows: int, target: str) -> None:
    if rows < MIN_ROWS:
        message = f"{rows} rows have a value in {target!r}; at least {MIN_ROWS} are needed"
        raise Refusal("user_data", "too_few_rows", message)


def check_distinct(distinct: int, target: str) -> None:
    if distinct < 2:
        raise Refusal("user_data", "target_unusable", f"the column {target!r} has the same value in all rows")


def check_classes(counts: Mapping[str, int], target: str) -> None:
    """`counts` is rows by class."""
    if len(counts) > MAX_CLASSES:
        message = f"the column {target!r} has {len(counts)} classes, {MAX_CLASSES} are allowed"
        raise Refusal("user_data", "target_unusable", message)
    longest = max(counts, key=size_of)
    if size_of(longest) > MAX_LABEL_BYTES:
        message = (
            f"a class of {target!r} is a text of {size_of(longest)} bytes, "
            f"{MAX_LABEL_BYTES} are allowed: {cut(longest, 40)!r}"
        )
        raise Refusal("user_data", "target_unusable", message)
    rare = sorted(label for label, count in counts.items() if count < MIN_ROWS_PER_CLASS)
    if rare:
        named = ", ".join(repr(cut(label, 40)) for label in rare[:5]) + (" …" if len(rare) > 5 else "")
        message = f"each class of {target!r} needs {MIN_ROWS_PER_CLASS} rows; too few have {named}"
        raise Refusal("user_data", "target_unusable", message)
