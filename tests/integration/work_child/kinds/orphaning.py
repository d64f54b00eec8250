"""Dies at once, but leaves a process that keeps the pipes open."""

import os
import signal
from collections.abc import Mapping
from typing import Any

from consumers.work.child import Report


def run(_payload: Mapping[str, Any], _report: Report) -> dict[str, Any]:
    if os.fork() == 0:
        while True:
            signal.pause()
    os._exit(7)
