"""What is published is what the code says: JSON Schemas, AsyncAPI 3, headers, the pages."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from typer.testing import CliRunner

from compose.cli import app
from compose.reference import files
from compose.reference.asyncapi import document
from compose.reference.headers import event_headers
from compose.reference.jsonschemas import record
from compose.reference.pages import SECTIONS, spliced
from compose.reference.parts import PARTS
from compose.reference.versions import VERSIONS, Version
from consumers.registry import CONSUMERS
from producers.registry import PRODUCERS
from producers.webhooks import envelope
from schemas.topics import TOPIC_OF, TOPICS
from tests.contract.house import ROOT
from tests.contract.test_registry import made_in
from tests.published import strict

ASYNCAPI = json.loads(Path(__file__).with_name("asyncapi").joinpath("3.0.0.json").read_text())
DOCUMENT = document(["kafka-1:9092", "kafka-2:9092"], "staging.")
OFFICIAL = jsonschema_rs.validator_for(ASYNCAPI)


def each_ref(value: Any) -> list[str]:
    """Every `$ref` in a document."""
    if isinstance(value, dict):
        return [
            found
            for key, one in value.items()
            for found in ([one] if key == "$ref" and isinstance(one, str) else each_ref(one))
        ]
    return [found for one in value for found in each_ref(one)] if isinstance(value, list) else []


def resolved(whole: dict[str, Any], ref: str) -> Any:
    assert ref.startswith("#/")
    found: Any = whole
    for part in ref[2:].split("/"):
        found = found[part]
    return found


def test_the_document_is_asyncapi_3() -> None:
    assert [
        f"{error.instance_path}: {error.message}"[:300] for error in OFFICIAL.iter_errors(DOCUMENT)
    ] == []


@pytest.mark.parametrize(
    "path",
    [
        ("info", "title"),
        ("channels", "jobs", "address"),
        ("components", "messages", "job.queued.v1", "payload"),
    ],
)
def test_the_official_schema_would_say_so(path: tuple[str, ...]) -> None:
    broken: Any = deepcopy(DOCUMENT)
    inner = broken
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = ["not this"]
    assert not OFFICIAL.is_valid(broken)


def test_every_reference_leads_somewhere() -> None:
    refs = each_ref(DOCUMENT)
    assert len(refs) > 100
    for ref in refs:
        assert resolved(DOCUMENT, ref) is not None


def test_the_channels_are_the_topics() -> None:
    said = {
        one["address"]: (
            one["bindings"]["kafka"]["partitions"],
            one["bindings"]["kafka"]["topicConfiguration"]["retention.ms"],
        )
        for one in DOCUMENT["channels"].values()
    }
    assert said == {
        f"staging.{topic.name}": (topic.partitions, int(topic.retention.total_seconds() * 1000))
        for topic in TOPICS
    }
    assert [one["host"] for one in DOCUMENT["servers"].values()] == ["kafka-1:9092", "kafka-2:9092"]


def test_the_operations_are_the_registries() -> None:
    found: dict[tuple[str, str], set[str]] = {}
    for one in DOCUMENT["operations"].values():
        for message in one["messages"]:
            assert message["$ref"].startswith(one["channel"]["$ref"])
            found.setdefault((one["title"], one["action"]), set()).add(
                resolved(DOCUMENT, message["$ref"])["$ref"]
            )
    for consumer in CONSUMERS:
        name = f"consumers/{consumer.name}"
        emits = {payload.TYPE for payload in consumer.emits}
        assert found[name, "receive"] == {
            f"#/components/messages/{kind}.v1" for kind in consumer.wanted
        }
        assert found[name, "send"] == {f"#/components/messages/{kind}.v1" for kind in emits} | {
            "#/components/messages/dead_letter"
        }
    assert {name for name, action in found if action == "send"} == {
        *(f"consumers/{one.name}" for one in CONSUMERS),
        *(f"producers/{one.name}" for one in PRODUCERS),
    }


def test_the_producers_are_what_their_code_builds() -> None:
    said = {one.name: {payload.TYPE for payload in one.emits} for one in PRODUCERS}
    assert said == {
        "webhooks": made_in("producers/webhooks") | {envelope.TYPE},
        "api": made_in("producers/api"),
    }


def test_every_part_says_what_it_does() -> None:
    assert [part.name for part in PARTS if not part.does] == []


@pytest.mark.parametrize("version", VERSIONS, ids=lambda one: one.name)
def test_an_example_satisfies_its_schema_and_its_message(version: Version) -> None:
    value, headers = version.example()
    told = {name: text.decode() for name, text in headers}
    strict(record(version)).validate(value)
    strict(event_headers(version.type)).validate(told)
    message = DOCUMENT["components"]["messages"][version.name]
    whole = {**resolved(DOCUMENT, message["payload"]["$ref"]), "components": DOCUMENT["components"]}
    jsonschema_rs.validator_for(whole, validate_formats=True).validate(value)
    assert message["examples"][0]["payload"] == value
    assert f"staging.{TOPIC_OF[version.type]}" in {
        one["address"] for one in DOCUMENT["channels"].values()
    }


@pytest.mark.parametrize("version", VERSIONS, ids=lambda one: one.name)
def test_a_schema_refuses_every_example_with_a_field_changed(version: Version) -> None:
    value, _ = version.example()
    schema = strict(record(version))
    for name in value["data"]:
        assert not schema.is_valid(
            {**value, "data": {**value["data"], name: object_of_another_type(name)}}
        ), name
    for name in (
        "id",
        "type",
        "subject",
        "time",
        "dataschema",
        "tenantid",
        "aggregateversion",
        "data",
    ):
        assert not schema.is_valid({key: one for key, one in value.items() if key != name}), name
        assert not schema.is_valid({**value, name: [["x"]]}), name
    assert not schema.is_valid({**value, "data": {**value["data"], "unheard_of": 1}})


def object_of_another_type(name: str) -> Any:
    """What no field takes: neither a text nor a number nor an object nor a list of the known."""
    return [[[name]]]


@pytest.mark.parametrize("schema", files.schemas().values(), ids=files.schemas().keys())
def test_a_schema_is_one_of_2020_12(schema: dict[str, Any]) -> None:
    jsonschema_rs.meta.validate(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"].startswith("urn:headrace:")


@pytest.mark.parametrize("page", SECTIONS)
def test_a_page_says_what_the_code_says(page: str) -> None:
    name, text = SECTIONS[page]
    there = (ROOT / page).read_text()
    assert spliced(there, name, text()) == there, f"{page} is out of date: make contracts"


def run(*arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["contracts", *arguments])
    return done.exit_code, done.stdout, done.stderr


def test_a_folder_is_written_and_checked(tmp_path: Path) -> None:
    folder = tmp_path / "contract"
    assert run("--check", str(folder))[0] == 1
    assert run("--out", str(folder))[0] == 0
    code, said, _ = run("--check", str(folder))
    assert (code, said.replace("\n", "")) == (0, f"{folder} is what the code says")
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*.json")} == {
        "asyncapi.json",
        *(f"schemas/{one.name}.json" for one in VERSIONS),
        *(f"schemas/{name}.json" for name in ("envelope", "key", "headers", "dead-letter-headers")),
    }


def test_a_folder_that_differs_is_shown_line_by_line(tmp_path: Path) -> None:
    run("--out", str(tmp_path))
    changed = tmp_path / "schemas" / "job.queued.v1.json"
    changed.write_text(
        changed.read_text().replace('"urn:headrace:job.queued:v1"', '"urn:headrace:job.queued:v2"')
    )
    (tmp_path / "schemas" / "job.sold.v1.json").write_text("{}")
    (tmp_path / "asyncapi.json").unlink()

    code, out, said = run("--check", str(tmp_path))

    assert code == 1
    assert '-      "const": "urn:headrace:job.queued:v2"' in out
    assert '+      "const": "urn:headrace:job.queued:v1"' in out
    assert "asyncapi.json: missing" in out
    assert "job.sold.v1.json: the code knows no such file" in out
    assert "not what the code says: 3" in said
    assert f"headrace contracts --out {tmp_path}" in said
    code, out, _ = run("--check", str(tmp_path), "--json")
    assert (code, len(json.loads(out)["differs"])) == (1, 3)
    run("--out", str(tmp_path))
    assert run("--check", str(tmp_path))[0] == 0


def test_two_wishes_at_once_are_misuse(tmp_path: Path) -> None:
    assert run("--docs", "--out", str(tmp_path))[0] == 2
