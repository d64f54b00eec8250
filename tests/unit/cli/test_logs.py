"""`headrace logs`: the ends of files, and what is added to them."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from compose.cli import app
from compose.cli.process.logs import CHUNK_BYTES, last_lines, since


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "api.log").write_text("one\ntwo\nthree\n")
    (tmp_path / "logs" / "relay.log").write_text("begun\n")
    (tmp_path / "logs" / "relay.log.1").write_text("before\n")
    return tmp_path


def shown(data_dir: Path, *arguments: str) -> tuple[int, list[str], str]:
    done = CliRunner().invoke(app, ["logs", *arguments, "--data-dir", str(data_dir)])
    return done.exit_code, done.stdout.splitlines(), done.stderr


def test_the_last_lines_of_one_process_and_of_all(data_dir: Path) -> None:
    assert shown(data_dir, "api", "--lines", "2") == (0, ["two", "three"], "")
    assert shown(data_dir, "--lines", "1") == (
        0,
        ["api          | three", "relay        | begun"],
        "",
    )
    assert shown(data_dir, "api", "--lines", "0") == (0, [], "")
    code, lines, _ = shown(data_dir, "relay", "--json")
    assert (code, [json.loads(line) for line in lines]) == (
        0,
        [{"process": "relay", "line": "begun"}],
    )


def test_a_process_that_is_not_there_is_a_failure(data_dir: Path, tmp_path: Path) -> None:
    code, lines, told = shown(data_dir, "nobody")
    assert (code, lines, "there is no log of 'nobody'" in told, "known: api, relay" in told) == (
        1,
        [],
        True,
        True,
    )
    code, _, told = shown(tmp_path / "nothing")
    assert (code, "there are no logs" in told) == (1, True)


def test_a_long_log_is_read_from_its_end(tmp_path: Path) -> None:
    file = tmp_path / "long.log"
    file.write_text("".join(f"line {place} {'x' * 100}\n" for place in range(CHUNK_BYTES // 50)))
    assert [line.split()[1] for line in last_lines(file, 1000)][-2:] == ["1308", "1309"]
    assert len(last_lines(file, 1000)) == 1000
    assert len(last_lines(file, 10_000)) == CHUNK_BYTES // 50


def test_what_is_added_is_followed_and_a_log_that_was_emptied_begins_anew(tmp_path: Path) -> None:
    file = tmp_path / "one.log"
    file.write_text("one\ntw")
    end, new = since(file, 0)
    assert (end, list(new)) == (4, ["one"])
    with file.open("a") as log:
        log.write("o\nthree\n")
    end, new = since(file, end)
    assert list(new) == ["two", "three"]
    file.write_text("new\n")
    assert list(since(file, end)[1]) == ["new"]
    assert list(since(file, 4)[1]) == []
