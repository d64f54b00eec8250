"""Says its process id and waits to be ended."""

import os
import signal
from collections.abc import Mapping
from typing import Any

from consumers.work.child import Report


def run(_payload: Mapping[str, Any], report: Report) -> dict[str, Any]:
    report(str(os.getpid()), 0.5)
    while True:
        signal.pause()
