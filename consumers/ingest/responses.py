"""What the routes of datasets answer, for the OpenAPI document."""

from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel

from consumers.ingest.protocol import ColumnProfile
from schemas.datasets import Column, ColumnType, Finding

State = Literal["submitted", "validated", "rejected"]


class DatasetSummary(BaseModel):
    """A dataset as a list shows it."""

    id: UUID
    name: str
    version: int | None
    state: State
    rows: int | None
    column_count: int
    reason: str | None
    size_bytes: int
    sha256: str
    created_at: AwareDatetime


class ReadingHints(BaseModel):
    """What the sender said of how cells are read."""

    missing: list[str] | None
    types: dict[str, ColumnType] | None
    typed: bool


class Dataset(BaseModel):
    """A dataset with its columns, the findings of its validation and the profile of each column."""

    id: UUID
    name: str
    version: int | None
    state: State
    rows: int | None
    columns: list[Column]
    reason: str | None
    reader: int | None
    reading: ReadingHints | None
    size_bytes: int
    sha256: str
    created_at: AwareDatetime
    report: list[Finding]
    profile: list[ColumnProfile]


class DatasetReport(BaseModel):
    """The findings and column profiles of a validation."""

    state: State
    reason: str | None
    findings: list[Finding]
    reader: int | None
    reading: ReadingHints | None


class DatasetProfile(BaseModel):
    """The type and the figures of each column."""

    state: State
    rows: int | None
    columns: list[ColumnProfile]
