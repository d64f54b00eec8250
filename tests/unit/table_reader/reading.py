"""Validating a table that is written in the test."""

from collections.abc import Sequence
from pathlib import Path

from consumers.ingest.csv_check import check
from consumers.ingest.protocol import ColumnProfile, Finding, ValidateRequest, ValidationResult
from schemas.datasets import Reading


def validated(path: Path, content: str | bytes, **said: object) -> ValidationResult:
    """What validation says of a file, read as `missing` and `types` say."""
    file = path / "data.csv"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    is_remembered = bool(said.pop("is_remembered", False))
    request = ValidateRequest(
        path=str(file), reading=Reading.model_validate(said), is_remembered=is_remembered
    )
    return check(request, lambda _stage, _fraction: None)


def quoted(cell: str) -> str:
    """A cell as RFC 4180 writes it."""
    return '"' + cell.replace('"', '""') + '"' if set(cell) & set(',"\n') else cell


def column(
    path: Path, values: Sequence[str], **said: object
) -> tuple[ColumnProfile, dict[str, Finding]]:
    """The column `x` with these values, beside a column of numbers, and its findings by rule."""
    lines = "".join(f"{place * 37 % 11},{quoted(value)}\n" for place, value in enumerate(values))
    result = validated(path, f"n,x\n{lines}", **said)
    assert result.columns, result.report
    return result.columns[1], {one.rule: one for one in result.report if one.column == "x"}
