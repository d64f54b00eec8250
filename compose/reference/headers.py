"""The contract of a record's headers and key: the names, what each holds, and which may be
missing. Pure.
"""

from typing import Any, Literal

from schemas.event import CONTENT_TYPE

UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
TRACE = "^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$"
INTEGER = "^(0|[1-9][0-9]*)$"
KEY: dict[str, Any] = {
    "type": "string",
    "pattern": f"^{UUID}:[^\\x00]{{1,200}}$",
    "description": "`tenantid:subject` of the event in UTF-8: one aggregate of one tenant, whose "
    "events stay in order",
}
CLASSES = {
    "undecodable": "the bytes are no event of ours: broken JSON, another shape, a key, header or "
    "topic that disagrees",
    "unknown_version": "a version that only a newer release knows; replayed after the upgrade",
    "too_old": "older than the time for which applied events are remembered; replay it only if "
    "it had no effect",
    "permanent": "the content can never be applied, such as text that the database refuses",
    "bug": "our code failed on it, several times",
    "user_data": "the sender has to correct the data",
    "user_config": "the configuration has to be corrected, such as a mapping that does not fit "
    "the payload",
    "internal": "something of ours is missing or inconsistent",
}
"""The classes of a dead letter, and what each means."""


def _text(description: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", "description": description, **more}


EVENT = {
    "content-type": _text("how to read the value", const=CONTENT_TYPE),
    "ce_specversion": _text("the version of CloudEvents", const="1.0"),
    "ce_id": _text("the event's `id`", format="uuid"),
    "ce_type": _text("the event's `type`"),
    "ce_source": _text("the event's `source`"),
    "ce_time": _text("the event's `time`", format="date-time"),
    "ce_tenantid": _text("the event's `tenantid`", format="uuid"),
    "traceparent": _text("the event's `traceparent`, when it has one", pattern=TRACE),
}
EVENT_REQUIRED = [name for name in EVENT if name != "traceparent"]
DEAD_LETTER = {
    "dead_letter_consumer": _text("who could not handle it"),
    "dead_letter_class": _text("why, as a class", enum=list(CLASSES)),
    "dead_letter_error": _text("why, in words", maxLength=500),
    "dead_letter_topic": _text("the topic of the original"),
    "dead_letter_partition": _text("its partition there", pattern=INTEGER),
    "dead_letter_offset": _text("its offset there", pattern=INTEGER),
    "dead_letter_attempts": _text("how often it was tried", pattern=INTEGER),
}


def event_headers(kind: str | None = None) -> dict[str, Any]:
    """The headers of an event's record, as an object of name to text.

    Each name occurs there once.
    """
    named = EVENT if kind is None else {**EVENT, "ce_type": {**EVENT["ce_type"], "const": kind}}
    return {"type": "object", "properties": named, "required": EVENT_REQUIRED}


def dead_letter_headers() -> dict[str, Any]:
    """The headers that are added to a dead letter's own, after them."""
    return {"type": "object", "properties": DEAD_LETTER, "required": list(DEAD_LETTER)}


def presence(name: str) -> Literal["always", "when known"]:
    """Whether a header of an event is always there."""
    return "always" if name in EVENT_REQUIRED else "when known"
