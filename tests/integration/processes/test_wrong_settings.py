"""A process that cannot begin with its settings says so in one line, and ends: no traceback, no
attempt.
"""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from compose.checked_settings import CannotListen, can_listen
from compose.settings import Settings

GOOD = "postgresql://headrace:secret@127.0.0.1:5432/headrace"
SCRIPT = """
import json, logging, os, sys
from typer.testing import CliRunner
from compose.cli import app
for settings, arguments in json.load(sys.stdin):
    os.environ.update(settings)
    logging.getLogger().handlers.clear()
    done = CliRunner().invoke(app, arguments)
    print(json.dumps([done.exit_code, done.stdout, done.stderr, repr(done.exception)]), flush=True)
    for name in settings: del os.environ[name]
"""
COMMANDS = (
    "api",
    "relay",
    "worker",
    "worker ingest",
    "projections",
    "projections jobs",
    "sweeper",
    "sweeper --once",
    "migrate",
    "topics",
    "topics list",
    "topics restore --dry-run",
    "consumers list",
    "admin bootstrap",
    "admin create-key --tenant a",
    "admin limits show a",
    "dead-letters list --operator",
    f"admin roles --superuser-url {GOOD}",
)


def ended(cases: list[tuple[dict[str, str], str]], directory: Path) -> list[tuple[int, str, str]]:
    """How commands end in one process: exit status, standard output, standard error."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HEADRACE_")}
    given = json.dumps(
        [
            ({f"HEADRACE_{name}": one for name, one in more.items()}, what.split())
            for more, what in cases
        ]
    )
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        input=given,
        env=clean | {"PYTHONPATH": str(Path.cwd())},
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) == len(cases), done.stderr
    return [
        (code, said, f"{told}{error}" if "SystemExit" not in error else told)
        for code, said, told, error in lines
    ]


def test_an_address_that_is_anothers_or_no_machines_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        here = Settings(api_url=f"http://127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(
            CannotListen, match=r"^HEADRACE_API_URL is http://127.0.0.1:\d+, where the API cannot"
        ):
            can_listen(here)
    can_listen(here)
    with pytest.raises(CannotListen, match="cannot listen"):
        can_listen(Settings(api_url="http://192.0.2.1:8080"))


def test_every_command_that_needs_a_database_names_the_setting(tmp_path: Path) -> None:
    wrong = {"POSTGRES_URL": "mysql://u:hunter2@127.0.0.1:1/x"}
    keys = {"SECRET_KEYS": "k1:" + "A" * 43 + "="}
    for command, (code, said, told) in zip(
        COMMANDS, ended([(wrong | keys, one) for one in COMMANDS], tmp_path), strict=True
    ):
        assert (code, said) == (2, ""), (command, told)
        assert told.splitlines() == [
            line for line in told.splitlines() if line.startswith("headrace: HEADRACE_POSTGRES_URL")
        ], command
        assert len(told.splitlines()) == 1, (command, told)
        assert "hunter2" not in told


def test_a_process_that_cannot_begin_says_why_in_one_line(tmp_path: Path) -> None:
    keys = {"SECRET_KEYS": "k1:" + "A" * 43 + "=", "POSTGRES_URL": "postgresql://a@127.0.0.1:1/a"}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        here = f"http://127.0.0.1:{taken.getsockname()[1]}"
        cases = [
            ({"POSTGRES_URL": GOOD}, "api", 2, "HEADRACE_SECRET_KEYS is not set"),
            (
                keys | {"OBJECT_STORE": "s3://bucket"},
                "api",
                2,
                "HEADRACE_OBJECT_STORE begins with s3://",
            ),
            (
                keys | {"OBJECT_STORE": "file:objects"},
                "worker",
                2,
                "HEADRACE_OBJECT_STORE is a relative path",
            ),
            (
                keys | {"OBJECT_STORE": "file:objects"},
                "up",
                2,
                "HEADRACE_OBJECT_STORE is a relative path",
            ),
            (keys | {"SECRET_KEYS": "x"}, "up --detach", 2, "HEADRACE_SECRET_KEYS is not a list"),
            (keys | {"KAFKA": "a b"}, "relay", 2, "HEADRACE_KAFKA has 'a b' in it"),
            (keys | {"MAX_CONNECTIONS": "few"}, "api", 2, "HEADRACE_MAX_CONNECTIONS"),
            (
                keys | {"API_URL": here},
                "api",
                1,
                f"HEADRACE_API_URL is {here}, where the API cannot listen",
            ),
            (keys | {"API_URL": "http://127.0.0.1:0"}, "api", 1, "PostgreSQL does not answer"),
            (keys, "migrate", 1, "a server does not answer"),
            ({"API_KEY": "hr_secret"}, "jobs list", 1, "no stack is running"),
            ({"API_URL": "http://[::1"}, "jobs list", 2, "HEADRACE_API_URL is malformed"),
            ({"API_KEY": "hr_secret"}, "usage", 1, "no stack is running"),
            (
                {},
                "send --source 01900000-0000-7000-8000-000000000000 --data {} --secret x",
                1,
                "no stack is running",
            ),
        ]
        done = ended([(settings, what) for settings, what, _, _ in cases], tmp_path)
    for (_, what, code, said), (ended_with, _, told) in zip(cases, done, strict=True):
        assert (ended_with, said in told, "Traceback" in told) == (code, True, False), (
            what,
            ended_with,
            told,
        )


def test_the_doctor_names_each_setting_and_the_object_store(tmp_path: Path) -> None:
    wrong = {"POSTGRES_URL": "mysql://u:hunter2@h/x", "KAFKA": "a b", "API_URL": "http://[::1"}
    (tmp_path / "file").touch()
    stores = (
        "s3://bucket",
        (tmp_path / "file" / "objects").as_uri(),
        (tmp_path / "objects").as_uri(),
    )
    cases = [(wrong | {"OBJECT_STORE": stores[0]}, "doctor --json")]
    cases += [({"OBJECT_STORE": store}, "doctor --json") for store in stores[1:]]
    checks = []
    for code, said, told in ended(cases, tmp_path):
        checks.append({one["name"]: one for one in json.loads(said)["checks"]})
        assert (code, "hunter2" in said + told) == (
            int(any(not one["ok"] for one in checks[-1].values())),
            False,
        )
    for name in ("POSTGRES_URL", "KAFKA", "API_URL", "OBJECT_STORE"):
        assert checks[0][f"HEADRACE_{name}"]["detail"].startswith(f"HEADRACE_{name} "), name
    assert "cannot be written to" in checks[1]["object store"]["detail"]
    assert (checks[1]["settings"]["ok"], checks[2]["object store"]["ok"]) == (True, True)
    assert checks[2]["object store"]["detail"].startswith(f"{stores[2]}, not made yet")
