"""What people read: the reference of events for analysts, and the map in the README.

Both stand between markers.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from compose.reference.headers import CLASSES, DEAD_LETTER, EVENT, presence
from compose.reference.jsonschemas import envelope, record
from compose.reference.parts import PARTS, on_topics
from compose.reference.settings_page import settings_reference
from compose.reference.tables import table
from compose.reference.versions import VERSIONS, Version
from schemas.topics import DEAD_LETTERS, TOPICS

BEGIN, END = "<!-- generated: {} -->", "<!-- end -->"
LONGEST_EXAMPLE = 60
ABOUT_LETTERS = """Key, value and headers of the original, byte for byte, and after them these headers. When all of it
is too large for a record, the value is left out, then key and headers too; `GET /v1/dead-letters` lists every one."""
Field = tuple[str, str, str]


def spliced(page: str, name: str, text: str) -> str:
    """A page whose section of that name says `text`.

    Raises ValueError when it has no such section.
    """
    pattern = re.compile(f"({re.escape(BEGIN.format(name))}\n).*?({re.escape(END)})", re.DOTALL)
    done, count = pattern.subn(lambda found: found[1] + text + found[2], page)
    if count != 1:
        raise ValueError(f"{count} sections between {BEGIN.format(name)} and {END}")
    return done


def map_of_parts() -> str:
    """The README's table: who reads what, and writes what."""
    rows = [
        (
            f"`{part.name}`",
            _topics(part.reads) or "HTTP",
            _topics(part.emits) or "rows for HTTP",
            part.does,
        )
        for part in PARTS
    ]
    return table(("part", "reads", "writes", "does"), rows)


def reference() -> str:
    """The reference of topics, headers and events."""
    return "\n".join(
        (_all_topics(), _all_headers(), _envelope(), *(_event(one) for one in VERSIONS))
    )


def _all_topics() -> str:
    rows = [
        (
            f"[`{topic.name}`](#dead-letters)" if topic is DEAD_LETTERS else f"`{topic.name}`",
            topic.key,
            str(topic.partitions),
            f"{topic.retention.days} days",
            ", ".join(_link(one) for one in VERSIONS if one.topic is topic)
            or "copies of what could not be handled",
        )
        for topic in TOPICS
    ]
    return "## Topics\n" + table(("topic", "key", "partitions", "kept", "events"), rows)


def _all_headers() -> str:
    events = [(f"`{name}`", presence(name), one["description"]) for name, one in EVENT.items()]
    dead_letters = [(f"`{name}`", one["description"]) for name, one in DEAD_LETTER.items()]
    classes = [(f"`{name}`", meaning) for name, meaning in CLASSES.items()]
    return (
        "## Headers\n"
        + table(("header", "there", "holds"), events)
        + f"\n## Dead letters\n{ABOUT_LETTERS}\n\n"
        + table(("header", "holds"), dead_letters)
        + "\n"
        + table(("class", "means"), classes)
    )


def _envelope() -> str:
    example, _ = VERSIONS[0].example()
    fields = [
        (f"`{name}`", shape, shown) for name, shape, shown in _fields(envelope(), {}, example)
    ]
    return "## The envelope\n" + table(("field", "type", "example"), fields)


def _event(version: Version) -> str:
    whole = record(version)
    example, _ = version.example()
    data = whole["$defs"][version.payload.__name__]
    fields = [
        (f"`{name}`", shape, shown)
        for name, shape, shown in _fields(data, whole["$defs"], example["data"])
    ]
    senders = ", ".join(
        f"`{part.name}`" for part in PARTS if version.type in part.emits and version.is_current
    )
    readers = ", ".join(f"`{part.name}`" for part in PARTS if version.type in part.reads)
    return (
        f"## {version.type} v{version.payload.VERSION}\n{version.about}\n\n"
        f"On `{version.topic.name}`, keyed by {version.topic.key}. Written by "
        f"{senders or 'nobody any more'};"
        f" read by {readers or 'nobody of ours'}.\n\n"
        + table(("field of `data`", "type", "example"), fields)
    )


def _fields(
    schema: dict[str, Any], defs: dict[str, Any], example: Any, path: str = ""
) -> Iterator[Field]:
    """Name, type and example of each field, those of objects inside it too."""
    for name, field in schema["properties"].items():
        value = example.get(name) if isinstance(example, dict) else None
        inner, many = _object(field, defs)
        shape = "list of objects" if inner and many else "object" if inner else _type(field, defs)
        optional = "" if name in schema.get("required", ()) else ", optional"
        yield f"{path}{name}", shape + optional, _shown(value, inner)
        if inner:
            first = value[0] if many and value else value
            yield from _fields(inner, defs, first, f"{path}{name}{'[]' if many else ''}.")


def _object(field: dict[str, Any], defs: dict[str, Any]) -> tuple[dict[str, Any] | None, bool]:
    many = field.get("type") == "array"
    inner = field.get("items", {}) if many else field
    found = defs.get(inner["$ref"].rsplit("/", 1)[1], {}) if "$ref" in inner else {}
    return (found if "properties" in found else None), many


def _type(field: dict[str, Any], defs: dict[str, Any]) -> str:
    if "anyOf" in field:
        return " or ".join(_type(one, defs) for one in field["anyOf"])
    if "$ref" in field:
        return str(field["$ref"]).rsplit("/", 1)[1].replace("JsonValue", "any JSON")
    if "const" in field or "enum" in field:
        return " \\| ".join(f"`{one}`" for one in field.get("enum", [field.get("const")]))
    if field.get("type") == "array":
        return f"list of {_type(field['items'], defs)}"
    if isinstance(field.get("additionalProperties"), dict):
        return f"object: name to {_type(field['additionalProperties'], defs)}"
    return str(field.get("format") or field.get("type") or "any JSON")


def _shown(value: Any, inner: dict[str, Any] | None) -> str:
    if value is None or inner:
        return ""
    text = json.dumps(value, ensure_ascii=False)
    text = text if len(text) <= LONGEST_EXAMPLE else text[:LONGEST_EXAMPLE] + " …"
    return f"`{text}`".replace("|", "\\|")


def _topics(types: frozenset[str]) -> str:
    return ", ".join(name.removeprefix("headrace.") for name in on_topics(types))


def _link(version: Version) -> str:
    anchor = f"{version.type} v{version.payload.VERSION}".replace(".", "").replace(" ", "-")
    return f"[{version.type}](#{anchor})"


SECTIONS = {
    "README.md": ("map", map_of_parts),
    "docs/events.md": ("reference", reference),
    "docs/settings.md": ("settings", settings_reference),
}
"""The pages with a generated section: its name, and what makes it."""
