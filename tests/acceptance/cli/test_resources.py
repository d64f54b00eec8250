"""The commands for the resources of the API."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.terminal import Terminal
from tests.contract.house import ROOT

pytestmark = pytest.mark.xdist_group("command line")


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
