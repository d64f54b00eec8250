"""Collects a validation's findings: each rule and column once, with its first rows and samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from consumers.ingest.protocol import Finding, Severity

MAX_ROWS = 10
MAX_SAMPLES = 5
MAX_FINDINGS = 500
SAMPLE_CHARACTERS = 80
EXPLAINING = ("wrong_delimiter",)


@dataclass(slots=True)
class _Entry:
    severity: Severity
    message: str
    rows: list[int] = field(default_factory=list)
    samples: list[str] = field(default_factory=list)
    count: int = 0


@dataclass(slots=True)
class Findings:
    """Memory is bounded by `MAX_FINDINGS`, whatever the file holds.

    Errors are never pushed out by warnings.
    """

    entries: dict[tuple[str, str | None], _Entry] = field(default_factory=dict)
    errors: int = 0

    def add(
        self,
        rule: str,
        message: str,
        *,
        severity: Severity = "error",
        column: str | None = None,
        row: int | None = None,
        sample: str | None = None,
        count: int = 1,
        rows: Sequence[int] = (),
        samples: Sequence[str] = (),
    ) -> None:
        if severity == "error":
            self.errors += 1
        entry = self.entries.get((rule, column))
        if entry is None:
            if len(self.entries) >= MAX_FINDINGS and severity == "warning":
                return
            entry = self.entries[rule, column] = _Entry(severity, message)
        entry.count += count
        entry.rows += (*rows, *(() if row is None else (row,)))[: MAX_ROWS - len(entry.rows)]
        given = (*samples, *(() if sample is None else (sample,)))
        entry.samples += map(printable, given[: MAX_SAMPLES - len(entry.samples)])

    def report(self) -> tuple[Finding, ...]:
        """Errors first, and of these what explains the others; else in the order found."""
        found = [
            Finding(
                rule=rule,
                severity=entry.severity,
                column=column,
                rows=tuple(entry.rows),
                count=entry.count,
                message=entry.message,
                samples=tuple(entry.samples),
            )
            for (rule, column), entry in self.entries.items()
        ]
        return tuple(sorted(found, key=_rank))


def _rank(finding: Finding) -> int:
    return 0 if finding.rule in EXPLAINING else 1 if finding.severity == "error" else 2


def printable(text: str) -> str:
    """Cut to a sample's length.

    Control characters escaped, so that a report can be shown in a terminal.
    """
    cut = text if len(text) <= SAMPLE_CHARACTERS else text[:SAMPLE_CHARACTERS] + "…"
    return "".join(
        mark if mark.isprintable() else mark.encode("unicode_escape").decode() for mark in cut
    )
