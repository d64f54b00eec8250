"""Data sets: submitted through the API, then validated or rejected by ingest."""

from typing import Literal
from uuid import UUID

from pydantic import JsonValue

from schemas.payload import Frozen, Payload

ColumnType = Literal["integer", "number", "boolean", "text"]


class Column(Frozen):
    """One column as validation typed it: its cells with one of the words `missing` are empty.

    Without `missing` it was read by the first reader, which had one list of words for every column.
    `looks_like` says what the values of a text column seem to be: `dates`.
    """

    name: str
    type: ColumnType
    missing: tuple[str, ...] | None = None
    looks_like: str | None = None


class Reading(Frozen):
    """How the cells of a file are to be read, as far as the sender said so.

    `missing` replaces the reader's own choice of words that mean an empty cell; `types` fixes the
    type of columns by name. `typed` says that the values had types before they became a file: no
    word among them means an empty cell. What is left out is as an earlier upload of the name said,
    unless this one is read `alone`.
    """

    missing: tuple[str, ...] | None = None
    types: dict[str, ColumnType] | None = None
    typed: bool = False
    alone: bool = False


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
    """A file is in the object store, to be validated."""

    dataset_id: UUID
    name: str
    object_key: str
    size_bytes: int
    sha256: str
    content_type: str
    reading: Reading | None = None


class DatasetValidated(Payload, type="dataset.validated"):
    """The file is a table that can be trained on; `version` counts per name.

    Equal content that is read equally keeps its version: `reader` is the number of the rules by
    which its cells were read, `reading` what was said of them beforehand.
    """

    dataset_id: UUID
    name: str
    version: int
    rows: int
    columns: tuple[Column, ...]
    size_bytes: int
    sha256: str
    findings: tuple[Finding, ...] = ()
    profile: tuple[dict[str, JsonValue], ...] = ()
    reader: int = 1
    reading: Reading | None = None


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
