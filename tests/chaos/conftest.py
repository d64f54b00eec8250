"""One stack for all chaos, and whether the long form was asked for."""

import os
import random
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.chaos.live_stack import LiveStack, live_stack
from tests.chaos.traffic import Traffic
from tests.eventually import eventually
from tests.factories import shipped_csv
from tests.harness.directories import own_directory
from tests.harness.workers import CHAOS
from tests.published import check_topics

LONG = os.environ.get("HEADRACE_TEST_CHAOS") == "long"


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Print a report now, and once more at the end of the run, where it is read."""

    def told(report: str) -> None:
        print(report)
        request.node.user_properties.append((CHAOS, report))

    return told


@pytest.fixture(scope="package")
def stack(request: pytest.FixtureRequest) -> Iterator[LiveStack]:
    """Everything, running; its data directory is its own."""
    with own_directory(request) as directory, live_stack(directory / "data") as running:
        yield running
        check_topics(running.kafka)


@pytest.fixture(scope="package")
def history() -> list[Traffic]:
    """All the traffic that the stack has seen."""
    return []


@pytest.fixture
def seed() -> int:
    """Of everything that is random: HEADRACE_TEST_SEED, or a new one."""
    given = os.environ.get("HEADRACE_TEST_SEED")
    return int(given) if given else random.SystemRandom().randrange(2**31)


@pytest.fixture
async def dataset_id(stack: LiveStack) -> str:
    """Iris, validated."""
    async with stack.client() as client:
        upload = await client.post(
            "/v1/datasets",
            params={"name": "iris"},
            content=shipped_csv("iris"),
            headers={"content-type": "text/csv"},
        )
        assert upload.status_code == 202, upload.text
        place = f"/v1/datasets/{upload.json()['id']}"

        async def asked() -> httpx.Response:
            return await client.get(place)

        await eventually(asked, lambda answer: answer.json()["state"] == "validated", seconds=60)
        return str(upload.json()["id"])
