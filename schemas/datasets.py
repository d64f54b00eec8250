"""Data sets: submitted at the door, then validated or rejected by ingest."""

from typing import Literal
from uuid import UUID

from pydantic import JsonValue

from schemas.payload import Frozen, Payload


class Column(Frozen):
    """One column as validation typed it."""

    name: str
    type: Literal["integer", "number", "boolean", "text"]


class Finding(Frozen):
    """One thing validation found: the rule, where, and samples."""

    rule: str
    severity: Literal["error", "warning"]
    column: str | None = None
    rows: tuple[int, ...] = ()
    count: int = 0
    message: str
    samples: tuple[str, ...] = ()


class DatasetSubmitted(Payload, type="dataset.submitted"):
    """A file stands in the object store and asks to be validated."""

    dataset_id: UUID
    name: str
    object_key: str
    size_bytes: int
    sha256: str
    content_type: str


class DatasetValidated(Payload, type="dataset.validated"):
    """The file is a table that can be trained on; `version` counts per name, equal content keeps its version."""

    dataset_id: UUID
    name: str
    version: int
    rows: int
    columns: tuple[Column, ...]
    size_bytes: int
    sha256: str
    findings: tuple[Finding, ...] = ()
    profile: tuple[dict[str, JsonValue], ...] = ()


class DatasetRejected(Payload, type="dataset.rejected"):
    """The file cannot be used; the findings say why."""

    dataset_id: UUID
    name: str
    reason: str
    findings: tuple[Finding, ...] = ()


class DatasetExpired(Payload, type="dataset.expired"):
    """Its time to live has passed and its object is gone."""

    dataset_id: UUID
    name: str
