"""What is wrong with the embedded stack, and what to do about it: the checks behind `headrace
doctor`.
"""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from compose.devstack.blockers import held_back
from compose.devstack.machine_checks import (
    data_dir_writable,
    free_disk,
    jars_in_cache,
    java,
    postgres_programs,
    python,
    wheels,
)
from compose.devstack.ports import HOST, is_free, remembered
from compose.devstack.setting_checks import Check, usable
from compose.devstack.status import RunFiles, StackStatus
from compose.postgres.preconditions import NotReady, describe
from compose.settings import Settings

ANSWER_SECONDS = 5.0


async def diagnose(settings: Settings) -> list[Check]:
    """All checks, in the order in which one thing needs another. Changes nothing, stops nothing."""
    files = RunFiles(settings.data_dir.absolute())
    status = files.status()
    blocking: tuple[Callable[[], Check], ...] = (
        python,
        wheels,
        postgres_programs,
        java,
        jars_in_cache,
        lambda: data_dir_writable(files.data_dir),
        lambda: free_disk(files.data_dir),
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
