"""`python -m compose.devstack DATA_DIR`: the stack in the foreground, as `headrace up --detach`
runs it.
"""

import sys
from pathlib import Path

from compose.devstack.orphans import AlreadyRunningError
from compose.devstack.stack import run_up
from compose.devstack.task_graph import Done
from compose.settings import Settings


def describe(done: Done) -> str:
    """One line of progress."""
    failed = "" if done.ok else "FAILED: "
    return f"{done.name:<11} {done.seconds:5.1f} s  {failed}{done.detail}"


def main(data_dir: Path) -> int:
    """Exit code of one life of the stack."""
    try:
        return run_up(Settings(data_dir=data_dir), lambda done: print(describe(done), flush=True))
    except AlreadyRunningError as error:
        print(error)
        return 0
    except Exception as error:  # noqa: BLE001  whoever started it shows the end of this log
        print(f"{type(error).__name__}: {error}", flush=True)
        return 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
