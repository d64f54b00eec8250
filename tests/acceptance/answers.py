"""What an answer says, in a form that two of them can be compared by."""

import re
from datetime import datetime
from typing import Any

import httpx

TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}.*")
SNAKE_CASE = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")
# Names below these are not ours: columns and classes of a file, metrics of a library, files of a
# model.
FOREIGN = ("action", "mapping", "metrics", "baseline", "details", "plan", "options", "artifacts")


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The body of an error in our one shape."""
    assert answer.status_code == status, (answer.status_code, answer.text)
    body: dict[str, Any] = answer.json()
    assert list(body) == ["code", "message", "trace_id", "details"]
    assert body["code"] == code, body
    assert body["message"]
    assert isinstance(body["details"], dict)
    assert body["trace_id"] == answer.headers["x-request-id"]
    assert re.fullmatch(r"[0-9a-f]{32}", body["trace_id"])
    assert answer.headers["content-type"] == "application/json"
    return body


def untraced(answer: httpx.Response) -> bytes:
    """The body's bytes without its trace id."""
    return answer.content.replace(answer.headers["x-request-id"].encode(), b"TRACE")


def check_names_and_times(value: Any, where: str = "") -> None:
    """Every name of ours is in snake_case, every time in RFC 3339 with an offset."""
    if isinstance(value, dict):
        for name, inner in value.items():
            assert SNAKE_CASE.fullmatch(name), f"{where}.{name}"
            if name not in FOREIGN and not (name == "data" and where):
                check_names_and_times(inner, f"{where}.{name}")
    elif isinstance(value, list):
        for inner in value:
            check_names_and_times(inner, where + "[]")
    elif isinstance(value, str) and TIME.fullmatch(value):
        assert datetime.fromisoformat(value).tzinfo is not None, f"{where}: {value}"
