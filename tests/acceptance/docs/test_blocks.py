"""Every block of commands in README.md and docs/ is run on a real stack, or says why it is not."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr

from compose.bootstrap import create_key
from compose.devstack.status import RunFiles
from compose.settings import Settings
from tests.acceptance.docs.blocks import Block, blocks, pages, script
from tests.acceptance.terminal import Terminal
from tests.contract.house import ROOT
from tests.factories import shipped_csv
from tests.harness.directories import own_directory

UP_SECONDS = 200.0
PAGE_SECONDS = 900.0
AT_ONCE = 3
LATE = "Timed out heartbeat from broker"
"""What Kafka says on a machine that has no time for it; no error of a start."""
NOT_RUN = {"README.md": 1, "docs/cluster.md": 1, "docs/chaos.md": 1}
"""How many blocks of each page are not run; each says why."""
pytestmark = [pytest.mark.timeout(1200), pytest.mark.xdist_group("pages")]


def found() -> dict[str, list[Block]]:
    """The blocks of every page that has some."""
    texts = {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in pages()
    }
    every = {page: blocks(page, text) for page, text in texts.items()}
    return {page: here for page, here in every.items() if here}


def test_a_block_that_is_not_run_says_why_and_is_counted() -> None:
    counted = {
        page: [one for one in here if one.not_run is not None] for page, here in found().items()
    }
    assert {page: len(here) for page, here in counted.items() if here} == NOT_RUN
    assert all(len(one.not_run or "") > 10 for here in counted.values() for one in here)


def test_a_block_that_another_test_runs_is_run_by_it() -> None:
    for here in found().values():
        for one in here:
            if one.run_by is not None:
                assert one.page.rsplit("/")[-1] in (ROOT / one.run_by).read_text(), one
            elif one.language == "python":
                assert one.not_run, f"{one.page}:{one.line}: say which test runs it"


def test_comments_are_told_from_blocks() -> None:
    text = (
        "```sh\na\n```\n<!-- run:\nb\n-->\n```sh\nc\n```\n<!-- not run: why -->\n```sh\nd\n```\n\n"
        "<!-- run by: tests/x.py -->\n```python\ne\n```\n```json\n{}\n```\n"
    )
    told = [(one.line, one.before, one.code, one.not_run, one.run_by) for one in blocks("p", text)]
    assert told == [
        (2, "", "a\n", None, None),
        (8, "b", "c\n", None, None),
        (12, "", "d\n", "why", None),
        (17, "", "e\n", None, "tests/x.py"),
    ]
    done = subprocess.run(
        ["bash", "-c", script(blocks("p", "```sh\nfalse\necho on\n```\n"))], capture_output=True
    )
    assert (done.returncode, b"==== p:2" in done.stdout, b"on" in done.stdout) == (1, True, False)


@dataclass(frozen=True)
class Stack:
    """A stack that is up, in a directory of its own."""

    terminal: Terminal

    def run(self, page: str, here: list[Block]) -> tuple[str, int, str]:
        """All of a page's blocks in one shell, with a tenant and a folder of its own."""
        status = RunFiles(self.terminal.data_dir).status()
        folder = self.terminal.data_dir.parent / page.replace("/", "-")
        folder.mkdir()
        for name in ("wine", "iris"):
            (folder / f"{name}.csv").write_bytes(shipped_csv(name))
        operator = Settings(postgres_url=SecretStr(status.postgres_url or ""))
        _, key = asyncio.run(create_key(operator, page, "docs"))
        clean = {
            name: value for name, value in os.environ.items() if not name.startswith("HEADRACE_")
        }
        password = (self.terminal.data_dir / "postgres" / "superuser-password").read_text()
        server = (status.postgres_url or "").rpartition("@")[2].partition("/")[0]
        done = subprocess.run(
            ["bash", "-c", script(here)],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PAGE_SECONDS,
            check=False,
            env=clean
            | {
                "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
                "NO_COLOR": "1",
                "HEADRACE_DATA_DIR": str(self.terminal.data_dir),
                "HEADRACE_API_URL": status.api_url or "",
                "HEADRACE_API_KEY": key,
                "HEADRACE_KAFKA": status.kafka or "",
                "TEST_SUPERUSER_URL": f"postgresql://postgres:{password}@{server}/postgres",
                "TEST_SERVER": server,
            },
        )
        return page, done.returncode, done.stdout


@pytest.fixture(scope="module")
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """A stack that is up."""
    with own_directory(request) as directory:
        terminal = Terminal(directory / "data")
        done = terminal.run("up", "--detach", timeout_seconds=UP_SECONDS)
        try:
            assert done.returncode == 0, done.stdout + done.stderr
            yield Stack(terminal)
        finally:
            terminal.run("down")


def test_a_fresh_start_logs_no_error(stack: Stack) -> None:
    lines = stack.terminal.run("logs", "--lines", "5000").stdout.splitlines()
    assert {line.split("|")[0].strip() for line in lines} >= {"api", "kafka", "postgres", "up"}
    wrong = [
        line
        for line in lines
        if any(word in line for word in (" ERROR ", "Traceback", " CRITICAL "))
    ]
    assert [line for line in wrong if LATE not in line] == []


def test_the_password_of_the_database_is_printed_only_when_it_is_asked_for(stack: Stack) -> None:
    password = (stack.terminal.data_dir / "headrace-password").read_text()
    assert "@" in stack.terminal.json("status")["postgres_url"]
    assert password not in stack.terminal.run("status", "--json").stdout
    assert password in stack.terminal.json("env", "--postgres")["HEADRACE_POSTGRES_URL"]


def test_every_block_runs(stack: Stack) -> None:
    with ThreadPoolExecutor(AT_ONCE) as threads:
        ended = list(threads.map(lambda one: stack.run(*one), found().items()))
    failed = [f"{page} ended with {code}:\n{said[-3000:]}" for page, code, said in ended if code]
    assert not failed, "\n\n".join(failed)
