"""The child that writes a version's file: JSON lists in, CSV by RFC 4180 out."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

TEXT = "t"  # of the letters that a row's cells are described by


def run(payload: Mapping[str, Any], report: Callable[[str, float], None]) -> Mapping[str, Any]:
    """Write the header and a line for each row; what is null is an empty cell.

    Answers how many, how long, which hash, and the columns that hold texts; `texts` is None where
    the types of a row's cells are not known.
    """
    into, rows, columns = Path(payload["into"]), 0, payload["columns"]
    width = len(columns)
    texts: set[int] | None = set()
    with (
        Path(payload["path"]).open(encoding="utf-8", newline="\n") as lines,
        into.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(columns)
        for line in lines:
            cells = json.loads(line)
            if len(cells) == width:
                texts = None
            elif texts is not None and len(texts) < width:
                texts.update(place for place, kind in enumerate(cells[width]) if kind == TEXT)
            writer.writerow(cells[:width])
            rows += 1
    report("written", 1.0)
    with into.open("rb") as written:
        digest = hashlib.file_digest(written, "sha256").hexdigest()
    named = None if texts is None else [columns[place] for place in sorted(texts)]
    return {"texts": named, "rows": rows, "size_bytes": into.stat().st_size, "sha256": digest}
