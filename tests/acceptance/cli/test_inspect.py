"""The commands that show the state of a stack."""

import subprocess

import httpx
import psutil
import pytest

from tests.acceptance.terminal import PROCESSES, Terminal

pytestmark = pytest.mark.xdist_group("command line")


def test_status_is_what_scripts_rely_on(terminal: Terminal) -> None:
    status = terminal.json("status")
    assert {
        "state",
        "api_url",
        "kafka",
        "postgres_url",
        "object_store",
        "data_dir",
        "processes",
    } <= status.keys()
    assert (status["state"], status["paused"], status["dead_letters"]) == ("running", [], {})
    assert status["data_dir"] == str(terminal.data_dir)
    assert status["api_url"].startswith("http://127.0.0.1:")
    assert status["kafka"].startswith("127.0.0.1:")
    assert status["object_store"].startswith("file://")
    assert {one["name"] for one in status["processes"]} == PROCESSES
    for one in status["processes"]:
        assert one.keys() == {"name", "pid", "state", "restarts"}
        assert (one["state"], one["restarts"]) == ("running", 0), one
        assert psutil.pid_exists(one["pid"])
    assert httpx.get(status["api_url"] + "/readyz", trust_env=False).status_code == 200


def test_what_a_person_reads_holds_no_password(terminal: Terminal) -> None:
    password = (terminal.data_dir / "headrace-password").read_text()
    for command in ("status", "doctor", "up"):
        done = terminal.run(command, *(["--detach"] if command == "up" else []))
        assert done.returncode == 0, done.stderr
        assert password not in done.stdout + done.stderr, command


def test_a_second_up_changes_nothing(terminal: Terminal) -> None:
    before = terminal.json("status")
    assert terminal.json("up", "--detach") == before
    assert terminal.json("status") == before


def test_env_is_enough_for_curl_and_for_any_kafka_client(terminal: Terminal) -> None:
    names = {"HEADRACE_API_URL", "HEADRACE_API_KEY", "HEADRACE_KAFKA"}
    values = terminal.json("env")
    assert names <= values.keys()
    shell = 'eval "$1" && printf "%s\\n" "$HEADRACE_API_URL" "$HEADRACE_API_KEY" "$HEADRACE_KAFKA"'
    lines = terminal.run("env").stdout
    shown = subprocess.run(
        ["sh", "-c", shell, "sh", lines], capture_output=True, text=True, check=True
    ).stdout.split()
    assert shown == [
        values["HEADRACE_API_URL"],
        values["HEADRACE_API_KEY"],
        values["HEADRACE_KAFKA"],
    ]
    key = {"Authorization": f"Bearer {values['HEADRACE_API_KEY']}"}
    assert (
        httpx.get(values["HEADRACE_API_URL"] + "/v1/jobs", headers=key, trust_env=False).status_code
        == 200
    )
    assert values["HEADRACE_KAFKA"] == terminal.json("status")["kafka"]


def test_doctor_finds_a_running_stack_well(terminal: Terminal) -> None:
    found = terminal.json("doctor")
    assert [one["name"] for one in found["checks"] if not one["ok"]] == []
    assert len(found["checks"]) >= 10


def test_a_failure_is_1_and_a_misuse_is_2(terminal: Terminal) -> None:
    unknown = terminal.run("jobs", "show", "01900000-0000-7000-8000-000000000000", "--json")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "not_found" in unknown.stderr
    for misuse in (["nonsense"], ["jobs", "show"], ["status", "--nonsense"]):
        assert terminal.run(*misuse).returncode == 2, misuse
