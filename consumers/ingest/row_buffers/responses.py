"""What the route of streams answers, for the OpenAPI document."""

from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, JsonValue


class SealedVersion(BaseModel):
    """The dataset that a stream sealed last; `version` is null until it is validated."""

    dataset_id: UUID
    version: int | None
    state: Literal["submitted", "validated", "rejected"]
    rows: int
    reason: str | None
    sealed_at: AwareDatetime


class SealRules(BaseModel):
    """When waiting rows become a version, and which earlier rows it has."""

    every_rows: int
    every_seconds: int
    window: Literal["all", "batch"]
    window_rows: int


class StreamTraining(BaseModel):
    """The training that each sealed version starts."""

    target: str
    model: str
    options: dict[str, JsonValue]


class RowStream(BaseModel):
    """The rows that a source gathers for a dataset under one set of columns."""

    id: UUID
    source_id: UUID
    dataset: str
    columns: list[str]
    mapping_version: int
    state: Literal["current", "closed"]
    rows: int
    open_rows: int
    waiting_batches: int
    seal: SealRules
    train: StreamTraining | None
    opened_at: AwareDatetime | None
    next_seal_at: AwareDatetime | None
    sealed_batches: int
    last_sealed: SealedVersion | None
    created_at: AwareDatetime
