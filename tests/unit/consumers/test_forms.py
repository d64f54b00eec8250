"""A form's fields are what a mapping sees; with the one field `payload`, the JSON in it."""

import json
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.ingest.mapping import MOST_FIELDS, Unmappable, command, payload_of
from consumers.ingest.rows import rows
from schemas.webhooks import FORM
from tests.chance import few
from tests.factories import new_id

# As Slack documents a slash command.
SLASH = {
    "token": "gIkuvaNzQIHg97ATvDxqgjtO",
    "team_id": "T0001",
    "channel_name": "test",
    "user_name": "Steve",
    "command": "/weather",
    "text": "94070 ü & =",
    "enterprise_name": "Globular%20Construct",
    "trigger_id": "",
}


def test_a_slash_command_is_an_object_of_texts() -> None:
    assert payload_of(urlencode(SLASH).encode(), FORM) == SLASH


def test_a_field_that_comes_more_than_once_is_a_list() -> None:
    assert payload_of(b"tag=a&tag=b&n=1", FORM) == {"tag": ["a", "b"], "n": "1"}


def test_the_json_in_a_lone_payload_is_the_payload() -> None:
    said = {"type": "block_actions", "actions": [{"value": "wine & ü"}], "n": 1}
    assert payload_of(urlencode({"payload": json.dumps(said)}).encode(), FORM) == said
    beside = {"payload": "{}", "n": "1"}
    assert payload_of(urlencode(beside).encode(), FORM) == beside


def test_without_the_content_type_of_a_form_it_is_none() -> None:
    with pytest.raises(Unmappable, match="not JSON"):
        payload_of(b"a=1")
    assert payload_of(b'{"a": 1}', "application/cloudevents+json") == {"a": 1}


@pytest.mark.parametrize(
    "body",
    [b"&".join([b"a=1"] * (MOST_FIELDS + 1)), b"payload=%7B", b"payload=a&payload=b"],
    ids=["too many fields", "bad JSON", "two payloads"],
)
def test_a_form_that_cannot_be_read_is_unmappable(body: bytes) -> None:
    with pytest.raises(Unmappable, match="payload is not"):
        payload_of(body, FORM)


@pytest.mark.parametrize("body", [b'{"a": 1}', b' [{"a": 1}]', b"\n{}"])
def test_json_under_the_type_of_a_form_is_json(body: bytes) -> None:
    """As curl sends what `-d` is given."""
    assert payload_of(body, FORM) == json.loads(body)


PIECES = st.sampled_from(
    ["%", "+", "=", "&", "a", "%41", "%c3%bc", "%C3", "ü", "%zz", "%4", ";", "%00", "payload="]
)


@few(500)
@given(st.lists(PIECES, max_size=12).map("".join))
def test_as_the_standard_library_reads_it(text: str) -> None:
    """Field by field; ours only does not stumble over each percent sign that escapes nothing."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="surrogateescape")
    except ValueError:
        with pytest.raises(Unmappable):
            payload_of(text.encode(), FORM)
        return
    wanted: dict[str, Any] = {}
    for name, value in pairs:
        wanted.setdefault(name, []).append(value)
    wanted = {name: values[0] if len(values) == 1 else values for name, values in wanted.items()}
    if list(wanted) != ["payload"]:
        assert payload_of(text.encode(), FORM) == wanted


@given(st.binary(max_size=60))
def test_any_bytes_are_a_payload_or_unmappable(body: bytes) -> None:
    try:
        payload_of(body, FORM)
    except Unmappable:
        return


def test_both_actions_read_forms() -> None:
    dataset = uuid4()
    body = urlencode({"text": str(dataset), "user_name": "Steve"}).encode()
    mapping = {"dataset_id": "text", "target": "'target'", "model": "user_name"}
    asked = command(body, {"command": "train", "mapping": mapping}, 1, new_id(), FORM)
    assert (asked.dataset, asked.whole.model) == (dataset, "Steve")
    action: dict[str, Any] = {"columns": {"who": "user_name", "length": "length(text)"}}
    assert rows(body, action, 1, FORM) == [{"who": "Steve", "length": 36}]
