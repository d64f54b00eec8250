"""Prints where the protocol runs, and still has an answer."""

import os
import sys
from collections.abc import Mapping
from typing import Any

from consumers.work.child import Report


def run(_payload: Mapping[str, Any], _report: Report) -> dict[str, Any]:
    sys.stdout.write("not for you\n")
    os.write(1, b"nor this\n")
    sys.stderr.write("y" * 1_000_000)
    return {
        "environment": dict(os.environ),
        "directory": os.getcwd(),  # noqa: PTH109
        "session": os.getsid(0) == os.getpid(),
    }
