"""How a class is written."""

from __future__ import annotations

from typing import Any


def label_text(label: Any) -> str:
    """As in a dataset: `true`, `3`, `red`."""
    return str(label).lower() if isinstance(label, bool) else str(label)
