"""What is installed: our names are ours alone, and the wheel holds what the processes need and
no tests.
"""

import os
import re
import subprocess
import sys
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.contract.house import PACKAGES, ROOT

UV = Path(sys.executable).with_name("uv")
pytestmark = pytest.mark.xdist_group("wheel")


def test_no_other_distribution_provides_one_of_our_names() -> None:
    # The names are general: a foreign `schemas` would be imported by the installed command while
    # the tests stay green.
    providers = packages_distributions()
    foreign = {name: set(providers.get(name, ())) - {"headrace"} for name in (*PACKAGES, "tests")}
    assert {name: found for name, found in foreign.items() if found} == {}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The names in a wheel built from this checkout."""
    out = tmp_path_factory.mktemp("wheel")
    # Installing has put the build backend into uv's cache; where that was thrown away, the index is
    # asked.
    for network in (["--offline"], []):
        command = [
            str(UV),
            "build",
            "--quiet",
            "--wheel",
            *network,
            "--out-dir",
            str(out),
            str(ROOT),
        ]
        done = subprocess.run(
            command,
            cwd=out,
            env=os.environ,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if done.returncode == 0:
            break
    assert done.returncode == 0, done.stderr
    (built,) = out.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        return archive.namelist()


def test_every_module_of_ours_is_in_the_wheel(wheel: list[str]) -> None:
    ours = {
        path.relative_to(ROOT).as_posix()
        for name in PACKAGES
        for path in (ROOT / name).rglob("*.py")
    }
    assert ours - set(wheel) == set()
    assert "migrations/versions/0001_foundations.py" in wheel


@pytest.mark.parametrize("name", ["compose/devstack/jgo.toml", "compose/devstack/jgo.lock.toml"])
def test_what_the_embedded_stack_needs_is_in_the_wheel(wheel: list[str], name: str) -> None:
    assert name in wheel


def test_nothing_else_is_in_the_wheel(wheel: list[str]) -> None:
    tops = {name.split("/")[0] for name in wheel}
    assert {top for top in tops if not re.fullmatch(r"headrace-[^/]+\.dist-info", top)} == set(
        PACKAGES
    )
    assert [
        name for name in wheel if "__pycache__" in name or name.endswith((".pyc", ".env"))
    ] == []


def test_the_command_is_in_the_wheel(wheel: list[str]) -> None:
    assert any(name.endswith(".dist-info/entry_points.txt") for name in wheel)
    assert "compose/cli/__init__.py" in wheel
