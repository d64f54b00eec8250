"""The lines of docs/models.md load a model where nothing of Headrace is installed."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.house import ROOT
from tests.integration.work_child.attempts import attempt, finished
from tests.integration.work_child.data import columns_of

UV = Path(sys.executable).with_name("uv")
NEEDED = ("scikit-learn", "skops", "polars")
ROWS = "".join(
    f"{row % 9},{'' if row % 7 == 0 else ('red', 'green')[row % 2]},{'true' if row % 3 else 'false'},"
    f"{('low', 'high')[row % 9 > 4]}\n"
    for row in range(90)
)


def uv(*arguments: str, cwd: Path) -> None:
    """One command of uv that must succeed."""
    done = subprocess.run(
        [str(UV), *arguments], cwd=cwd, env=os.environ, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr


def printed(python: Path, code: str, cwd: Path) -> str:
    """What a program prints that must succeed."""
    done = subprocess.run(
        [str(python), "-I", "-c", code], cwd=cwd, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """The interpreter of a venv that has the locked versions of what the lines import, and no more."""
    locked = tmp_path / "locked.txt"
    what = ("--locked", "--no-dev", "--no-hashes", "--no-emit-project", "--output-file", str(locked))
    uv("export", "--quiet", "--offline", *what, cwd=ROOT)
    venv = tmp_path / "venv"
    uv("venv", "--quiet", "--python", sys.executable, str(venv), cwd=tmp_path)
    interpreter = venv / "bin" / "python"
    install = ("pip", "install", "--quiet", "--python", str(interpreter), "--constraint", str(locked), *NEEDED)
    try:
        uv(*install, "--offline", cwd=tmp_path)  # installing the project has put them into uv's cache
    except AssertionError:
        uv(*install, cwd=tmp_path)
    return interpreter


async def test_the_documented_lines_predict(python: Path, tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("size,colour,heavy,kind\n" + ROWS)
    columns = columns_of(finished(await attempt("validate", {"path": str(path)}, tmp_path)))
    directory = tmp_path / "wine-3"
    directory.mkdir()
    payload = {"path": str(path), "columns": columns, "target": "kind", "budget_seconds": 1.0}
    finished(await attempt("train", payload, directory))
    (tmp_path / "new.csv").write_text("colour,size,heavy,other\nred,8,true,x\n,1,false,y\nviolet,0,true,z\n")
    (block,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "models.md").read_text(), re.DOTALL)
    assert printed(python, block, tmp_path) == "['high' 'low' 'low']\n"
