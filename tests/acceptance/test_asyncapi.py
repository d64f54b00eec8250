"""`GET /asyncapi.json`: the contract of this very installation, for anybody."""

import httpx

from compose.reference.asyncapi import document
from compose.settings import Settings
from tests.acceptance.world import api_only


async def test_it_names_the_kafka_and_the_topics_of_the_settings(
    database_settings: Settings,
) -> None:
    given = database_settings.model_copy(
        update={"kafka": "k1:9092, k2:9092", "kafka_topic_prefix": "x."}
    )
    async with (
        api_only(given) as world,
        httpx.AsyncClient(transport=world.transport, base_url=given.api_url) as stranger,
    ):
        answer = await stranger.get("/asyncapi.json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == document(["k1:9092", "k2:9092"], "x.")
