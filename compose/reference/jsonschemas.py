"""JSON Schemas (2020-12) of the envelope and of every version of every event, made from the
models. Pure.
"""

from copy import deepcopy
from functools import cache
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from compose.reference.versions import Version
from schemas.event import Event, schema_of
from schemas.payload import Frozen

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _Untitled(GenerateJsonSchema):
    """Without a title on every field: it only repeats the name."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def envelope() -> dict[str, Any]:
    """What every event has, whatever its data."""
    whole = _schema(Event)
    del whole["$defs"]
    whole["properties"]["data"] = {"type": "object"}
    whole["required"] = ["specversion", *whole["required"]]
    return {"$schema": DIALECT, "$id": "urn:headrace:record", **whole}


def record(version: Version) -> dict[str, Any]:
    """A record's value that holds this version: the envelope and its data in one self-contained
    schema.
    """
    whole, data = envelope(), _schema(version.payload)
    name = version.payload.__name__
    properties = whole["properties"] | {
        "type": {"const": version.type, "type": "string"},
        "dataschema": {"const": schema_of(version.payload), "type": "string"},
        "data": {"$ref": f"#/$defs/{name}"},
    }
    return {
        **whole,
        "$id": f"urn:headrace:record:{version.type}:v{version.payload.VERSION}",
        "title": f"{version.type}, version {version.payload.VERSION}",
        "description": version.about,
        "properties": properties,
        "$defs": {**data.pop("$defs", {}), name: data},
    }


def _schema(model: type[Frozen]) -> dict[str, Any]:
    return deepcopy(_generated(model))


@cache
def _generated(model: type[Frozen]) -> dict[str, Any]:
    """Every version's record holds the envelope: it is made once, not seventeen times."""
    return model.model_json_schema(mode="serialization", schema_generator=_Untitled)
