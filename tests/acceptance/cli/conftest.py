"""A stack that the command line started, with what the tests of all commands share."""

from collections.abc import Iterator

import pytest

from tests.acceptance.terminal import UP_SECONDS, Terminal
from tests.factories import shipped_csv
from tests.harness.directories import own_directory
from tests.published import check_topics


@pytest.fixture(scope="package")
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


@pytest.fixture(scope="package")
def iris(terminal: Terminal) -> str:
    """A data set that was uploaded and validated."""
    file = terminal.data_dir.parent / "iris.csv"
    file.write_bytes(shipped_csv("iris"))
    dataset = terminal.json("datasets", "upload", str(file), "--name", "iris", "--wait")
    assert (dataset["state"], dataset["rows"]) == ("validated", 150)
    return str(dataset["id"])


@pytest.fixture(scope="package")
def job(terminal: Terminal, iris: str) -> str:
    """A job that succeeded."""
    done = terminal.json(
        "jobs", "start", "--dataset", iris, "--target", "target", "--model", "iris", "--wait"
    )
    assert done["state"] == "succeeded", done
    return str(done["id"])
