"""Whether a file that is read by its commas is separated by something else."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from consumers.ingest.findings import Findings

NAMES = {";": "semicolon", "\t": "tab", "|": "vertical bar"}
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_TODO = "save it with commas as the separator, or put quotes around the values that hold them"


@dataclass(slots=True)
class Delimiters:
    """Counts the other delimiters of each record outside quotes; one that varies is none."""

    header: str = ""
    commas: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    records: int = 0

    def begin(self, record: str) -> None:
        """The header, as it was written."""
        self.header = record.strip("\r\n")
        bare = _bare(record)
        self.commas = bare.count(",")
        self.counts = {mark: bare.count(mark) for mark in NAMES if mark in bare}

    def add(self, record: str) -> None:
        """A record that has a value."""
        if self.counts:
            bare = _bare(record)
            kept = {mark: n for mark, n in self.counts.items() if bare.count(mark) == n}
            self.counts = kept
            self.records += 1

    def conclude(self, findings: Findings) -> None:
        """An error where the file has another delimiter, a warning where it may have."""
        if not self.counts:
            return
        mark, count = max(self.counts.items(), key=lambda one: one[1])
        marks = f"{count} {NAMES[mark]}{'s' if count > 1 else ''}"
        if not self.commas:
            rows = "" if not self.records else " and each row"
            message = f"the first line{rows} has {marks} and no comma: {_TODO}"
            findings.add("wrong_delimiter", message, row=1, sample=self.header)
        elif self.records and count >= self.commas:
            message = (
                f"the first line and each row have {marks} outside quotes: that seems to "
                f"be the separator, not the comma: {_TODO}"
            )
            findings.add("wrong_delimiter", message, row=1, sample=self.header)
        elif self.records:
            message = (
                f"the first line and each row have {marks} outside quotes, read as part "
                "of the values; the separator is the comma"
            )
            findings.add("other_delimiter", message, severity="warning", row=1, sample=self.header)


def _bare(record: str) -> str:
    return _QUOTED.sub("", record) if '"' in record else record
