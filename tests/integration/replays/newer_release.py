"""`python newer_release.py`: the ingest lane of a release that writes version 2 of a webhook and
lifts version 1.
"""

import asyncio
import sys
from typing import Any, cast

from compose.processes.worker import consumer_parts
from compose.settings import Settings
from consumers.registry import INGEST
from schemas.topics import PAYLOADS
from schemas.upcasters import FORMERS, Former
from schemas.webhooks import WebhookReceived


class Signed(WebhookReceived, type=WebhookReceived.TYPE, version=2):
    """With a field that version 1 cannot know."""

    signed_by: str | None


def lift(old: WebhookReceived) -> Signed:
    """Nobody knows who signed it."""
    return Signed(**old.model_dump(), signed_by=None)


async def main() -> None:
    """Rounds of the lane, as the worker puts it together, until nothing is due."""
    PAYLOADS[Signed.TYPE] = Signed
    cast("dict[Any, Any]", FORMERS)[WebhookReceived.TYPE, 1] = Former(WebhookReceived, lift)
    async with consumer_parts(INGEST, Settings()) as (_, _, lane):
        while not await lane.round():
            pass


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
