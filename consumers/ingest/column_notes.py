"""The texts of what validation says of a column's values, each with what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from consumers.ingest.protocol import Severity
from schemas.bounds import cut
from schemas.datasets import ColumnType

MOST_WORDS = 10
WORD_BYTES = 40
UNIQUE_FROM = 10
NEARLY = 0.98


@dataclass(frozen=True, slots=True)
class Note:
    """A finding about a column, before its rows are known."""

    rule: str
    message: str
    count: int
    severity: Severity = "warning"


class Counted(Protocol):
    """What the texts need of a column."""

    name: str
    rows: int
    typed: bool
    distinct: int

    @property
    def values(self) -> int:
        """How many cells have a value."""


def empty(name: str, spelled: Mapping[str, int]) -> Note:
    """No row has a value."""
    words = ""
    if spelled:
        words = (
            f": {listed(spelled)} {_are(spelled)} missing; to keep them upload with "
            f"types={name}:text"
        )
    return Note("column_empty", f"no value in any row{words}", max(1, sum(spelled.values())))


def words_missing(name: str, spelled: Mapping[str, int], *, given: bool) -> Note:
    """Words that were taken as empty cells."""
    why = "as missing= says" if given else "since the other values are not words"
    todo = "" if given else f"; to keep them upload with types={name}:text"
    message = f"{listed(spelled)} {_are(spelled)} read as missing, {why}{todo}"
    return Note("missing_words", message, sum(spelled.values()))


def words_kept(spelled: Mapping[str, int]) -> Note:
    """Words that often mean an empty cell, among other words."""
    message = (
        f"{listed(spelled)} {_are(spelled)} kept as a value, since other values are words too; "
        "if it "
        "means that a value is missing, upload with "
        f"missing={','.join([*spelled][:MOST_WORDS])}: that "
        "list is for every column, so add the words that are missing in others"
    )
    return Note("missing_words_kept", message, sum(spelled.values()))


def unfit(name: str, kind: ColumnType, count: int, values: int) -> Note:
    """Values that are not of the type that was asked for."""
    message = (
        f"{count} of {values} values are not of the type {kind} that types={name}:{kind} asks for; "
        "correct them, name them in missing=, or ask for another type"
    )
    return Note("type_mismatch", message, count, "error")


def other_words(rule: str, kind: str, others: int, one: Counted) -> Note:
    """A few values keep a column from being numbers, or dates."""
    what = f"read as text, for {others} of {one.values} values are not {kind}"
    todo = "correct them, or name them in missing= if they mean that a value is missing"
    if one.typed:
        todo = "send null where a value is missing"
        if kind == "numbers":
            todo += (
                ", and write to_number(…) in the column's expression where numbers come as texts"
            )
    return Note(rule, f"{what}: {todo}", others)


def decorated(count: int, values: int) -> Note:
    """Numbers as people write them."""
    message = (
        f"{count} of {values} values look like numbers with a comma, a separator of thousands, a "
        "currency or a percent sign, and stay text: write them as 1234.5"
    )
    return Note("numbers_written_otherwise", message, count)


def numbers_as_text(values: int) -> Note:
    """Texts of JSON that look like numbers."""
    message = (
        f"all {values} values look like numbers, and at least one was sent as a text: the column "
        "is text; for numbers write to_number(…) in the column's expression"
    )
    return Note("numbers_as_text", message, values)


def dates_as_text(count: int) -> Note:
    """Text that seems to be dates, or times of a day."""
    message = (
        "all values look like dates or times, and stay text: training does not use the column yet, "
        "and as the target each different value would be a class; add columns of numbers such as "
        "the "
        "year, the month, or the days since an event"
    )
    return Note("looks_like_dates", message, count)


def integers_as_dates(name: str, count: int) -> Note:
    """Integers such as 20250131."""
    message = (
        "all values look like dates (YYYYMMDD), and are integers: the distance from 20250131 to "
        "20250201 is 70, not a day; add a column such as the days since an event, or confirm with "
        f"types={name}:integer"
    )
    return Note("looks_like_dates", message, count)


def constant(values: int, rows: int) -> Note:
    """One value, with or without gaps."""
    gaps = rows - values
    message = (
        f"one value in {values} rows, {gaps} are empty" if gaps else "the same value in all rows"
    )
    return Note("column_constant", message, values)


def unique(one: Counted) -> Note | None:
    """Nearly every value is another one."""
    values = one.values
    if values < UNIQUE_FROM or one.distinct < NEARLY * values:
        return None
    how_many = "every value" if one.distinct >= values else "nearly every value"
    message = f"{how_many} differs from the others: an id or free text, which training cannot use"
    return Note("unique_text", message, values)


def listed(spelled: Mapping[str, int]) -> str:
    """Words with their counts, the most frequent first."""
    ordered = sorted(spelled.items(), key=lambda one: (-one[1], one[0]))
    more = f" and {len(ordered) - MOST_WORDS} more" if len(ordered) > MOST_WORDS else ""
    return ", ".join(f"'{cut(word, WORD_BYTES)}' ({n})" for word, n in ordered[:MOST_WORDS]) + more


def _are(spelled: Mapping[str, int]) -> str:
    return "is" if len(spelled) == 1 else "are"
