"""A worker that starts a waiting child, prints the child's process id, and waits with it: to be
killed in tests.
"""

import asyncio
import sys
from pathlib import Path

from consumers.work.child_result import ChildRequest, Progress
from consumers.work.limits import ResourceLimits
from consumers.work.subprocess_runner import run_child


def tell(progress: Progress) -> None:
    sys.stdout.write(progress.stage + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    request = ChildRequest("waiting", {}, Path(sys.argv[1]))
    asyncio.run(
        run_child(
            request,
            ResourceLimits(),
            tell,
            asyncio.Event(),
            module="tests.integration.work_child.entry",
        ),
    )
