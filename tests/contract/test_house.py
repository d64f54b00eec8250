"""House rules that no linter knows; each is shown to find what it forbids."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.house import (
    PACKAGES,
    ROOT,
    full_name,
    imported,
    module_level,
    modules,
    name_of,
    references,
    tree,
)

MOST_LINES, MOST_TEST_LINES = 250, 300
PURE = sorted(
    {
        *(
            path
            for path in modules("consumers", "projections", "producers")
            if path.name in {"decide.py", "fold.py"}
        ),
        *modules("producers/webhooks/verification", "schemas"),
        *(
            ROOT / name
            for name in (
                "consumers/jobs/job.py",
                "consumers/ingest/mapping.py",
                "consumers/ingest/dataset.py",
                "consumers/billing/record.py",
                "producers/webhooks/normalize.py",
                "consumers/dead_letters/fingerprint.py",
                "consumers/replays/replay.py",
            )
        ),
    }
)
CLOCKS_AND_DICE = (
    "time.",
    "random.",
    "secrets.",
    "os.urandom",
    "os.getrandom",
    "uuid.uuid1",
    "uuid.uuid4",
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.datetime.today",
    "datetime.date.today",
)
WORLDS = {
    "create_async_engine",
    "create_engine",
    "engine",
    "Settings",
    "FastAPI",
    "KafkaBroker",
    "AIOKafkaProducer",
    "AIOKafkaConsumer",
    "create_pool",
}


def test_the_import_contracts_are_kept() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]
    assert " 0 broken" in done.stdout


def test_every_folder_with_code_is_a_package() -> None:
    folders = {path.parent for path in modules(*PACKAGES, "tests")}
    assert [
        name_of(folder) for folder in sorted(folders) if not (folder / "__init__.py").exists()
    ] == []


def test_no_file_is_too_long() -> None:
    found = []
    for path in modules(*PACKAGES, "tests"):
        lines = len(path.read_text().splitlines())
        most = MOST_TEST_LINES if name_of(path).startswith("tests/") else MOST_LINES
        if lines > most and "migrations/versions" not in name_of(path):
            found.append(f"{name_of(path)} has {lines} lines, {most} allowed")
    assert found == []


def impure(module: ast.Module) -> list[tuple[int, str]]:
    return [(line, name) for line, name in references(module) if name.startswith(CLOCKS_AND_DICE)]


def test_the_pure_files_are_where_they_should_be() -> None:
    assert len(PURE) > 20
    assert {path.name for path in PURE} >= {
        "decide.py",
        "fold.py",
        "job.py",
        "standard_webhooks.py",
        "ids.py",
    }
    assert all(path.exists() for path in PURE)


@pytest.mark.parametrize("path", PURE, ids=name_of)
def test_pure_code_has_no_clock_no_dice_and_no_new_ids(path: Path) -> None:
    assert impure(tree(path)) == []


@pytest.mark.parametrize(
    "source",
    [
        "import time\ntime.monotonic()",
        "from time import time\nf = time",
        "import datetime\ndatetime.datetime.now()",
        "from datetime import datetime as d\ndef f(now=d.now): ...",
        "from uuid import uuid4\nuuid4()",
        "import os as o\no.urandom(3)",
        "import secrets\nsecrets.token_hex()",
        "import random as r\nr.random()",
        "from datetime import date\ndate.today()",
    ],
)
def test_the_rule_finds_impure_code(source: str) -> None:
    assert impure(ast.parse(source))


def test_the_rule_lets_pure_code_be() -> None:
    source = (
        "from datetime import datetime\nfrom uuid import UUID\ndef f(at: datetime): return "
        "at.time(), UUID(int=1)"
    )
    assert impure(ast.parse(source)) == []


def made_at_import(module: ast.Module) -> list[tuple[int, str]]:
    names = imported(module)
    calls = [node for node in module_level(module) if isinstance(node, ast.Call)]
    found = [(call.lineno, full_name(call.func, names) or "") for call in calls]
    return [(line, name) for line, name in found if name.rsplit(".", 1)[-1] in WORLDS]


def test_importing_makes_no_engine_broker_settings_or_app() -> None:
    found = [
        f"{name_of(path)}:{line} {name}"
        for path in modules(*PACKAGES)
        for line, name in made_at_import(tree(path))
    ]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "from compose.settings import Settings\nS = Settings()",
        "import fastapi as f\napp = f.FastAPI()",
        "from compose.postgres.connections import engine as e\nclass A:\n    pool = e('u')",
        "def f(x=Settings()): ...",
        "if True:\n    X = [create_async_engine('u') for _ in 'ab']",
        "@FastAPI().get('/')\ndef f(): ...",
    ],
)
def test_the_rule_finds_what_is_made_at_import(source: str) -> None:
    assert made_at_import(ast.parse(source))


def test_the_rule_lets_functions_make_them() -> None:
    source = (
        "def f():\n    return Settings()\nclass A:\n    def g(self): return FastAPI()\nh = "
        "lambda: engine()"
    )
    assert made_at_import(ast.parse(source)) == []


def test_no_test_skips_mocks_or_patches() -> None:
    forbidden = (
        "unittest.mock",
        "pytest.skip",
        "pytest.mark.skip",
        "pytest.importorskip",
        "pytest.xfail",
        "pytest.mark.xfail",
        "monkeypatch.setattr",
        "monkeypatch.setitem",
        "monkeypatch.delattr",
    )
    found = [
        f"{name_of(path)}:{line} {name}"
        for path in modules("tests")
        for line, name in references(tree(path))
        if name.startswith(forbidden)
    ]
    assert found == []
