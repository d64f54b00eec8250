"""What `headrace listen` does: reads a source's events, posts each body, tells what the other
side says.
"""

import base64
import json
import time
from types import TracebackType
from typing import Any, Self

import httpx
import typer
from rich.markup import escape

from compose.cli.client import Client
from compose.cli.connection import is_loopback
from compose.cli.following import pages
from compose.cli.output import moment, terminal

TIMEOUT_SECONDS = 30.0
FIRST_PAUSE_SECONDS, LAST_PAUSE_SECONDS = 0.5, 10.0


class Forwarding:
    """One source's webhooks on their way to one URL."""

    def __init__(self, api: Client, url: str, retries: int, as_json: bool) -> None:
        self._api, self._url, self._retries, self._as_json = api, url, retries, as_json
        self._http = httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=not is_loopback(url))
        self.count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def run(self, source: str, since: str | None) -> None:
        """Forward from `since`, or from now, without end."""
        self._api.get(f"/v1/sources/{source}")  # says so when there is none
        asked = {"source": source, "from": since, "cursor": "latest" if since is None else None}
        ready = False
        for page in pages(self._api, follow=True, **asked) if since else self._from_now(asked):
            if not ready:
                typer.echo(f"listening; forwarding to {self._url}", err=True)
            ready = True
            for event in page["data"]:
                self._forward(event)

    def _from_now(self, asked: dict[str, Any]) -> Any:
        now = self._api.read(
            "/v1/events", asked
        )  # does not wait: what is sent from here on is forwarded
        yield now
        yield from pages(self._api, follow=True, **{**asked, "cursor": now["next_cursor"]})

    def _forward(self, event: dict[str, Any]) -> None:
        data = event["data"]
        request_id = data["request_id"]
        kept = self._api.get(f"/v1/requests/{request_id}")["headers"]
        headers = {
            **kept,
            "content-type": data["content_type"] or "application/octet-stream",
            "headrace-event-id": event["id"],
            "headrace-request-id": request_id,
        }
        body = self._body(data)
        began = time.monotonic()
        status, error = None, None
        try:
            status, began = self._post(body, headers)
        except httpx.HTTPError as failed:
            error = f"{type(failed).__name__}: {failed}"
        self.count += error is None
        self._tell(event, status, error, round((time.monotonic() - began) * 1000))

    def _post(self, body: bytes, headers: dict[str, str]) -> tuple[int, float]:
        """The local answer's status, and when it was asked for.

        Only a connection that fails is tried again.
        """
        pause = FIRST_PAUSE_SECONDS
        for attempt in range(self._retries + 1):
            began = time.monotonic()
            try:
                return self._http.post(self._url, content=body, headers=headers).status_code, began
            except httpx.ConnectError:
                if attempt == self._retries:
                    raise
                typer.echo(f"nobody listens at {self._url}; trying again in {pause:g} s", err=True)
            time.sleep(pause)
            pause = min(pause * 2, LAST_PAUSE_SECONDS)
        raise AssertionError("the last attempt returns or raises")

    def _body(self, data: dict[str, Any]) -> bytes:
        if data["body_encoding"] == "reference":
            return self._api.content(f"/v1/requests/{data['request_id']}/body")
        text = str(data["body"])
        return base64.b64decode(text) if data["body_encoding"] == "base64" else text.encode()

    def _tell(
        self, event: dict[str, Any], status: int | None, error: str | None, milliseconds: int
    ) -> None:
        if self._as_json:
            outcome = {
                "event_id": event["id"],
                "request_id": event["data"]["request_id"],
                "status": status,
                "error": error,
                "milliseconds": milliseconds,
            }
            print(json.dumps(outcome), flush=True)
            return
        good = status is not None and status < 300
        said = f"[{'green' if good else 'red'}]{status if error is None else escape(error)}[/]"
        terminal().print(
            f"{moment(event['time'])}  {event['id']}  {event['data']['size_bytes']} B  {said}  "
            f"{milliseconds} ms"
        )
