"""The lines of docs/models.md load a model where nothing of Headrace is installed."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.house import ROOT
from tests.integration.work_child.attempts import attempt, finished

UV = Path(sys.executable).with_name("uv")
pytestmark = pytest.mark.xdist_group("notebook")
NEEDED = ("scikit-learn", "skops", "polars")
ROWS = "".join(
    f"{row % 9},{'' if row % 7 == 0 else ('red', 'green')[row % 2]},{'true' if row % 3 else 'false'},"
    f"{('low', 'high')[row % 9 > 4]}\n"
    for row in range(90)
)


def uv(*arguments: str, cwd: Path) -> None:
    """One command of uv that must succeed."""
    done = subprocess.run(
        [str(UV), *arguments],
        cwd=cwd,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def printed(python: Path, code: str, cwd: Path) -> str:
    """What a program prints that must succeed."""
    done = subprocess.run(
        [str(python), "-I", "-c", code],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a venv that has the locked versions of what the lines import, and no
    more.
    """
    tmp_path = tmp_path_factory.mktemp("notebook")
    locked = tmp_path / "locked.txt"
    what = (
        "--locked",
        "--no-dev",
        "--no-hashes",
        "--no-emit-project",
        "--output-file",
        str(locked),
    )
    uv("export", "--quiet", "--offline", *what, cwd=ROOT)
    venv = tmp_path / "venv"
    uv("venv", "--quiet", "--python", sys.executable, str(venv), cwd=tmp_path)
    interpreter = venv / "bin" / "python"
    install = (
        "pip",
        "install",
        "--quiet",
        "--python",
        str(interpreter),
        "--constraint",
        str(locked),
        *NEEDED,
    )
    try:
        uv(
            *install, "--offline", cwd=tmp_path
        )  # installing the project has put them into uv's cache
    except AssertionError:
        uv(*install, cwd=tmp_path)
    return interpreter


async def predicted(python: Path, directory: Path, table: str, target: str, new: str) -> str:
    """What the documented lines print for the rows `new`, by a model that learned from `table`."""
    path = directory / "data.csv"
    path.write_text(table)
    validated = finished(await attempt("validate", {"path": str(path)}, directory))
    columns = [
        {"name": one["name"], "type": one["type"], "missing": one["missing"] or ()}
        for one in validated["columns"]
    ]
    files = directory / "wine-3"
    files.mkdir()
    payload = {"path": str(path), "columns": columns, "target": target, "budget_seconds": 1.0}
    finished(await attempt("train", payload, files))
    (directory / "new.csv").write_text(new)
    (block,) = re.findall(
        r"```python\n(.*?)```", (ROOT / "docs" / "models.md").read_text(), re.DOTALL
    )
    return printed(python, block, directory)


async def test_the_documented_lines_predict(python: Path, tmp_path: Path) -> None:
    new = "colour,size,heavy,other\nred,8,true,x\n,1,false,y\nviolet,0,true,z\n"
    table = "size,colour,heavy,kind\n" + ROWS
    assert await predicted(python, tmp_path, table, "kind", new) == "['high' 'low' 'low']\n"


async def test_the_documented_lines_read_cells_as_the_model_learned_them(
    python: Path, tmp_path: Path
) -> None:
    rows = [
        f"{('007', '010', '7')[row % 3]},{'NA' if row % 7 == 0 else row % 5},{row % 2 == 0},{'abc'[row % 3]}\n"
        for row in range(120)
    ]
    table = "code,total  size,heavy,kind\n" + "".join(rows)
    new = (
        "code,total  size, heavy\n"
        + "007,1,TRUE\n" * 101
        + "007, 0.5,True\n010,NA, false\n 7,,true\n"
    )
    shown = await predicted(python, tmp_path, table, "kind", new)
    assert re.findall(r"'(\w)'", shown) == ["a"] * 102 + ["b", "c"]
