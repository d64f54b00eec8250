"""Log lines on standard error: text for people, JSON for collectors.

Never a body, a secret or a token.
"""

import json
import logging
import sys
from typing import Literal


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= getattr(record, "fields", {})
        trace_id = getattr(record, "trace_id", None)
        if trace_id:
            line["trace_id"] = trace_id
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


def configure(style: Literal["text", "json"], level: str) -> None:
    """Set up the root logger once, at a process's start."""
    handler = logging.StreamHandler(sys.stderr)
    text = logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    handler.setFormatter(_Json() if style == "json" else text)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # Rebalances and reconnects are logged by our own lines; the client repeats them many times.
    logging.getLogger("aiokafka").setLevel(logging.ERROR)
