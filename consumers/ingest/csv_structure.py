"""The first pass over a CSV file: is it a table at all? Streams line by line, so memory is one
row's.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from consumers.ingest.csv_delimiter import Delimiters
from consumers.ingest.csv_header import UnusableHeader, read_header
from consumers.ingest.file_kind import HEAD_BYTES, what_else
from consumers.ingest.findings import Findings
from consumers.ingest.protocol import CsvLimits
from consumers.table_reader.rules import BLANKS

# A quoted field may hold line ends; this many lines without its closing quote is a quote that
# nobody closed.
MAX_RECORD_LINES = 10_000
SAMPLE_BYTES = 20
# RFC 4180: quotes enclose a whole field or do not occur. Readers disagree on the rest, so the rest
# is refused.
_FIELD = r'(?:"(?:[^"]|"")*+"|[^",]*+)'
NOT_UTF8 = "bytes that are not UTF-8 (Windows-1252 or Latin-1?): save the file as CSV in UTF-8"
WELL_QUOTED = re.compile(rf"{_FIELD}(?:,{_FIELD})*+", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Structure:
    """`names` is empty without a usable header; `rows` counts rows that have a value."""

    names: tuple[str, ...]
    rows: int


class _Stop(Exception):
    """The place in the file is lost, and what follows would be noise."""


@dataclass(slots=True)
class _Lines:
    """Feeds the csv reader with checked, decoded lines, and keeps those of the record being
    read.
    """

    file: BinaryIO
    limits: CsvLimits
    findings: Findings
    record: list[str] = field(default_factory=list)
    record_bytes: int = 0
    row: int = 1

    def __iter__(self) -> Iterator[str]:
        limit = self.limits.max_line_bytes
        first = True
        while raw := self.file.readline(limit + 1):
            if first:
                raw, first = raw.removeprefix(b"\xef\xbb\xbf"), False
            self.record_bytes += len(raw)
            if self.record_bytes > limit:
                message = f"a row is longer than {limit} bytes; is a quote not closed?"
                self._stop("line_too_long", message, raw)
            if len(self.record) > MAX_RECORD_LINES:
                message = (
                    f"a row has more than {MAX_RECORD_LINES} line ends; is a quote not closed?"
                )
                self._stop("line_too_long", message, raw)
            if b"\0" in raw:
                self.findings.add(
                    "nul_byte", "NUL bytes are not text", row=self.row, sample=_text(raw)
                )
                raw = raw.replace(b"\0", b"")
            body = raw.removesuffix(b"\n").removesuffix(b"\r")
            if b"\r" in body:
                self._stop(
                    "line_ending",
                    "lines must end with LF or CRLF; a lone carriage return was found",
                    raw,
                )
            try:
                line = raw.decode()
            except UnicodeDecodeError:
                self.findings.add("not_utf8", NOT_UTF8, row=self.row, sample=_text(raw))
                line = _text(raw)
            self.record.append(line)
            yield line

    def take(self) -> str:
        """The raw text of the record that the reader has just finished."""
        text = "".join(self.record)
        self.record.clear()
        self.record_bytes = 0
        return text

    def _stop(self, rule: str, message: str, raw: bytes) -> None:
        self.findings.add(rule, message, row=self.row, sample=_text(raw[:200]))
        raise _Stop


def check_structure(path: Path, limits: CsvLimits, findings: Findings) -> Structure:
    names: tuple[str, ...] = ()
    rows = 0
    csv.field_size_limit(limits.max_line_bytes)
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        other = what_else(head)
        if other is not None:
            findings.add("not_csv", other, row=1, sample=_text(head[:SAMPLE_BYTES]))
            return Structure((), 0)
        file.seek(0)
        lines = _Lines(file, limits, findings)
        delimiters = Delimiters()
        try:
            for record in csv.reader(lines, strict=True):
                text = lines.take()
                _check_quotes(text, lines.row, findings)
                if lines.row == 1:
                    delimiters.begin(text)
                    names = read_header(record, limits, findings)
                elif any(cell.strip(BLANKS) for cell in record):
                    rows += 1
                    delimiters.add(text)
                    _check_width(record, len(names), lines.row, findings)
                elif len(record) > len(names):
                    _check_width(record, len(names), lines.row, findings)
                else:
                    message = "rows without any value are left out"
                    findings.add("blank_row", message, severity="warning", row=lines.row)
                lines.row += 1
        except (_Stop, UnusableHeader):
            pass
        except csv.Error as error:
            findings.add(
                "malformed",
                f"cannot be read as CSV: {error}",
                row=lines.row,
                sample=lines.take()[:200],
            )
    if lines.row == 1 and not findings.errors:
        findings.add("empty_file", "the file is empty")
    delimiters.conclude(findings)
    return Structure(names, rows)


def _check_quotes(text: str, row: int, findings: Findings) -> None:
    if '"' in text and WELL_QUOTED.fullmatch(text.removesuffix("\n").removesuffix("\r")) is None:
        message = 'a quote must enclose the whole field, and be written twice ("") inside it'
        findings.add("quote", message, row=row, sample=text)


def _check_width(record: list[str], width: int, row: int, findings: Findings) -> None:
    if len(record) != width:
        message = f"each row must have {width} fields, as the header has"
        findings.add(
            "ragged_row",
            message,
            row=row,
            sample=f"{len(record)} fields: {','.join(record[:20])[:200]}",
        )


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace")
