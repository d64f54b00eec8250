"""The child that writes a version's file: JSON lists in, CSV by RFC 4180 out."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


def run(payload: Mapping[str, Any], report: Callable[[str, float], None]) -> Mapping[str, Any]:
    """Write the header and a line for each row; what is null is an empty cell. How many, how long, which hash."""
    into, rows = Path(payload["into"]), 0
    with (
        Path(payload["path"]).open(encoding="utf-8", newline="\n") as lines,
        into.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(payload["columns"])
        for line in lines:
            writer.writerow(json.loads(line))
            rows += 1
    report("written", 1.0)
    with into.open("rb") as written:
        digest = hashlib.file_digest(written, "sha256").hexdigest()
    return {"rows": rows, "size_bytes": into.stat().st_size, "sha256": digest}
