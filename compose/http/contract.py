"""The AsyncAPI document over HTTP."""

import json
from typing import Any

from fastapi import APIRouter, Response

from compose.reference.asyncapi import document
from compose.settings import Settings

ASYNCAPI: dict[str, Any] = {"content": {"application/json": {"schema": {"type": "object"}}}}


def contract(settings: Settings) -> APIRouter:
    """The route of the document."""
    servers = [one.strip() for one in settings.kafka.split(",")]
    whole = json.dumps(document(servers, settings.kafka_topic_prefix)).encode()
    router = APIRouter(tags=["operations"])

    @router.get("/asyncapi.json", response_class=Response, responses={200: ASYNCAPI})
    async def asyncapi() -> Response:
        """The records on Kafka: topics, events, headers, examples, and who sends and receives
        them (AsyncAPI 3).
        """
        return Response(whole, media_type="application/json")

    return router
