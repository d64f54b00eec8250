"""Collects a validation's findings: each rule and column once, with its first rows and samples."""

from __future__ import annotations

from dataclasses import dataclass, field

from consumers.ingest.protocol import Finding, Severity

MAX_ROWS = 10
MAX_SAMPLES = 5
MAX_FINDINGS = 500
SAMPLE_CHARACTERS = 80


@dataclass(slots=True)
class _Entry:
    severity: Severity
    message: str
    rows: list[int] = field(default_factory=list)
    samples: list[str] = field(default_factory=list)
    count: int = 0


@dataclass(slots=True)
class Findings:
    """Memory is bounded by `MAX_FINDINGS`, whatever the file holds; errors are never pushed out by warnings."""

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
    ) -> None:
        if severity == "error":
            self.errors += 1
        entry = self.entries.get((rule, column))
        if entry is None:
            if len(self.entries) >= MAX_FINDINGS and severity == "warning":
                return
            entry = self.entries[rule, column] = _Entry(severity, message)
        entry.count += count
        if row is not None and len(entry.rows) < MAX_ROWS:
            entry.rows.append(row)
        if sample is not None and len(entry.samples) < MAX_SAMPLES:
            entry.samples.append(printable(sample))

    def report(self) -> tuple[Finding, ...]:
        """Errors first, else in the order found."""
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
        return tuple(sorted(found, key=lambda finding: finding.severity != "error"))


def printable(text: str) -> str:
    """Cut to a sample's length; control characters escaped, so that a report can be shown in a terminal."""
    cut = text if len(text) <= SAMPLE_CHARACTERS else text[:SAMPLE_CHARACTERS] + "…"
    return "".join(mark if mark.isprintable() else mark.encode("unicode_escape").decode() for mark in cut)
