"""W3C trace context, as text: the thread from a webhook to its bill."""

import re

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


def traceparent_of(given: str | None, randomness: bytes) -> str:
    """The caller's `traceparent` when it is one, else a new one from 24 random bytes."""
    match = _TRACEPARENT.fullmatch(given or "")
    if given is not None and match is not None and set(match[1]) != {"0"}:
        return given
    return f"00-{randomness[:16].hex()}-{randomness[16:24].hex()}-01"


def given_trace_id(given: str) -> str | None:
    """The trace id in what is said to be a `traceparent`; None when it is none."""
    match = _TRACEPARENT.fullmatch(given)
    return None if match is None else match[1]


def trace_id(traceparent: str) -> str:
    """The 32 hex digits that people search for."""
    return traceparent.split("-")[1]
