"""The API from a terminal: answers as JSON, refusals as failures in words."""

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from compose.cli.connection import is_loopback, reachable
from compose.cli.failure import CommandFailure
from compose.cli.resources.inputs import STANDARD_INPUT, is_id

TIMEOUT_SECONDS = 30.0
UPLOAD_TIMEOUT_SECONDS = 300.0
CHUNK_BYTES = 1 << 16
RETRY_SECONDS = 0.5
UNWELL = (502, 503, 504)
BAD_REQUEST = 400


class Client:
    """One connection to one API with one key."""

    def __init__(
        self,
        url: str,
        key: str | None,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`transport` and `sleep` stand in for the network and the clock in tests."""
        self.url = url
        self._sleep = sleep
        self._http = httpx.Client(
            base_url=url,
            headers={} if key is None else {"authorization": f"Bearer {key}"},
            timeout=TIMEOUT_SECONDS,
            transport=transport,
            trust_env=not is_loopback(url),  # a proxy is not asked for this machine
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def get(self, path: str, patience_seconds: float = 0.0, **params: str | int | None) -> Any:
        """What a read answers.

        An API that is being started again is waited for, as long as patience lasts.
        """
        return self.read(path, params, patience_seconds=patience_seconds)

    def read(
        self,
        path: str,
        params: Mapping[str, Any],
        headers: Mapping[str, str] | None = None,
        patience_seconds: float = 0.0,
    ) -> Any:
        """The same, with headers."""
        wanted = {name: value for name, value in params.items() if value is not None}
        deadline = time.monotonic() + patience_seconds
        while True:
            try:
                answer = self._http.get(path, params=wanted, headers=headers)
                if answer.status_code not in UNWELL or time.monotonic() >= deadline:
                    return checked(answer)
            except httpx.TransportError as error:
                if time.monotonic() >= deadline:
                    raise unreachable(self.url, error) from error
            self._sleep(RETRY_SECONDS)

    def every(self, path: str, params: Mapping[str, Any]) -> Any:
        """A list answer with the rows of all its pages, from `cursor` on."""
        whole: list[Any] = []
        while True:
            page = self.read(path, params)
            whole += page["data"]
            params = {**params, "cursor": page["next_cursor"]}
            if page["next_cursor"] is None:
                return {**page, "data": whole}

    def source(self, given: str) -> str:
        """The id of a source that is given by its id or its name."""
        if is_id(given):
            return given
        found = self.get("/v1/sources", name=given)["data"]
        if not found:
            raise CommandFailure(f"there is no source named {given!r}", "headrace sources list")
        return str(found[0]["id"])

    def dataset(self, given: str) -> str:
        """The id of a dataset that is given by its id, or by its name: the newest valid version,
        else the newest.
        """
        if is_id(given):
            return given
        found = self.get("/v1/datasets", name=given, state="validated", limit=200)["data"]
        if not found:
            found = self.get("/v1/datasets", name=given, limit=1)["data"]
        if not found:
            raise CommandFailure(f"there is no dataset named {given!r}", "headrace datasets list")
        return str(max(found, key=lambda one: (one["version"] or 0, one["created_at"]))["id"])

    def content(self, path: str) -> bytes:
        """The bytes of what is not JSON."""
        answer = self._send(path, "GET")
        if answer.status_code >= BAD_REQUEST:
            raise refusal(answer)
        return answer.content

    def stream(self, path: str) -> AbstractContextManager[httpx.Response]:
        """The answer of a download, read as it comes.

        Close it by `with`, which raises Failure for a refusal.
        """
        return _streamed(self._http, self.url, path)

    def post(self, path: str, body: Any = None) -> Any:
        """What a command answers."""
        if body is None:
            return checked(self._send(path))
        # Escaped, so that a payload to try can have what no encoding has: half of a surrogate pair.
        content = json.dumps(body).encode()
        return checked(
            self._send(path, content=content, headers={"content-type": "application/json"})
        )

    def patch(self, path: str, body: Any, if_match: str | None = None) -> Any:
        """What a change answers; with `if_match` only what is still so is changed."""
        headers = {} if if_match is None else {"if-match": if_match}
        return checked(self._send(path, "PATCH", json=body, headers=headers))

    def delete(self, path: str, if_match: str | None = None) -> None:
        """Delete what is there; with `if_match` only if it is still so."""
        answer = self._send(
            path, "DELETE", headers={} if if_match is None else {"if-match": if_match}
        )
        if answer.status_code >= BAD_REQUEST:
            raise refusal(answer)

    def upload(self, path: str, file: Path, fields: Mapping[str, Any]) -> Any:
        """Send a file as a form, streamed.

        A pipe, or `-` for standard input, as a body of unknown length.
        """
        if file != STANDARD_INPUT and file.is_file():
            with file.open("rb") as content:
                given: dict[str, Any] = {
                    "files": {"file": (file.name, content, "text/csv")},
                    "data": dict(fields),
                }
                return checked(self._send(path, **given, timeout=UPLOAD_TIMEOUT_SECONDS))
        if file == STANDARD_INPUT and sys.stdin is None:
            raise CommandFailure("standard input is closed", "name a file")
        with sys.stdin.buffer if file == STANDARD_INPUT else file.open("rb") as content:
            given = {
                "content": iter(partial(content.read, CHUNK_BYTES), b""),
                "headers": {"content-type": "text/csv"},
            }
            return checked(
                self._send(path, **given, params=dict(fields), timeout=UPLOAD_TIMEOUT_SECONDS)
            )

    def deliver(self, path: str, body: bytes, headers: Mapping[str, str]) -> httpx.Response:
        """Send bytes as they are, and return the answer whatever it says."""
        return self._send(
            path, content=body, headers={"content-type": "application/json", **headers}
        )

    def _send(self, path: str, method: str = "POST", **given: Any) -> httpx.Response:
        try:
            return self._http.request(method, path, **given)
        except httpx.TransportError as error:
            raise unreachable(self.url, error) from error


@contextmanager
def _streamed(http: httpx.Client, url: str, path: str) -> Iterator[httpx.Response]:
    try:
        with http.stream("GET", path, timeout=UPLOAD_TIMEOUT_SECONDS) as answer:
            if answer.status_code >= BAD_REQUEST:
                answer.read()
                raise refusal(answer)
            yield answer
    except httpx.TransportError as error:
        raise unreachable(url, error) from error


def connected(data_dir: Path | None = None) -> Client:
    """A client of the API that the settings or the running stack name."""
    found = reachable(data_dir)
    if found.api_key is None:
        raise CommandFailure(f"no key for the API at {found.api_url}", "set HEADRACE_API_KEY")
    return Client(found.api_url, found.api_key)


def checked(answer: httpx.Response) -> Any:
    """The JSON of an answer; Failure with code, message and trace id when it is a refusal."""
    if answer.status_code < BAD_REQUEST:
        try:
            return answer.json()
        except ValueError:
            raise CommandFailure(
                f"{answer.request.url} answers {answer.status_code} without JSON; is it Headrace?"
            ) from None
    raise refusal(answer)


def refusal(answer: httpx.Response) -> CommandFailure:
    """The failure that an error answer represents."""
    try:
        problem = answer.json()
        said = f"{problem['code']}: {problem['message']}"
        trace = str(problem.get("trace_id", ""))
    except (ValueError, KeyError, TypeError):
        said, trace = f"{answer.request.url} answers {answer.status_code}", ""
    trace = trace or answer.headers.get("x-request-id", "")
    return CommandFailure(said, *([f"trace id {trace}"] if trace else []))


def unreachable(url: str, error: httpx.TransportError) -> CommandFailure:
    """The failure of an API that cannot be asked."""
    if isinstance(error, httpx.ConnectError):
        return CommandFailure(
            f"the API at {url} does not answer; is the stack up?", "headrace up", "headrace doctor"
        )
    if isinstance(error, httpx.TimeoutException):
        return CommandFailure(f"the API at {url} did not answer in time", "headrace doctor")
    return CommandFailure(
        f"the API at {url} broke off: {error or type(error).__name__}", "headrace doctor"
    )
