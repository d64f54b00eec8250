"""The event log from a terminal: page by page, and on from its end."""

from collections.abc import Iterator
from typing import Any

from compose.cli.client import Client

WAIT_SECONDS = 20
# An API that is started again is back well within this time.
PATIENCE_SECONDS = 60.0


def pages(api: Client, *, follow: bool, **asked: str | int | None) -> Iterator[dict[str, Any]]:
    """Every page from `cursor` on; with `follow` there is no end."""
    while True:
        prefer = {"prefer": f"wait={WAIT_SECONDS}"} if follow else None
        page = api.read("/v1/events", asked, prefer, PATIENCE_SECONDS if follow else 0.0)
        yield page
        asked = {**asked, "cursor": page["next_cursor"]}
        if not (follow or page["has_more"]):
            return
