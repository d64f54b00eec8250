"""The data set and its moves: pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from consumers.ingest.protocol import ColumnProfile, ValidationResult
from schemas.bounds import size_of
from schemas.datasets import (
    Column,
    DatasetRejected,
    DatasetSubmitted,
    DatasetValidated,
    Finding,
    Reading,
)
from schemas.event import Cause, Event, following
from schemas.jobs import FailureClass

BY = "ingest"
State = Literal["submitted", "validated", "rejected"]
# An event must fit into a record; of a wide file it says less, and the row keeps all.
MOST_SAID_BYTES = 768 << 10
FINDINGS_SAID = (100, 10)
# Rules of findings that are not about the file: every attempt to look at it was lost.
NOT_THE_FILE = frozenset({"worker_lost", "worker_crashed", "object_missing", "object_store_away"})
INTERNAL = "internal"  # the rule of a finding that is this software's fault


@dataclass(frozen=True, slots=True)
class Dataset:
    """One data set as its owner holds it."""

    tenant: UUID
    id: UUID
    name: str
    state: State
    object_key: str
    size_bytes: int
    sha256: str
    aggregate_version: int
    created_at: datetime
    version: int | None = None
    rows: int | None = None
    columns: tuple[Column, ...] = ()
    findings: tuple[Finding, ...] = ()
    profile: tuple[dict[str, Any], ...] = ()
    reason: str | None = None
    reading: Reading | None = None
    reader: int | None = None

    @property
    def failure_class(self) -> FailureClass:
        """Whose fault it is that a job cannot have it."""
        lost = any(finding.rule in NOT_THE_FILE for finding in self.findings)
        return "infrastructure" if lost else "user_data"


def blames_the_file(rules: Iterable[str]) -> bool:
    """Whether findings of these rules are about the file.

    One that is not blamed may be good, and is kept.
    """
    return NOT_THE_FILE.union({INTERNAL}).isdisjoint(rules)


def submitted(event: Event, data: DatasetSubmitted, reading: Reading | None = None) -> Dataset:
    """What was stored, before anybody looked inside."""
    return Dataset(
        event.tenantid,
        data.dataset_id,
        data.name,
        "submitted",
        data.object_key,
        data.size_bytes,
        data.sha256,
        0,
        event.time,
        reading=reading,
    )


def validated(
    dataset: Dataset, result: ValidationResult, version: int, *, cause: Cause, at: datetime
) -> tuple[Dataset, Event]:
    """A table that can be trained on."""
    columns = tuple(
        Column(name=one.name, type=one.type, missing=one.missing, looks_like=one.looks_like)
        for one in result.columns
    )
    profile = tuple(_profile(one) for one in result.columns)
    after = replace(
        dataset,
        state="validated",
        version=version,
        rows=result.rows,
        columns=columns,
        profile=profile,
        findings=_findings(result),
        aggregate_version=dataset.aggregate_version + 1,
        reader=result.reader,
    )
    data = DatasetValidated(
        dataset_id=after.id,
        name=after.name,
        version=version,
        rows=result.rows,
        columns=columns,
        size_bytes=after.size_bytes,
        sha256=after.sha256,
        findings=after.findings,
        profile=profile,
        reader=result.reader,
        reading=after.reading,
    )
    return after, _event(after, data, cause, at)


def rejected(
    dataset: Dataset, reason: str, findings: tuple[Finding, ...], *, cause: Cause, at: datetime
) -> tuple[Dataset, Event]:
    """A file that cannot be used."""
    after = replace(
        dataset,
        state="rejected",
        reason=reason,
        findings=findings,
        aggregate_version=dataset.aggregate_version + 1,
    )
    data = DatasetRejected(dataset_id=after.id, name=after.name, reason=reason, findings=findings)
    return after, _event(after, data, cause, at)


def refused_by(result: ValidationResult) -> tuple[str, tuple[Finding, ...]]:
    """The reason and the findings of a table that is not valid."""
    errors = [one.message for one in result.report if one.severity == "error"]
    return "; ".join(errors[:3]) or "the file is not a table that can be trained on", _findings(
        result
    )


def _findings(result: ValidationResult) -> tuple[Finding, ...]:
    return tuple(Finding.model_validate(one.model_dump()) for one in result.report)


def _profile(column: ColumnProfile) -> dict[str, Any]:
    nothing = set() if column.missing else {"missing"}
    return column.model_dump(mode="json", exclude_none=True, exclude=nothing)


def _event(
    dataset: Dataset, data: DatasetValidated | DatasetRejected, cause: Cause, at: datetime
) -> Event:
    data = _short(data)
    return following(
        cause, data, by=BY, subject=str(dataset.id), version=dataset.aggregate_version, at=at
    )


def _short(data: DatasetValidated | DatasetRejected) -> DatasetValidated | DatasetRejected:
    """Without what the row has too, when it is large: the profile, then all but the first
    findings.
    """
    fewer: list[dict[str, Any]] = [{"findings": data.findings[:most]} for most in FINDINGS_SAID]
    for less in ({"profile": ()}, *fewer):
        if size_of(data.model_dump_json()) <= MOST_SAID_BYTES:
            break
        data = data.model_copy(
            update={name: value for name, value in less.items() if hasattr(data, name)}
        )
    return data
