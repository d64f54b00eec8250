"""The AsyncAPI 3.0 document, made from the registries: what `/asyncapi.json` serves.

Pure except for the examples.
"""

import re
from collections.abc import Iterator, Sequence
from importlib.metadata import version as installed
from typing import Any

from compose.reference.headers import KEY, dead_letter_headers, event_headers
from compose.reference.jsonschemas import record
from compose.reference.parts import PARTS, Part
from compose.reference.versions import CURRENT, VERSIONS, Version, short
from schemas.event import CONTENT_TYPE
from schemas.topics import DEAD_LETTERS, MOST_RECORD_BYTES, TOPICS, Topic

KAFKA = {"bindingVersion": "0.5.0"}
ABOUT = """Every event is one record: the CloudEvents 1.0 envelope as JSON. Records of one key are in order; a record
can come twice, with the same `id`. Readers pass over types and fields that they do not know."""


def document(servers: Sequence[str], prefix: str = "") -> dict[str, Any]:
    """The whole document, for Kafka at these addresses and topics with this prefix."""
    names = [f"kafka{number}" if number else "kafka" for number in range(len(servers))]
    defined: dict[str, Any] = {}
    for one in VERSIONS:
        _define(defined, one)
    defined["event.headers"] = event_headers()
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Headrace events",
            "version": installed("headrace"),
            "description": ABOUT,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": {
            name: {"host": host, "protocol": "kafka", "description": "Bootstrap server."}
            for name, host in zip(names, servers, strict=True)
        },
        "channels": {short(topic): _channel(topic, prefix, names) for topic in TOPICS},
        "operations": dict(operation for part in PARTS for operation in _operations(part, prefix)),
        "components": {
            "schemas": defined,
            "messages": {
                **{one.name: _message(one) for one in VERSIONS},
                "dead_letter": _dead_letter(),
            },
        },
    }


def _define(defined: dict[str, Any], version: Version) -> None:
    """Add the schemas of one version, what it refers to beside it."""
    whole = record(version)
    for dropped in ("$schema", "$id"):
        del whole[dropped]
    for name, schema in {**whole.pop("$defs"), version.name: whole}.items():
        repointed = _repointed(schema)
        if defined.setdefault(name, repointed) != repointed:
            raise ValueError(
                f"two schemas are called {name}: give the class of the older version another name"
            )


def _repointed(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {
            key: value.replace("#/$defs/", "#/components/schemas/")
            if key == "$ref"
            else _repointed(value)
            for key, value in schema.items()
        }
    return [_repointed(one) for one in schema] if isinstance(schema, list) else schema


def _messages_of(topic: Topic) -> list[str]:
    return (
        ["dead_letter"]
        if topic is DEAD_LETTERS
        else [one.name for one in VERSIONS if one.topic is topic]
    )


def _channel(topic: Topic, prefix: str, servers: Sequence[str]) -> dict[str, Any]:
    days = topic.retention.days
    return {
        "address": prefix + topic.name,
        "description": f"Key: {topic.key}. {topic.partitions} partitions, kept for {days} days.",
        "servers": [{"$ref": f"#/servers/{name}"} for name in servers],
        "messages": {
            name: {"$ref": f"#/components/messages/{name}"} for name in _messages_of(topic)
        },
        "bindings": {
            "kafka": {
                "topic": prefix + topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": {
                    "cleanup.policy": ["delete"],
                    "retention.ms": topic.retention_ms,
                    "max.message.bytes": MOST_RECORD_BYTES,
                },
                **KAFKA,
            }
        },
    }


def _message(version: Version) -> dict[str, Any]:
    value, headers = version.example()
    shown = {name: text.decode() for name, text in headers}
    return {
        "name": version.name,
        "title": f"{version.type}, version {version.payload.VERSION}",
        "summary": version.about,
        "contentType": CONTENT_TYPE,
        "headers": event_headers(version.type),
        "payload": {"$ref": f"#/components/schemas/{version.name}"},
        "bindings": {"kafka": {"key": KEY, **KAFKA}},
        "examples": [{"name": version.name, "headers": shown, "payload": value}],
    }


def _dead_letter() -> dict[str, Any]:
    return {
        "name": "dead_letter",
        "title": "A record that a consumer could not handle",
        "summary": "Key, value and headers as they were, whatever they were; what failed is in "
        "added headers. "
        "The value is missing when it was missing, or when it is too large to be copied.",
        "contentType": "application/octet-stream",
        "headers": dead_letter_headers(),
        "payload": {"description": "Any bytes, or none."},
    }


def _operations(part: Part, prefix: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """One for each topic that it receives from, and one for each that it sends to."""
    for topic in TOPICS:
        read = [one.name for one in VERSIONS if one.topic is topic and one.type in part.reads]
        sent = [one.name for one in CURRENT if one.topic is topic and one.type in part.emits]
        if part.parks and topic is DEAD_LETTERS:
            sent = ["dead_letter"]
        for action, names in (("receive", read), ("send", sent)):
            if names:
                name = f"{part.name.replace('/', '.')}.{action}.{short(topic)}"
                yield name, _operation(part, action, topic, names, prefix)


def _operation(
    part: Part, action: str, topic: Topic, names: Sequence[str], prefix: str
) -> dict[str, Any]:
    channel = f"#/channels/{short(topic)}"
    made: dict[str, Any] = {
        "action": action,
        "title": part.name,
        "summary": part.does,
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{name}"} for name in names],
    }
    if action == "receive" and part.group:
        group = {"type": "string", "pattern": rf"^{re.escape(prefix + part.group)}(\.[0-9]+)?$"}
        made["bindings"] = {"kafka": {"groupId": group, **KAFKA}}
    return made
