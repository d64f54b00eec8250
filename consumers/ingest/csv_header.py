"""The first record of a CSV file: the names of the columns, with ordinary spaces only."""

from __future__ import annotations

import re
import unicodedata

from consumers.ingest.findings import Findings
from consumers.ingest.protocol import CsvLimits
from schemas.bounds import size_of
from schemas.names import JOINERS, normal_name

MAX_NAME_CHARACTERS = 200
LINE_END = re.compile("[\r\n]")


class UnusableHeader(Exception):
    """The rows cannot be read by this header."""


def read_header(record: list[str], limits: CsvLimits, findings: Findings) -> tuple[str, ...]:
    """The names; raises UnusableHeader where rows could not be distinguished by them."""
    names = tuple(map(normal_name, record))
    if not any(names):
        findings.add("header_missing", "the first line must name the columns", row=1)
        raise UnusableHeader
    _check_size(names, limits, findings)
    _check_names(names, record, findings)
    if all(map(_is_number, names)):
        message = "the first line has numbers, not names"
        findings.add("header_missing", message, row=1, sample=",".join(names)[:200])
    return names


def _check_size(names: tuple[str, ...], limits: CsvLimits, findings: Findings) -> None:
    header_bytes = sum(map(size_of, names))
    if len(names) < limits.min_columns:
        message = f"at least {limits.min_columns} columns are needed, separated by commas"
        findings.add("too_few_columns", message, row=1, sample=names[0], count=len(names))
    elif len(names) > limits.max_columns:
        message = f"{len(names)} columns, {limits.max_columns} allowed"
        findings.add("too_many_columns", message, row=1, count=len(names))
    elif header_bytes > limits.max_header_bytes:
        message = f"the names take {header_bytes} bytes, {limits.max_header_bytes} are allowed"
        findings.add("header_too_long", message, row=1, sample=",".join(names[:20]))
    else:
        return
    raise UnusableHeader


def _check_names(names: tuple[str, ...], record: list[str], findings: Findings) -> None:
    seen: dict[str, str] = {}
    for place, (name, written) in enumerate(zip(names, record, strict=True), 1):
        if not name:
            invisible = ", which has only characters that cannot be seen" if written.strip() else ""
            message = "every column needs a name"
            findings.add("header_empty_name", message, row=1, sample=f"column {place}{invisible}")
        elif name in seen:
            same = "" if written == seen[name] else "; white space counts as one space"
            message = f"column names must differ{same}"
            findings.add("header_duplicate_name", message, row=1, sample=name)
        elif len(name) > MAX_NAME_CHARACTERS or LINE_END.search(written) or _odd(name):
            message = (
                f"a column name is one line of at most {MAX_NAME_CHARACTERS} printable characters"
                + (f"; it has {_odd(name)}" if _odd(name) else "")
            )
            findings.add("header_invalid_name", message, row=1, sample=name)
        elif name != written.strip(" \t"):
            message = f"white space in the name is one space now: the column is called {name!r}"
            findings.add(
                "header_normalized", message, severity="warning", column=name, row=1, sample=written
            )
        seen.setdefault(name, written)


def _odd(name: str) -> str:
    """The first character that is neither printable nor a joiner, by its code point and name."""
    for mark in name:
        if not mark.isprintable() and mark not in JOINERS:
            return f"U+{ord(mark):04X} {unicodedata.name(mark, '')}".rstrip()
    return ""


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
