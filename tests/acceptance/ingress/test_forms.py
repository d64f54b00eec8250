"""What Slack and GitHub send as forms, through the whole of it."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from compose.settings import Settings
from tests.acceptance.ingress.senders import FORM, create, deliver
from tests.acceptance.world import whole
from tests.eventually import eventually
from tests.factories import shipped_csv


@pytest.mark.parametrize(
    ("scheme", "mapping", "fields"),
    [
        (
            "slack",
            {"dataset_id": "text", "model": "channel_name"},
            lambda dataset: {
                "command": "/train",
                "text": dataset,
                "channel_name": "wine",
                "user_name": "Steve",
            },
        ),
        (
            "github",
            {"dataset_id": "inputs.data", "model": "'wine'"},
            lambda dataset: {"payload": json.dumps({"inputs": {"data": dataset}})},
        ),
    ],
    ids=["a slash command", "a form of GitHub"],
)
async def test_a_form_starts_a_training(
    settings: Settings, scheme: str, mapping: dict[str, str], fields: Any
) -> None:
    async with whole(settings) as world:
        dataset = await world.upload("iris", shipped_csv("iris"))
        await world.decided(dataset)
        action = {
            "kind": "command",
            "command": "train",
            "mapping": {"target": "'target'", **mapping},
        }
        source = await create(world, "forms", scheme=scheme, action=action)
        answer = await deliver(
            world, source, urlencode(fields(dataset)).encode(), content_type=FORM
        )
        assert answer.status_code == 202, answer.text
        found = await eventually(lambda: world.get("/v1/jobs"), lambda listed: listed["data"])
        job = await world.ended(found["data"][0]["id"])
        assert (job["state"], job["model"]["name"]) == ("succeeded", "wine"), job
        assert job["correlation_id"] == answer.json()["event_id"]
