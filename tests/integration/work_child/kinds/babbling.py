"""Writes what is no protocol on every descriptor that it finds, and goes on."""

import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from consumers.work.child import Report


def run(_payload: Mapping[str, Any], _report: Report) -> dict[str, Any]:
    for descriptor in range(3, 64):
        with suppress(OSError):
            os.write(descriptor, b"segmentation what?\n")
    signal.pause()
    return {}
