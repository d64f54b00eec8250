"""A file through validation and training, in this process."""

from pathlib import Path
from typing import Any

from consumers.ingest.csv_check import check
from consumers.ingest.protocol import ValidateRequest
from consumers.training.child import train
from consumers.training.protocol import Column, TrainRequest, TrainResult
from consumers.work.child import ChildRefusal

ONE_CANDIDATE = 1.0
"""A budget in which the simplest candidate alone is tried."""


def silent(_stage: str, _fraction: float) -> None:
    """Progress that nobody looks at."""


def outcome(
    directory: Path, text: str, target: str, options: dict[str, Any] | None = None, **more: Any
) -> TrainResult | ChildRefusal | None:
    """The result of a training, or its refusal; None when validation rejects the file."""
    path = directory / "data.csv"
    path.write_text(text, encoding="utf-8")
    checked = check(ValidateRequest(path=str(path)), silent)
    if not checked.valid:
        return None
    columns = tuple(
        Column(name=one.name, type=one.type, missing=one.missing or (), looks_like=one.looks_like)
        for one in checked.columns
    )
    asked = {"budget_seconds": ONE_CANDIDATE, "options": options or {}} | more
    try:
        return train(
            TrainRequest(path=str(path), columns=columns, target=target, **asked), directory, silent
        )
    except ChildRefusal as refusal:
        return refusal


def result(
    directory: Path, text: str, target: str, options: dict[str, Any] | None = None, **more: Any
) -> TrainResult:
    """The result of a training that succeeds."""
    found = outcome(directory, text, target, options, **more)
    assert isinstance(found, TrainResult), found
    return found


def refused(
    directory: Path, text: str, target: str, options: dict[str, Any] | None = None, **more: Any
) -> ChildRefusal:
    """The refusal of a training."""
    found = outcome(directory, text, target, options, **more)
    assert isinstance(found, ChildRefusal), found
    return found


def csv_of(header: str, rows: list[str]) -> str:
    """A file of these lines."""
    return "\n".join([header, *rows]) + "\n"
