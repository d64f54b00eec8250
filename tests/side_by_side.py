"""`make test`: the whole suite in two runs at once.

Beside the rest run those that mostly wait for processes.
"""

import subprocess
import sys
import tempfile

BESIDE = (
    "tests/acceptance/test_cli.py",
    "tests/acceptance/docs",
    "tests/integration/devstack",
    "tests/integration/work_child",
    "tests/unit",
)
PYTEST = (sys.executable, "-m", "pytest")


def main() -> int:
    """Show the long run as it goes, then what the other one said; 0 when both passed.

    Ctrl-C reaches both.
    """
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen([*PYTEST, *BESIDE], stdout=said, stderr=said) as beside,
    ):
        code = subprocess.call([*PYTEST, *(f"--ignore={path}" for path in BESIDE)])
        print(f"\nThe run beside it, {' '.join(BESIDE)}:", flush=True)
        code = beside.wait() or code
        said.seek(0)
        sys.stdout.buffer.write(said.read())
    return code


if __name__ == "__main__":
    sys.exit(main())
