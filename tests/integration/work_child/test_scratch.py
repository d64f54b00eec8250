"""A worker's own directory: what the dead left goes, what the living have stays."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from compose.storage.scratch import scratch

HOLD = """
import sys, time
from pathlib import Path
from compose.storage.scratch import scratch
with scratch(Path(sys.argv[1])) as own:
    (own / "attempt-1").mkdir()
    print(own, flush=True)
    sys.stdin.read()
"""


@contextmanager
def holder(root: Path) -> Iterator[tuple["subprocess.Popen[str]", Path]]:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield process, Path(process.stdout.readline().strip())
        finally:
            process.kill()


def test_it_goes_with_its_content(tmp_path: Path) -> None:
    with scratch(tmp_path / "root") as own:
        (own / "attempt-1").mkdir()
        (own / "attempt-1" / "data.csv").write_text("a")
    assert list((tmp_path / "root").iterdir()) == []


def test_that_of_the_living_stays_and_that_of_the_killed_goes(tmp_path: Path) -> None:
    (tmp_path / "somebody-elses").mkdir()
    with holder(tmp_path) as (process, theirs):
        with scratch(tmp_path) as own:
            assert (theirs / "attempt-1").is_dir()
            assert own != theirs
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert (theirs / "attempt-1").is_dir(), "a kill leaves it"
        with scratch(tmp_path) as own:
            assert {path.name for path in tmp_path.iterdir()} == {own.name, "somebody-elses"}
