"""The command line as a whole: what it lists is what there is, its exit statuses, and how light
its help is.
"""

import json
import subprocess
import sys
from importlib import import_module
from inspect import cleandoc
from pathlib import Path

import pytest
import typer
from typer.main import get_group
from typer.testing import CliRunner

from compose.cli import COMMANDS, app

HEAVY = {
    "pydantic",
    "httpx",
    "sqlalchemy",
    "asyncpg",
    "aiokafka",
    "fastapi",
    "faststream",
    "jgo",
    "sklearn",
    "polars",
}


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("HEADRACE_API_URL", "HEADRACE_API_KEY", "HEADRACE_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("module", sorted({one.module for one in COMMANDS.values()}))
def test_the_list_says_what_the_commands_say(module: str) -> None:
    part = typer.Typer()
    import_module(module).register(part)
    said = {
        name: cleandoc(command.help or "").split("\n\n")[0].replace("\n", " ")
        for name, command in get_group(part).commands.items()
    }
    assert said == {name: one.help for name, one in COMMANDS.items() if one.module == module}


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys\n"
        "from compose.cli import app\n"
        "try: app(['--help'])\n"
        "except SystemExit: pass\n"
        "print(*sys.modules, file=sys.stderr)\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    ).stderr
    loaded = set(said.split())
    assert not loaded & HEAVY
    assert "compose.cli.process.processes" not in loaded


def test_it_fails_with_1_and_says_what_to_do() -> None:
    for arguments in (["usage"], ["env"], ["demo"], ["jobs", "list"]):
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 1
        assert result.stdout == ""
        assert "no stack is running" in result.stderr
        assert "headrace up" in result.stderr


def test_it_is_misused_with_2() -> None:
    for arguments in (["nosuch"], ["jobs", "start"], ["usage", "--window", "hour"]):
        assert CliRunner().invoke(app, arguments).exit_code == 2


def test_env_prints_what_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_API_URL", "http://api.example:8080")
    monkeypatch.setenv("HEADRACE_API_KEY", "hr_abc")
    monkeypatch.setenv("HEADRACE_KAFKA", "broker:9092")
    values = {
        "HEADRACE_API_URL": "http://api.example:8080",
        "HEADRACE_API_KEY": "hr_abc",
        "HEADRACE_KAFKA": "broker:9092",
    }
    assert json.loads(CliRunner().invoke(app, ["env", "--json"]).stdout) == values


def test_the_key_of_this_machine_is_not_shown_to_another(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".headrace").mkdir()
    (tmp_path / ".headrace" / "credentials.json").write_text(
        '{"tenant_id": "t", "api_key": "hr_ours"}'
    )
    monkeypatch.setenv("HEADRACE_API_URL", "http://127.0.0.1:8080")
    assert "hr_ours" in CliRunner().invoke(app, ["env"]).stdout
    monkeypatch.setenv("HEADRACE_API_URL", "http://api.example:8080")
    assert "hr_ours" not in CliRunner().invoke(app, ["env"]).stdout


ROOT = Path(__file__).resolve().parents[3]
