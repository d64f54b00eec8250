"""Trains one model, in a child process: reads, plans, fits, measures, and leaves the model's
files behind.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from consumers.training.features import left_out, without
from consumers.training.labels import label_text
from consumers.training.notes import merged_classes
from consumers.training.options import Options, read_options
from consumers.training.plan import LeftOut, Plan, Task, make_plan
from consumers.training.protocol import Details, TrainRequest, TrainResult
from consumers.training.table import (
    Array,
    Table,
    has_fractions,
    is_whole,
    read_table,
    spellings,
    target_array,
)
from consumers.training.task import (
    TargetValues,
    check_classes,
    check_distinct,
    check_rows,
    check_task,
    infer_task,
)

BY_PLAN = "the plan leaves it out"
MOST_LEFT_OUT = 200
"""So many columns are left out with their reasons in a result, which is an event."""


def run(payload: Mapping[str, Any], report: Callable[[str, float], None]) -> dict[str, Any]:
    """The files go to the current directory, which is the child's own."""
    return train(TrainRequest.model_validate(payload), Path.cwd(), report).model_dump(mode="json")


def train(
    request: TrainRequest, directory: Path, report: Callable[[str, float], None]
) -> TrainResult:
    started = time.monotonic()
    options = read_options(request.options, request.seed)
    report("reading", 0.0)
    table = read_table(Path(request.path), request.columns, request.target)
    unusable = left_out(table)
    if request.plan:
        plan, target = _stored(request.plan, table, request)
    else:
        plan, target = _planned(table, request, options, unusable)
    reasons = {one.name: one.reason for one in unusable}
    out = [LeftOut(name=one, reason=reasons.get(one, BY_PLAN)) for one in plan.columns_left_out]
    used = without(table, out, request.target)

    from consumers.training.artifact import (
        save,
    )  # the readers of a refusal need not wait for these libraries
    from consumers.training.fit import fit

    with in_range(request):
        fitted = fit(used, target, plan, report, deadline=started + plan.budget_seconds)
    details = _remarked(fitted.details, out, _merged(table, plan.task, request))
    fitted = replace(fitted, details=details)
    report("saving", 0.95)
    artifacts = save(directory, fitted, used, request.target, plan)
    return TrainResult(
        task=plan.task,
        target=request.target,
        chosen=fitted.chosen,
        metrics=fitted.metrics,
        baseline=fitted.baseline,
        details=details,
        plan=plan,
        cut_short=fitted.cut_short,
        artifacts=artifacts,
    )


def _stored(plan: Plan, table: Table, request: TrainRequest) -> tuple[Plan, Array]:
    check_rows(table.target.len(), request.target)
    return plan, _target(table, plan.task, request)


def _remarked(details: Details, out: Sequence[LeftOut], merged: Sequence[str]) -> Details:
    """With the columns that were left out, and the notes on the classes; of bounded size."""
    more = len(out) - MOST_LEFT_OUT
    rest = (
        (f"{more} more columns are not used: plan.columns_left_out names them",) if more > 0 else ()
    )
    notes = (*merged, *details.notes, *rest)
    return details.model_copy(update={"left_out": tuple(out[:MOST_LEFT_OUT]), "notes": notes})


def _merged(table: Table, task: Task, request: TrainRequest) -> tuple[str, ...]:
    """A note for classes whose numbers are written in several ways."""
    if task != "classification" or table.target_type not in ("integer", "number"):
        return ()
    found = spellings(Path(request.path), request.columns, request.target)
    return merged_classes(found, request.target)


def _planned(
    table: Table, request: TrainRequest, options: Options, out: Sequence[LeftOut]
) -> tuple[Plan, Array]:
    rows = table.target.len()
    check_rows(rows, request.target)
    task, reason = _task(table, request, options)
    target = _target(table, task, request)
    without(table, out, request.target)

    from consumers.training.pipeline import folds_for, split

    plan = make_plan(
        task,
        rows,
        len(table.columns) - len(out),
        request.budget_seconds,
        options.seed,
        options.profile,
        classes=len(set(target.tolist())) if task == "classification" else 1,
    ).model_copy(update={"task_reason": reason, "columns_left_out": tuple(one.name for one in out)})
    train, _, _ = split(target, plan)
    return plan.model_copy(update={"folds": folds_for(target[train], plan)}), target


def _task(table: Table, request: TrainRequest, options: Options) -> tuple[Task, str]:
    if options.task:
        return options.task, "asked for"
    if request.model_task:
        return request.model_task, "the task of the model's earlier versions"
    counts = table.target.value_counts()["count"]
    kind = "integer" if is_whole(table) else table.target_type
    rarest = min(counts.to_list(), default=0)
    values = TargetValues(kind, table.target.len(), counts.len(), rarest, has_fractions(table))
    return infer_task(values)


def _target(table: Table, task: Task, request: TrainRequest) -> Array:
    """The target's values, if a model can be learned from them; refuses otherwise."""
    name = request.target
    check_task(task, table.target_type, name)
    rows = table.target.len()
    check_distinct(table.target.n_unique(), name, rows=rows, empty=table.rows_without_target)
    target = target_array(table, task)
    if task == "classification":
        counts = Counter(label_text(label) for label in target.tolist())
        check_classes(counts, name, table.target_type, request.model_task)
    else:
        from consumers.training.ranges import check_target

        with in_range(request):
            check_target(target, name)
    return target


@contextmanager
def in_range(request: TrainRequest) -> Iterator[None]:
    """Numbers that cannot be computed with become a refusal that names their rows."""
    from consumers.training.ranges import OutOfRange, refusal_of

    try:
        yield
    except OutOfRange as found:
        raise refusal_of(found, Path(request.path), request.columns) from None
