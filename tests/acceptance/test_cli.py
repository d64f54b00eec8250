"""The command line against a stack that it started itself."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.acceptance.terminal import Terminal
from tests.contract.house import ROOT
from tests.factories import shipped_csv
from tests.harness.directories import own_directory
from tests.published import check_topics

PROCESSES = {
    "postgres",
    "kafka",
    "api",
    "relay",
    "ingest",
    "training",
    "finalization",
    "billing",
    "projections",
    "sweeper",
}
UP_SECONDS = 200.0
pytestmark = pytest.mark.xdist_group("command line")


@pytest.fixture(scope="module")
def terminal(request: pytest.FixtureRequest) -> Iterator[Terminal]:
    """A stack that is up."""
    with own_directory(request) as directory:
        terminal = Terminal(directory / "data")
        done = terminal.run("up", "--detach", timeout_seconds=UP_SECONDS)
        try:
            assert done.returncode == 0, done.stdout + done.stderr
            yield terminal
            listed = terminal.json("topics", "list", "--data-dir", str(terminal.data_dir))["data"]
            check_topics(
                terminal.json("status")["kafka"],
                {one["topic"]: one["partitions"] for one in listed},
            )
        finally:
            terminal.run("down")


@pytest.fixture(scope="module")
def iris(terminal: Terminal) -> str:
    """A data set that was uploaded and validated."""
    file = terminal.data_dir.parent / "iris.csv"
    file.write_bytes(shipped_csv("iris"))
    dataset = terminal.json("datasets", "upload", str(file), "--name", "iris", "--wait")
    assert (dataset["state"], dataset["rows"]) == ("validated", 150)
    return str(dataset["id"])


@pytest.fixture(scope="module")
def job(terminal: Terminal, iris: str) -> str:
    """A job that succeeded."""
    done = terminal.json(
        "jobs", "start", "--dataset", iris, "--target", "target", "--model", "iris", "--wait"
    )
    assert done["state"] == "succeeded", done
    return str(done["id"])


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


def test_data_sets(terminal: Terminal, iris: str) -> None:
    assert iris in [one["id"] for one in terminal.json("datasets", "list")["data"]]
    shown = terminal.json("datasets", "show", iris)
    assert (shown["id"], shown["state"], len(shown["columns"])) == (iris, "validated", 5)
    assert terminal.json("datasets", "report", iris)["state"] == "validated"


def test_a_rejected_file_is_a_failure_with_its_findings(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    file.write_text("a,b\n1\n")
    done = terminal.run("datasets", "upload", str(file), "--name", "bad", "--wait", "--json")
    assert done.returncode == 1
    dataset = json.loads(done.stdout)
    assert dataset["state"] == "rejected"
    assert "ragged_row" in [one["rule"] for one in dataset["report"]]
    nothing = terminal.run("datasets", "upload", "-", "--name", "nothing")
    assert (nothing.returncode, "empty_file" in nothing.stderr) == (1, True)


def test_jobs(terminal: Terminal, job: str) -> None:
    assert job in [one["id"] for one in terminal.json("jobs", "list")["data"]]
    shown = terminal.json("jobs", "show", job)
    assert shown["metrics"]["accuracy"] > shown["baseline"]["accuracy"]
    watched = terminal.json("jobs", "watch", job)
    assert (watched["id"], watched["state"]) == (job, "succeeded")
    canceled = terminal.run("jobs", "cancel", job)
    assert (canceled.returncode, "job_ended" in canceled.stderr) == (1, True)
    assert terminal.json("jobs", "show", job)["state"] == "succeeded"


def test_a_failed_job_is_a_failure(terminal: Terminal, iris: str) -> None:
    done = terminal.run(
        "jobs",
        "start",
        "--dataset",
        iris,
        "--target",
        "nothing",
        "--model",
        "new",
        "--wait",
        "--json",
    )
    assert done.returncode == 1
    assert json.loads(done.stdout)["failure"]["code"] == "target_not_found"


def test_models_and_trends(terminal: Terminal, job: str, tmp_path: Path) -> None:
    assert "iris" in [one["name"] for one in terminal.json("models", "list")["data"]]
    versions = terminal.json("models", "versions", "iris")["data"]
    version = next(one["version"] for one in versions if one["job_id"] == job)
    accuracy = terminal.json("models", "show", "iris", "--version", str(version))["metrics"][
        "accuracy"
    ]
    points = terminal.json("trends", "--model", "iris", "--metric", "accuracy")["data"]
    assert (version, accuracy) in [(one["version"], one["value"]) for one in points]
    (summary,) = terminal.json("trends", "--model", "iris", "--metric", "accuracy", "--summary")[
        "data"
    ]
    assert summary["better"] == "higher"
    output = ("--output", str(tmp_path / "iris"))
    files = terminal.json("models", "download", "iris", "--version", str(version), *output)["files"]
    assert files == sorted(map(str, (tmp_path / "iris").iterdir()))
    assert json.loads(Path(files[0]).read_text())["metrics"]["accuracy"] == accuracy


def test_usage(terminal: Terminal, job: str) -> None:
    assert job
    used = {row["meter"]: row["value"] for row in terminal.json("usage")["data"]}
    assert used["jobs"] >= 1
    assert used["training_seconds"] > 0
    assert used["dataset_rows"] >= 150
    assert (
        len(terminal.json("usage", "--meter", "jobs", "--window", "month", "--from", "1d")["data"])
        == 1
    )
    assert terminal.json("usage", "--to", "2001-01-01T00:00:00Z")["data"] == []


def test_a_signed_webhook_is_sent_and_a_forged_one_is_refused(terminal: Terminal) -> None:
    source = terminal.json("sources", "create", "shop")
    sending = (
        "send",
        "--source",
        source["id"],
        "--data",
        '{"order": 7}',
        "--id",
        "msg_1",
        "--json",
    )
    done = terminal.run(*sending, "--secret", source["secret"], "--repeat", "3")
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["duplicate"] for one in answers] == [False, True, True]
    assert len({one["event_id"] for one in answers}) == 1
    named = (
        "send",
        "--source",
        "shop",
        "--data",
        '{"order": 7}',
        "--id",
        "msg_1",
        "--secret",
        source["secret"],
    )
    assert json.loads(terminal.run(*named, "--json").stdout)["duplicate"] is True
    assert terminal.json("sources", "show", "shop")["id"] == source["id"]
    nobody = terminal.run("requests", "list", "--source", "nobody")
    assert (nobody.returncode, "there is no source named 'nobody'" in nobody.stderr) == (1, True)
    other = terminal.json("sources", "create", "other")
    forged = terminal.run(*sending, "--secret", other["secret"])
    assert forged.returncode == 1
    assert "unauthorized" in forged.stderr
    assert terminal.json("dead-letters", "list")["data"] == []


def test_the_examples_of_the_events_page_run(terminal: Terminal, job: str) -> None:
    """As they stand there, side by side; what they print is what the API says."""
    blocks = re.findall(
        r"```python\n(.*?)```", (ROOT / "docs" / "events.md").read_text(), re.DOTALL
    )
    environment = {
        **os.environ,
        "HEADRACE_KAFKA": terminal.json("env")["HEADRACE_KAFKA"],
        "POLARS_FMT_MAX_ROWS": "50",
    }
    running = [
        subprocess.Popen(
            [sys.executable, "-c", block], env=environment, stdout=subprocess.PIPE, text=True
        )
        for block in blocks
    ]
    ended, used = (process.communicate(timeout=300)[0] for process in running)
    assert [process.returncode for process in running] == [0, 0]
    assert f"{terminal.json('jobs', 'show', job)['metrics']['accuracy']}" in ended
    assert "'name': 'iris'" in ended
    assert "training_seconds" in used
    assert "dataset_rows" in used


def test_a_consumer_is_paused_and_resumed(terminal: Terminal) -> None:
    here = ("--data-dir", str(terminal.data_dir))
    listed = {one["name"]: one for one in terminal.json("consumers", "list", *here)["data"]}
    assert listed.keys() == {
        "ingest",
        "training",
        "finalization",
        "billing",
        "projection.jobs",
        "projection.metric_trends",
        "projection.usage",
    }
    assert {one["state"] for one in listed.values()} == {"running"}
    paused = terminal.json("consumers", "pause", "billing", "--reason", "maintenance", *here)
    assert paused == {"consumer": "billing", "state": "paused", "changed": True}
    shown = terminal.json("consumers", "show", "billing", *here)
    assert (shown["state"], shown["reason"], len(shown["partitions"])) == (
        "paused",
        "maintenance",
        6,
    )
    doctor = terminal.run("doctor")
    assert doctor.returncode == 1
    assert "billing is paused: maintenance" in doctor.stdout
    view = "projection.jobs"
    assert (
        terminal.json("consumers", "pause", view, "--reason", "a bad view", *here)["changed"]
        is True
    )
    assert "projection.jobs is paused: a bad view" in terminal.run("doctor").stdout
    told = terminal.json("status")["paused"]
    assert [(one["consumer"], one["reason"]) for one in told] == [
        ("billing", "maintenance"),
        (view, "a bad view"),
    ]
    assert "billing is paused since" in terminal.run("status").stdout
    assert len(terminal.json("consumers", "show", view, *here)["partitions"]) == 6
    assert (
        terminal.json("consumers", "resume", view, "--reason", "mended", *here)["changed"] is True
    )
    assert (
        httpx.get(terminal.json("status")["api_url"] + "/readyz", trust_env=False).status_code
        == 200
    )
    assert (
        terminal.json("consumers", "resume", "billing", "--reason", "done", *here)["changed"]
        is True
    )
    assert terminal.run("doctor").returncode == 0
    assert terminal.run("consumers", "show", "nobody", *here).returncode == 1
    assert terminal.run("consumers", "pause", "billing", *here).returncode == 2


def test_a_topic_is_grown_while_it_is_used(terminal: Terminal) -> None:
    here = ("--data-dir", str(terminal.data_dir))
    source = terminal.json("sources", "create", "grows")
    secret = ("send", "--source", source["id"], "--secret", source["secret"], "--data", "{}")
    assert terminal.run(*secret, "--repeat", "5").returncode == 0
    dry = terminal.json("topics", "grow", "headrace.webhooks", "9", "--dry-run", *here)
    assert (dry["partitions"], dry["spread_over"], dry["held_since"]) == (6, 6, None)
    grown = terminal.run("topics", "grow", "headrace.webhooks", "9", "--timeout", "60", *here)
    assert (grown.returncode, "keys use 9: in use" in grown.stdout) == (0, True), (
        grown.stdout + grown.stderr
    )
    listed = {one["topic"]: one for one in terminal.json("topics", "list", *here)["data"]}
    assert {name: one["partitions"] for name, one in listed.items() if one["partitions"] != 6} == {
        "headrace.webhooks": 9,
        "headrace.dead-letters": 1,
    }
    assert terminal.run(*secret).returncode == 0
    fewer = terminal.run("topics", "grow", "headrace.webhooks", "6", *here)
    assert (fewer.returncode, "Kafka takes none away" in fewer.stderr) == (1, True)
    unknown = terminal.run("topics", "grow", "nothing", "9", *here)
    assert (unknown.returncode, "known: headrace.webhooks" in unknown.stderr) == (1, True)
    assert terminal.run("topics", "grow", "headrace.webhooks", *here).returncode == 2


def test_a_failure_is_1_and_a_misuse_is_2(terminal: Terminal) -> None:
    unknown = terminal.run("jobs", "show", "01900000-0000-7000-8000-000000000000", "--json")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "not_found" in unknown.stderr
    for misuse in (["nonsense"], ["jobs", "show"], ["status", "--nonsense"]):
        assert terminal.run(*misuse).returncode == 2, misuse


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
