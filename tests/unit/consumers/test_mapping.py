"""A payload becomes a job by its source's mapping, or is Unmappable: nothing else is ever
raised.
"""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.dead_letters.fingerprint import fingerprint
from consumers.ingest.mapping import Unmappable, command
from consumers.ingest.rows import rows
from schemas.jobs import JobRequested
from schemas.webhooks import FORM
from tests.factories import new_id

EVENT = new_id()
DATASET = uuid4()
MAPPING = {"dataset_id": "set.id", "target": "'target'", "model": "line", "options": "how"}
PAYLOAD = {"set": {"id": str(DATASET)}, "line": "wine", "how": {"seed": 7}}


def mapped(payload: Any, event: UUID = EVENT, **mapping: str) -> JobRequested:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    action = {"kind": "command", "command": "train", "mapping": {**MAPPING, **mapping}}
    asked = command(body, action, 3, event)
    return asked.job(asked.dataset if isinstance(asked.dataset, UUID) else None)


def test_a_payload_becomes_the_job_that_it_asks_for() -> None:
    job = mapped(PAYLOAD)
    assert (job.kind, job.dataset_id, job.target, job.model) == ("train", DATASET, "target", "wine")
    assert (job.options, job.origin, job.mapping_version) == ({"seed": 7}, "webhook", 3)


def test_the_same_event_asks_for_the_same_job() -> None:
    assert mapped(PAYLOAD).job_id == mapped({**PAYLOAD, "line": "another"}).job_id
    assert mapped(PAYLOAD).job_id != mapped(PAYLOAD, new_id()).job_id


def test_options_may_be_left_out() -> None:
    assert mapped({**PAYLOAD, "how": None}).options == {}
    asked = command(
        json.dumps(PAYLOAD).encode(),
        {
            "command": "train",
            "mapping": {name: MAPPING[name] for name in ("dataset_id", "target", "model")},
        },
        1,
        EVENT,
    )
    assert asked.whole.options == {}


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in PAYLOAD.items() if key != name}


UNMAPPABLE: dict[str, Any] = {
    "empty": b"",
    "bad JSON": b"{",
    "not UTF-8": b'{"line": "\xff"}',
    "a NUL byte": b'{"line": "\x00"}',
    "a lone surrogate": b'{"line": "\\ud800"}',
    "huge nesting": b"[" * 100_000,
    "null": None,
    "a list": [1],
    "a text": "wine",
    "a number": 5,
    "no data set": without("set"),
    "no model": without("line"),
    "a data set that is no id": {**PAYLOAD, "set": {"id": "wine"}},
    "a data set that is a number": {**PAYLOAD, "set": {"id": 7}},
    "a model that is a number": {**PAYLOAD, "line": 7},
    "a model that is a list": {**PAYLOAD, "line": ["wine"]},
    "an empty model": {**PAYLOAD, "line": ""},
    "a long model": {**PAYLOAD, "line": "m" * 101},
    "a NUL in the model": {**PAYLOAD, "line": "a\x00b"},
    "a model that no URL can name": {**PAYLOAD, "line": "a/b"},
    "a model of two lines": {**PAYLOAD, "line": "wine\n"},
    "options that are a list": {**PAYLOAD, "how": [1]},
    "options that are a text": {**PAYLOAD, "how": "fast"},
    "a NUL in the options": {**PAYLOAD, "how": {"a": "\x00"}},
    "an option that is not a number": {**PAYLOAD, "how": {"a": float("nan")}},
}


@pytest.mark.parametrize("payload", UNMAPPABLE.values(), ids=UNMAPPABLE.keys())
def test_what_does_not_fit_is_unmappable(payload: Any) -> None:
    with pytest.raises(Unmappable) as caught:
        mapped(payload)
    assert str(caught.value)


@pytest.mark.parametrize(
    "expression",
    [
        "abs(line)",
        "sum(line)",
        "unknown(@)",
        "length()",
        "[line][::0]",
        "contains(line, `1`)",
        "ceil(`1e999`)",
        "sort_by(@, &a)",
        "join(',', @)",
        "set" + "|a" * 900,
    ],
    ids=lambda one: one[:20],
)
def test_an_expression_that_cannot_be_applied_is_unmappable(expression: str) -> None:
    with pytest.raises(Unmappable, match="cannot be applied"):
        mapped(PAYLOAD, dataset_id=expression)


PAYLOADS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["set", "id", "line", "how", "a"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(
    PAYLOADS,
    st.sampled_from(
        ["set.id", "max(@)", "@[0]", "keys(@)[0]", "to_number(line)", "a[?b > `1`] | [0]"]
    ),
)
def test_any_payload_is_a_job_or_unmappable(payload: Any, expression: str) -> None:
    try:
        mapped(payload, dataset_id=expression)
    except Unmappable:
        return


def test_options_that_are_too_large_are_the_tenants_own_mistake() -> None:
    with pytest.raises(Unmappable, match="16384 are allowed"):
        mapped({**PAYLOAD, "how": {"a": "x" * 16_384}})


ODD = {
    "a byte order mark": (json.dumps(PAYLOAD).encode("utf-8-sig"), None),
    "UTF-16": (json.dumps(PAYLOAD).encode("utf-16"), None),
    "half a surrogate pair": (b'"\\ud83d"', b"note"),
    "half a surrogate pair in a name": (b"1", b"\\ude00"),
    "a byte that is not UTF-8": (b'"\xff"', b"note"),
    "a number of many digits": (b"9" * 5000, b"note"),
    "no number": (b"[NaN, 1e999]", b"note"),
}


@pytest.mark.parametrize("kind", ODD)
def test_what_no_mapping_reads_does_not_lose_the_payload(kind: str) -> None:
    value, name = ODD[kind]
    rest = json.dumps(PAYLOAD).encode()[1:]
    body = value if name is None else b'{"' + name + b'": ' + value + b", " + rest
    assert mapped(body).dataset_id == DATASET
    columns = {"line": "line", "seed": "how.seed"}
    assert rows(body, {"columns": columns}, 1) == [{"line": "wine", "seed": 7}]


def test_the_same_in_a_form() -> None:
    body = f"note=%ff&other=\xff&set={DATASET}&line=wine".encode("latin-1")
    mapping = {"dataset_id": "set", "target": "'target'", "model": "line"}
    assert (
        command(body, {"command": "train", "mapping": mapping}, 1, EVENT, FORM).dataset == DATASET
    )


def test_a_name_stands_for_a_dataset_that_somebody_else_finds() -> None:
    body = json.dumps({**PAYLOAD, "set": {"id": "wine"}}).encode()
    asked = command(body, {"command": "train", "mapping": MAPPING}, 3, EVENT)
    assert (asked.dataset, asked.job(DATASET)) == ("wine", mapped(PAYLOAD))
    with pytest.raises(Unmappable) as caught:
        asked.job(None)
    assert str(caught.value) == (
        "`dataset_id`: `set.id` gave 'wine'; there is no dataset of this name with a valid "
        "version (mapping version 3)"
    )


SAID: dict[str, dict[str, Any]] = {
    "`dataset_id`: `set.id` gave null; expected a dataset's id or name": {"set": {"idd": 1}},
    "`dataset_id`: `set.id` gave 7; expected a dataset's id or name": {"set": {"id": 7}},
    "`model`: `line` gave a list of 1; expected a model's name": {"line": ["wine"]},
    "`model`: `line` gave '\\ud83d'; expected": {"line": "\ud83d"},
    "`options`: `how` gave a list of 1; Input should be": {"how": [1]},
    "`options`: `how` gave an object of 1; options have": {"how": {"a": "\x00"}},
}


@pytest.mark.parametrize("text", SAID)
def test_a_refusal_says_field_expression_and_value(text: str) -> None:
    with pytest.raises(Unmappable) as caught:
        mapped({**PAYLOAD, **SAID[text]})
    assert str(caught.value).startswith(text)
    assert str(caught.value).endswith("(mapping version 3)")


def test_one_field_and_one_kind_of_failure_are_one_group() -> None:
    """Whatever the value, the expression and the version of the mapping."""

    def group(payload: Any, **mapping: str) -> str:
        with pytest.raises(Unmappable) as caught:
            mapped(payload, EVENT, **mapping)
        return fingerprint("ingest", "user_config", "webhook.received", str(caught.value))

    a_name = group({**PAYLOAD, "line": "a/b"})
    assert a_name == group({**PAYLOAD, "line": "7/8"}) == group({"x": "é", **PAYLOAD}, model="x")
    nothing = group(without("line"))
    assert nothing == group(without("line"), model="a.b[2]")
    others = {
        group(without("set")),
        group({**PAYLOAD, "set": {"id": "wine"}}),
        group(PAYLOAD, target="line[0]"),
    }
    assert len({a_name, nothing, *others}) == 5
