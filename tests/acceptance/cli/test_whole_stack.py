"""The demo, and the stop and start of a whole stack."""

import json
from pathlib import Path

import psutil
import pytest

from tests.acceptance.terminal import PROCESSES, UP_SECONDS, Terminal

pytestmark = pytest.mark.xdist_group("command line")


def test_the_demo_checks_everything_it_shows(terminal: Terminal) -> None:
    told = terminal.json("demo", timeout_seconds=180)
    assert told["ok"] is True
    assert [one["name"] for one in told["checks"] if not one["holds"]] == []
    assert len(told["checks"]) > 10


def test_down_leaves_no_process_and_what_was_there_is_there_again(
    terminal: Terminal, job: str
) -> None:
    before = terminal.json("status")
    running = [psutil.Process(before["supervisor_pid"])]
    running += [psutil.Process(one["pid"]) for one in before["processes"]]
    running += [child for process in running for child in process.children(recursive=True)]
    assert set(terminal.json("down")["stopped"]) == PROCESSES
    assert [process for process in running if process.is_running()] == []
    here = str(terminal.data_dir)
    assert [
        one.pid
        for one in psutil.process_iter(["cmdline"])
        if here in " ".join(one.info["cmdline"] or ())
    ] == []
    status = terminal.run("status", "--json")
    told = json.loads(status.stdout)
    assert (status.returncode, told["state"], told["paused"], told["dead_letters"]) == (
        1,
        "stopped",
        None,
        None,
    )
    assert terminal.json("down") == {"stopped": []}

    again = terminal.json("up", "--detach", timeout_seconds=UP_SECONDS)
    assert again["api_url"] == before["api_url"]
    assert terminal.json("jobs", "show", job)["state"] == "succeeded"


def test_up_on_a_port_that_another_stack_has_says_so(terminal: Terminal, tmp_path: Path) -> None:
    taken = terminal.json("status")["api_url"]
    other = Terminal(tmp_path / "data", {"HEADRACE_API_URL": taken})
    done = other.run("up", "--detach", timeout_seconds=UP_SECONDS)
    assert done.returncode == 1, done.stdout
    assert f"port {taken.rsplit(':')[-1]}, given for api, is in use" in done.stdout + done.stderr
    assert other.run("status").returncode == 1
