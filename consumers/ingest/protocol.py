"""What passes between the worker and the child that validates a data set.

Light, for both sides import it.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from consumers.table_reader.rules import READER
from schemas.datasets import ColumnType, Reading

Severity = Literal["error", "warning"]


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CsvLimits(Frozen):
    min_columns: int = 2
    max_columns: int = 2000
    max_line_bytes: int = 1024 * 1024
    max_header_bytes: int = 256 * 1024  # an event names every column
    max_words_bytes: int = 128 * 1024  # and which words are missing in each
    min_rows: int = 10
    max_empty_ratio: float = 0.5


class ValidateRequest(Frozen):
    """`path` of a CSV file (UTF-8, comma, RFC 4180 quotes) that the child can read.

    `is_remembered` when `reading` was said with an earlier upload of the name, not with this one.
    """

    path: str
    limits: CsvLimits = Field(default_factory=CsvLimits)
    reading: Reading = Field(default_factory=Reading)
    is_remembered: bool = False


class Finding(Frozen):
    """One rule's complaint; `rows` counts records with the header as row 1, and holds the first
    ten.
    """

    rule: str
    severity: Severity
    column: str | None
    rows: tuple[int, ...]
    count: int
    message: str
    samples: tuple[str, ...]


class TopValue(Frozen):
    value: str
    count: int


class ColumnProfile(Frozen):
    """`distinct` is approximate (HyperLogLog, some 2 %).

    The figures are of numbers, `top` of text and booleans.
    """

    name: str
    type: ColumnType
    empty: int
    distinct: int
    min: float | None = None
    max: float | None = None
    mean: float | None = None
    std: float | None = None
    top: tuple[TopValue, ...] = ()
    missing: tuple[str, ...] = ()
    looks_like: str | None = None


class ValidationResult(Frozen):
    """`rows` counts rows that have a value; `columns` is empty when the file cannot be read as a
    table.
    """

    valid: bool
    rows: int
    columns: tuple[ColumnProfile, ...]
    report: tuple[Finding, ...]
    reader: int = READER
