"""The reader's rules as data; light, for the worker imports it and polars stays in the children."""

from __future__ import annotations

from schemas.datasets import Column

READER = 2
"""The number of these rules: with another one the same content is another version."""

BLANKS = " \t"
# Squares of larger numbers, and sums of squares over many rows, leave the range of a double.
LARGEST_NUMBER = 1e100

MISSING_OF_READER_1 = ("NA", "N/A", "NaN", "nan", "null", "NULL")
"""What the first reader took as missing in every column: its datasets are still read so."""

# As in pandas (`na_values`), and what R, Weka, SQL clients and spreadsheets write:
# docs/datasets.md.
_PLAIN = ("NA", "N/A", "N.A.", "NaN", "null", "none", "nil")
_AS_WRITTEN = (
    "#N/A",
    "#N/A N/A",
    "#n/a",
    "#NA",
    "<NA>",
    "<null>",
    "(null)",
    r"\N",
    "-NaN",
    "-nan",
    "+NaN",
    "+nan",
    "1.#IND",
    "-1.#IND",
    "1.#QNAN",
    "-1.#QNAN",
    "#DIV/0!",
    "#NAME?",
    "#NULL!",
    "#NUM!",
    "#REF!",
    "#VALUE!",
    "?",
    "-",
    "--",
    "–",
    "—",
    ".",
    "*",
)
_FORMS = {form for word in _PLAIN for form in (word, word.lower(), word.upper(), word.capitalize())}
MISSING_WORDS: tuple[str, ...] = (*sorted(_FORMS), *_AS_WRITTEN)
"""Words that are missing in a column whose other values are all numbers, booleans or dates."""


def missing_in(column: Column) -> tuple[str, ...]:
    """The words that are missing in a column of a validated dataset; the empty cell always is."""
    return MISSING_OF_READER_1 if column.missing is None else column.missing
