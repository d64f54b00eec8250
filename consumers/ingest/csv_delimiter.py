"""Whether a file that is read by its commas is separated by something else."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from consumers.ingest.findings import Findings

NAMES = {";": "semicolon", "\t": "tab", "|": "vertical bar", "^": "caret", ":": "colon"}
IN_VALUES = ":"
"""Occurs in values so often (times, ratios) that it rejects no file with commas."""
NEARLY_ALL = 0.9
MOSTLY = 0.5
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_ADVICE = (
    "save it with commas as the separator, or put quotes around the values that contain commas"
)


@dataclass(slots=True)
class Delimiters:
    """Counts in how many records another delimiter is, outside quotes, as often as in the header.

    A total below the table, or a value with a delimiter more, is no reason to miss the rest.
    """

    header: str = ""
    commas: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    agreeing: dict[str, int] = field(default_factory=dict)
    records: int = 0

    def begin(self, record: str) -> None:
        """The header, as it was written."""
        self.header = record.strip("\r\n")
        bare = _bare(record)
        self.commas = bare.count(",")
        self.counts = {mark: bare.count(mark) for mark in NAMES if mark in bare}
        self.agreeing = dict.fromkeys(self.counts, 0)

    def add(self, record: str) -> None:
        """A record that has a value."""
        if self.counts:
            bare = _bare(record)
            for mark, count in self.counts.items():
                self.agreeing[mark] += bare.count(mark) == count
            self.records += 1

    def conclude(self, findings: Findings) -> None:
        """An error where the file has another delimiter, a warning where it may have."""
        shares = {mark: self._share(mark) for mark in self.counts}
        likely = [mark for mark, share in shares.items() if share >= MOSTLY]
        if not likely:
            return
        mark = max(likely, key=lambda one: (one != IN_VALUES, self.counts[one]))
        count = self.counts[mark]
        marks = f"{count} {NAMES[mark]}{'s' if count > 1 else ''}"
        if not self.commas and shares[mark] >= NEARLY_ALL:
            message = f"the first line{self._rows(mark)} has {marks} and no comma: {_ADVICE}"
            findings.add("wrong_delimiter", message, row=1, sample=self.header)
        elif not self.records:
            return
        elif shares[mark] >= NEARLY_ALL and count >= self.commas and mark != IN_VALUES:
            message = (
                f"the first line{self._rows(mark)} have {marks} outside quotes: that seems to "
                f"be the separator, not the comma: {_ADVICE}"
            )
            findings.add("wrong_delimiter", message, row=1, sample=self.header)
        else:
            message = (
                f"the first line{self._rows(mark)} have {marks} outside quotes, read as part "
                "of the values; the separator is the comma"
            )
            findings.add("other_delimiter", message, severity="warning", row=1, sample=self.header)

    def _share(self, mark: str) -> float:
        return self.agreeing[mark] / self.records if self.records else 1.0

    def _rows(self, mark: str) -> str:
        if not self.records:
            return ""
        agreeing = self.agreeing[mark]
        return (
            " and each row"
            if agreeing == self.records
            else f" and {agreeing} of {self.records} rows"
        )


def _bare(record: str) -> str:
    return _QUOTED.sub("", record) if '"' in record else record
