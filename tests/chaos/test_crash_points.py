"""Every process is killed at every step that it has a name for, and the final state is the same."""

import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from compose.bootstrap import create_key
from compose.failpoints import POINTS
from compose.settings import Settings
from tests.acceptance.world import ENDS
from tests.chaos.checker import check
from tests.chaos.conftest import LONG
from tests.chaos.evidence import final_state, settled
from tests.chaos.lives import Lives, killed_at
from tests.chaos.report import report
from tests.chaos.traffic import MAPPING, TRAINING, Traffic
from tests.eventually import eventually
from tests.factories import shipped_csv

LARGE = b'"' + b"x" * (800 << 10) + b'"'  # goes to the object store before it is accepted
PLAN = {
    "api": ("accept.taken", "accept.stored", "accept.repeats_noted", "door.body_kept"),
    "relay": ("relay.read", "relay.sent", "relay.struck"),
    "ingest": ("runner.applied", "runner.committed") if LONG else ("runner.applied",),
    "training": (
        "work.started",
        "work.finishing",
        "work.finished",
    ),  # the first two cost a job an attempt of three
    "finalization": ("runner.applied", "runner.committed") if LONG else ("runner.committed",),
    "billing": ("runner.applied", "runner.committed"),
    "projections": ("engine.folded", "engine.committed"),
    "sweeper": (),
}
RARE = ("door.", "work.")


@dataclass(frozen=True)
class Servers:
    """The shared servers, as the evidence wants them."""

    postgres_url: str
    kafka: str
    topic_prefix: str


async def test_a_kill_at_every_step_loses_doubles_and_reorders_nothing(
    settings: Settings, tmp_path: Path, seed: int, tell: Callable[[str], None]
) -> None:
    dice = random.Random(seed)
    settings = settings.model_copy(update={"lease_seconds": 6.0})
    servers = Servers(
        settings.postgres_url.get_secret_value(), settings.kafka, settings.kafka_topic_prefix
    )
    key = (await create_key(settings, "first", "test"))[1]
    armed = {name: [_armed(point, dice) for point in points] for name, points in PLAN.items()}
    print(f"\nseed {seed}: {' '.join(point for points in armed.values() for point in points)}")
    began = time.monotonic()
    async with (
        httpx.AsyncClient(
            base_url=settings.api_url,
            headers={"Authorization": f"Bearer {key}"},
            timeout=10,
            trust_env=False,
        ) as client,
        killed_at(armed, settings, tmp_path) as lives,
    ):
        traffic = Traffic(client, seed)
        dataset_ids = await _under_traffic(traffic, lives)
        killing_seconds = time.monotonic() - began
        told = traffic.told()
        drained_seconds, _ = await settled(servers, told, seconds=60)
        final = await final_state(servers)
        states = [(await client.get(f"/v1/datasets/{one}")).json()["state"] for one in dataset_ids]
    found = check(told, final)
    title = (
        f"crash points, {sum(len(one.hit) for one in lives.values())} kills in "
        f"{killing_seconds:.0f} s"
    )
    tell(report(title, traffic, final, found, {}, drained_seconds))
    assert found == []
    assert traffic.surprises == []
    assert states == ["validated"] * len(dataset_ids)
    assert {name: tuple(one.hit) for name, one in lives.items()} == PLAN
    of_commands = ("grow.", "restore.")  # killed in their own tests
    here = {point for point in POINTS if not point.startswith(of_commands)}
    assert {point for points in PLAN.values() for point in points} == here


def _armed(point: str, dice: random.Random) -> str:
    return f"{point}:{1 if point.startswith(RARE) else dice.randint(1, 3)}"


async def _under_traffic(traffic: Traffic, lives: Mapping[str, Lives]) -> list[str]:
    """Webhooks and training until every point was hit; the data sets that were accepted."""
    stop = asyncio.Event()
    client = traffic.client
    await _again(lambda: client.get("/readyz"), 200)
    sources = [await traffic.source(f"forward-{place}", {"kind": "forward"}) for place in range(3)]
    trainer = await traffic.source(
        TRAINING, {"kind": "command", "command": "train", "mapping": MAPPING}
    )
    dataset_ids: list[str] = []
    async with asyncio.TaskGroup() as group:
        for source, body, every_seconds in zip(
            sources, (b"{}", b'{"a": 1}', LARGE), (0.03, 0.03, 1.0), strict=True
        ):
            group.create_task(traffic.stream(source, body, every_seconds, stop))
        while (
            any(len(one.hit) < len(one.points) for one in lives.values()) and len(dataset_ids) < 12
        ):
            dataset_ids.append(await _validated(client))
            body = json.dumps(
                {"dataset_id": dataset_ids[-1], "target": "target", "model": "iris"}
            ).encode()
            await _trained(traffic, trainer, body, len(dataset_ids))
        stop.set()
    return dataset_ids


async def _again(ask: Callable[[], Awaitable[httpx.Response]], status: int) -> httpx.Response:
    """Ask until the answer is this."""

    async def asked() -> httpx.Response | None:
        with suppress(httpx.TransportError):
            return await ask()
        return None

    answer = await eventually(
        asked, lambda one: one is not None and one.status_code == status, seconds=60
    )
    assert answer is not None
    return answer


async def _validated(client: httpx.AsyncClient) -> str:
    name, content = {"name": "iris"}, shipped_csv("iris")
    headers = {"content-type": "text/csv"}
    upload = await _again(
        lambda: client.post("/v1/datasets", params=name, content=content, headers=headers), 202
    )
    dataset_id = str(upload.json()["id"])
    await _becomes(client, f"/v1/datasets/{dataset_id}", ("validated", "rejected"))
    return dataset_id


async def _trained(traffic: Traffic, trainer: dict[str, str], body: bytes, number: int) -> None:
    before = set(traffic.jobs)
    await traffic.deliver(trainer, body, number)
    (job_id,) = traffic.jobs - before
    await _becomes(traffic.client, f"/v1/jobs/{job_id}", ENDS)


async def _becomes(client: httpx.AsyncClient, place: str, ends: Sequence[str]) -> None:
    async def state() -> str:
        with suppress(httpx.TransportError):
            answer = await client.get(place)
            return str(answer.json().get("state"))
        return ""

    await eventually(state, lambda now: now in ends, seconds=60)
