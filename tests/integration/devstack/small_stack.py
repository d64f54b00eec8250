"""`python small_stack.py DATA_DIR`: real servers and two plain processes under the real
supervisor, on its own.
"""

import os
import sys
from pathlib import Path

from compose.devstack.addresses import Addresses
from compose.devstack.commands import Process, SetUp
from compose.devstack.stack import Stack, run_up
from compose.settings import Settings

SLEEPER = "import signal; signal.pause()"
# Writes down what the stack hands to a set-up command.
RECORDER = "import os, sys; open(sys.argv[1], 'w').write(os.environ['HEADRACE_KAFKA'])"


def build(addresses: Addresses) -> Stack:
    """The stack without our own commands."""
    record = str(addresses.data_dir / "recorded")
    return Stack(
        addresses,
        set_up=(SetUp("record", ("-c", RECORDER, record), ("kafka",)),),
        processes=(Process("first", ("-c", SLEEPER)), Process("second", ("-c", SLEEPER))),
        command=(sys.executable,),
    )


if __name__ == "__main__":
    for name in [name for name in os.environ if name.startswith("HEADRACE_")]:
        del os.environ[name]
    sys.exit(
        run_up(
            Settings(data_dir=Path(sys.argv[1]), metrics_port=9464),
            lambda done: print(done, flush=True),
            build=build,
        )
    )
