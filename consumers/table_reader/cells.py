"""A CSV file as a lazy polars frame of text cells.

Polars takes a name such as `*` or `^a.*$` for a pattern, so its columns are `c0`, `c1`, … by their
place; the names of the file are for people.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from consumers.table_reader.rules import BLANKS

ROW = "row"
MOST_ROWS = 10
MOST_SAMPLES = 5
BATCH_ROWS = 50_000


def place_name(place: int) -> str:
    """What the column at a place, counted from 0, is called in a frame."""
    return f"c{place}"


def scan(path: Path, width: int, *, rows: bool = False) -> pl.LazyFrame:
    """Each column as text without blanks around it, null where that is empty.

    Rows without any value are left out.
    With `rows`, the column `row` numbers the records of the file, the header being 1.
    """
    names = [place_name(place) for place in range(width)]
    frame = pl.scan_csv(
        path,
        has_header=False,
        skip_lines=1,
        schema=dict.fromkeys(names, pl.String),
        infer_schema=False,
        glob=False,
        row_index_name=ROW if rows else None,
        row_index_offset=2,
    )
    text = pl.col(names).str.strip_chars(BLANKS)
    cleaned = frame.with_columns(pl.when(text != "").then(text))
    return cleaned.filter(pl.any_horizontal(pl.col(names).is_not_null()))


def row_count(frame: pl.LazyFrame) -> int | None:
    """How many rows have a value; None when polars cannot read the file at all."""
    try:
        return int(frame.select(pl.len()).collect(engine="streaming").item())
    except pl.exceptions.PolarsError:
        return None


def without(name: str, words: Collection[str]) -> pl.Expr:
    """A column's cells, null where the cell is one of the words."""
    cell = pl.col(name)
    return pl.when(~cell.is_in(list(words))).then(cell) if words else cell


@dataclass(slots=True)
class Evidence:
    """The first rows and the first different values of a column for which `where` is true."""

    name: str
    where: pl.Expr
    rows: list[int] = field(default_factory=list)
    samples: list[str] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        """Whether there are rows enough.

        Samples of further rows would be of no use without these.
        """
        return len(self.rows) == MOST_ROWS

    def asked(self, place: int) -> list[pl.Expr]:
        """What a part of the frame adds: its rows, and its different values."""
        there = self.where.fill_null(value=False)
        rows = pl.col(ROW).filter(there).head(MOST_ROWS)
        values = pl.col(self.name).filter(there).unique(maintain_order=True).head(MOST_SAMPLES)
        return [rows.implode().alias(f"{place}:rows"), values.implode().alias(f"{place}:values")]

    def add(self, rows: Sequence[int], values: Sequence[str]) -> None:
        """Keep the first of them."""
        self.rows += rows[: MOST_ROWS - len(self.rows)]
        new = [value for value in values if value not in self.samples]
        self.samples += new[: MOST_SAMPLES - len(self.samples)]


def collect_evidence(path: Path, width: int, wanted: Sequence[Evidence]) -> None:
    """Find the rows of all evidence in one pass, part by part, so that memory is bounded."""
    missing = list(wanted)
    for batch in _batches(path, width, sorted({one.name for one in wanted})) if wanted else ():
        asked = [expression for place, one in enumerate(missing) for expression in one.asked(place)]
        answer = batch.select(asked).row(0, named=True)
        for place, one in enumerate(missing):
            one.add(answer[f"{place}:rows"], answer[f"{place}:values"])
        missing = [one for one in missing if not one.is_full]
        if not missing:
            return


def _batches(path: Path, width: int, names: Sequence[str]) -> Iterator[pl.DataFrame]:
    frame = scan(path, width, rows=True).select(ROW, *names)
    return iter(
        frame.collect_batches(chunk_size=BATCH_ROWS, maintain_order=True, engine="streaming")
    )
