"""Trains one model, in a child process: reads, plans, fits, measures, and leaves the model's files behind."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from consumers.training.labels import label_text
from consumers.training.options import Options, read_options
from consumers.training.plan import Plan, make_plan
from consumers.training.protocol import TrainRequest, TrainResult
from consumers.training.table import Array, Table, read_table, target_array
from consumers.training.task import check_classes, check_distinct, check_rows, check_task, infer_task


def run(payload: Mapping[str, Any], report: Callable[[str, float], None]) -> dict[str, Any]:
    """The files go to the current directory, which is the child's own."""
    return train(TrainRequest.model_validate(payload), Path.cwd(), report).model_dump(mode="json")


def train(request: TrainRequest, directory: Path, report: Callable[[str, float], None]) -> TrainResult:
    started = time.monotonic()
    options = read_options(request.options, request.seed)
    report("reading", 0.0)
    table = read_table(Path(request.path), request.columns, request.target)
    plan = request.plan or _plan(table, request, options)
    target = _target(table, plan, request.target)

    from consumers.training.artifact import save  # the readers of a refusal need not wait for these libraries
    from consumers.training.fit import fit

    fitted = fit(table, target, plan, report, deadline=started + plan.budget_seconds)
    report("saving", 0.95)
    artifacts = save(directory, fitted, table, request.target, plan)
    return TrainResult(
        task=plan.task,
        target=request.target,
        chosen=fitted.chosen,
        metrics=fitted.metrics,
        baseline=fitted.baseline,
        details=fitted.details,
        plan=plan,
        cut_short=fitted.cut_short,
        artifacts=artifacts,
    )


def _plan(table: Table, request: TrainRequest, options: Options) -> Plan:
    rows = table.target.len()
    check_rows(rows, request.target)
    task = options.task or infer_task(table.target_type, table.target.n_unique(), rows)
    return make_plan(task, rows, len(table.columns), request.budget_seconds, options.seed, options.profile)


def _target(table: Table, plan: Plan, name: str) -> Array:
    """The target's values, if a model can be learned from them; refuses otherwise."""
    check_rows(table.target.len(), name)
    check_task(plan.task, table.target_type, name)
    check_distinct(table.target.n_unique(), name)
    target = target_array(table, plan.task)
    if plan.task == "classification":
        check_classes(Counter(label_text(label) for label in target.tolist()), name)
    return target
