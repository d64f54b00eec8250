"""What a column is, decided on the counts over all its values: pure.

Nothing is inferred from a sample, and whatever is read otherwise than it is written is a note.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from consumers.ingest.column_notes import (
    Note,
    constant,
    dates_as_text,
    decorated,
    empty,
    integers_as_dates,
    numbers_as_text,
    other_words,
    unfit,
    unique,
    words_kept,
    words_missing,
)
from consumers.table_reader.rules import LARGEST_NUMBER, MISSING_WORDS
from schemas.datasets import ColumnType, Reading

MOSTLY = 0.5
EXACT = 2**53
"""From here on a double holds not every integer."""
Where = Literal[
    "words", "unfit", "zeros", "plus", "long", "far", "exponents", "decorated", "filled"
]


@dataclass(slots=True)
class Observed:
    """A column's counts: `filled` cells, of which `kept` hold none of the `words`; the rest is of
    the kept ones.

    `spelled` is the count of each word that occurs; `largest` the greatest size of a number.
    """

    name: str
    rows: int
    words: Sequence[str]
    words_given: bool = False
    typed: bool = False
    hint: ColumnType | None = None
    filled: int = 0
    kept: int = 0
    integers: int = 0
    numbers: int = 0
    booleans: int = 0
    dates: int = 0
    zeros: int = 0
    plus: int = 0
    literals: int = 0
    long: int = 0
    far: int = 0
    exponents: int = 0
    decorated: int = 0
    distinct: int = 0
    largest: float = 0.0
    spelled: dict[str, int] = field(default_factory=dict)

    @property
    def candidate(self) -> ColumnType:
        """The type that all kept values have, before they are looked at closely."""
        if self.hint is not None:
            return self.hint
        counts: tuple[tuple[ColumnType, int], ...] = (
            ("integer", self.integers),
            ("number", self.numbers),
            ("boolean", self.booleans),
        )
        return next((kind for kind, count in counts if 0 < self.kept == count), "text")

    @property
    def needs_closer_look(self) -> bool:
        """Whether numbers may be ids, or too large."""
        return self.candidate in ("integer", "number") and (self.plus > 0 or self.largest >= EXACT)

    @property
    def may_be_compact_dates(self) -> bool:
        """Whether integers that nobody called so may be dates, such as 20250131."""
        return self.candidate == "integer" and self.hint is None and 19e6 < self.largest < 21e6

    @property
    def words_are_missing(self) -> bool:
        """Whether the words mean an empty cell here."""
        if self.words_given or self.candidate != "text" or self.kept == 0:
            return True
        return self.dates == self.kept and self.hint is None

    @property
    def values(self) -> int:
        """How many cells have a value."""
        return self.kept if self.words_are_missing else self.filled


@dataclass(frozen=True, slots=True)
class Decision:
    """The type of a column, the words that are missing in it, and what must be said of it."""

    kind: ColumnType
    missing: tuple[str, ...]
    looks_like: str | None
    notes: tuple[tuple[Note, Where | None], ...]


def observed(name: str, rows: int, reading: Reading) -> Observed:
    """A column before it is counted, with what was said about it."""
    hint = (reading.types or {}).get(name)
    given = reading.missing is not None and hint != "text"
    words: Sequence[str] = MISSING_WORDS
    if hint == "text" or (reading.typed and not given):
        words = ()
    elif reading.missing is not None:
        words = [word for word in reading.missing if word]
    return Observed(name, rows, words, words_given=given, typed=reading.typed, hint=hint)


def decide(one: Observed) -> Decision:
    """Take the candidate, unless its values are ids."""
    kind = one.candidate
    identity = None if one.hint is not None else _identity(one)
    looks_like = None
    if identity is not None:
        kind = "text"
    elif one.candidate == "text" and 0 < one.kept == one.dates:
        looks_like = "dates"
    missing = tuple(sorted(one.spelled)) if one.words_are_missing else ()
    notes = tuple(_notes(one, kind, identity, looks_like))
    return Decision(kind, missing, looks_like, notes)


def _identity(one: Observed) -> tuple[Note, Where] | None:
    if one.candidate not in ("integer", "number"):
        return None
    if one.zeros:
        return (
            Note(
                "leading_zeros",
                f"{one.zeros} of {one.kept} values have a zero in front: read as text, so that 7 "
                "and "
                f"007 are two values; for numbers upload with types={one.name}:{one.candidate}",
                one.zeros,
            ),
            "zeros",
        )
    if one.plus:
        message = (
            f"{one.plus} of {one.kept} values are like phone numbers (+ and at least 7 digits): "
            f"read as text; for numbers upload with types={one.name}:{one.candidate}"
        )
        return Note("phone_numbers", message, one.plus), "plus"
    if one.long and one.literals == one.kept:
        message = (
            f"{one.long} of {one.kept} values have more digits than a number keeps: read as text, "
            f"so that no digit is lost; for numbers upload with types={one.name}:number"
        )
        return Note("long_digits", message, one.long), "long"
    return None


def _notes(
    one: Observed, kind: ColumnType, identity: tuple[Note, Where] | None, looks_like: str | None
) -> Iterator[tuple[Note, Where | None]]:
    if one.kept == 0 and one.words_are_missing:
        yield empty(one.name, one.spelled), "words" if one.spelled else None
        return
    if one.words_are_missing and one.spelled:
        yield words_missing(one.name, one.spelled, given=one.words_given), "words"
    if identity is not None:
        yield identity
    fits = {"integer": one.integers, "number": one.numbers, "boolean": one.booleans}
    if one.hint is not None and fits.get(one.hint, one.kept) < one.kept:
        yield unfit(one.name, one.hint, one.kept - fits[one.hint], one.kept), "unfit"
        return
    if kind in ("integer", "number"):
        yield from _number_notes(one)
        if one.dates == one.kept:
            yield integers_as_dates(one.name, one.dates), "filled"
    elif kind == "text" and identity is None:
        yield from _text_notes(one, looks_like)
    if one.distinct == 1 and one.rows > 1:
        yield constant(one.values, one.rows), "filled"


def _number_notes(one: Observed) -> Iterator[tuple[Note, Where]]:
    if one.long:
        message = f"{one.long} values have more digits than a number keeps: the last ones are lost"
        yield Note("digits_lost", message, one.long), "long"
    if one.exponents:
        message = (
            f"{one.exponents} values are like 12E3, and read as numbers (12000); if they are "
            "codes, "
            f"upload with types={one.name}:text"
        )
        yield Note("scientific_notation", message, one.exponents), "exponents"
    if one.far:
        message = (
            f"{one.far} numbers are beyond {LARGEST_NUMBER:g}, too large to compute with: training "
            "refuses the column; correct them, leave them empty, or write it in a larger unit"
        )
        yield Note("out_of_range", message, one.far), "far"


def _text_notes(one: Observed, looks_like: str | None) -> Iterator[tuple[Note, Where]]:
    if looks_like is not None:
        yield dates_as_text(one.dates), "filled"
        return
    if one.typed and 0 < one.numbers == one.values:
        yield numbers_as_text(one.values), "filled"
    elif one.hint is not None and not one.typed:
        pass
    elif one.values and one.numbers >= MOSTLY * one.values and not one.zeros:
        yield other_words("mostly_numbers", "numbers", one.values - one.numbers, one), "unfit"
        return
    elif one.kept and one.decorated >= MOSTLY * one.kept:
        yield decorated(one.decorated, one.kept), "decorated"
        return
    elif one.kept and one.dates >= MOSTLY * one.kept:
        yield other_words("mostly_dates", "dates", one.values - one.dates, one), "unfit"
    if one.spelled and not one.words_are_missing:
        yield words_kept(one.spelled), "words"
    differing = unique(one)
    if differing is not None:
        yield differing, "filled"
