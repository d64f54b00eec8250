"""`make test`: the whole suite in two runs at once; the one with a stack of its own mostly waits for processes."""

import subprocess
import sys
import tempfile

OWN_STACK = "tests/acceptance/test_cli.py"
PYTEST = (sys.executable, "-m", "pytest")


def main() -> int:
    """Show the long run as it goes, then what the other one said; 0 when both passed. Ctrl-C reaches both."""
    with tempfile.TemporaryFile() as said, subprocess.Popen([*PYTEST, OWN_STACK], stdout=said, stderr=said) as beside:
        code = subprocess.call([*PYTEST, "--ignore", OWN_STACK])
        print(f"\n{OWN_STACK}, which ran beside it:", flush=True)
        code = beside.wait() or code
        said.seek(0)
        sys.stdout.buffer.write(said.read())
    return code


if __name__ == "__main__":
    sys.exit(main())
