"""A payload becomes a job by its source's mapping, or is Unmappable: nothing else is ever raised."""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.ingest.mapping import Unmappable, command
from schemas.jobs import JobRequested
from tests.factories import new_id

EVENT = new_id()
DATASET = uuid4()
MAPPING = {"dataset_id": "set.id", "target": "'target'", "model": "line", "options": "how"}
PAYLOAD = {"set": {"id": str(DATASET)}, "line": "wine", "how": {"seed": 7}}


def mapped(payload: Any, event: UUID = EVENT, **mapping: str) -> JobRequested:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    action = {"kind": "command", "command": "train", "mapping": {**MAPPING, **mapping}}
    return command(body, action, 3, event)


def test_a_payload_becomes_the_job_that_it_asks_for() -> None:
    job = mapped(PAYLOAD)
    assert (job.kind, job.dataset_id, job.target, job.model) == ("train", DATASET, "target", "wine")
    assert (job.options, job.origin, job.mapping_version) == ({"seed": 7}, "webhook", 3)


def test_the_same_event_asks_for_the_same_job() -> None:
    assert mapped(PAYLOAD).job_id == mapped({**PAYLOAD, "line": "another"}).job_id
    assert mapped(PAYLOAD).job_id != mapped(PAYLOAD, new_id()).job_id


def test_options_may_be_left_out() -> None:
    assert mapped({**PAYLOAD, "how": None}).options == {}
    assert command(
        json.dumps(PAYLOAD).encode(),
        {"command": "train", "mapping": {name: MAPPING[name] for name in ("dataset_id", "target", "model")}}, 1, EVENT,
    ).options == {}  # fmt: skip


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in PAYLOAD.items() if key != name}


UNMAPPABLE: dict[str, Any] = {
    "empty": b"", "bad JSON": b"{", "not UTF-8": b'{"line": "\xff"}', "a NUL byte": b'{"line": "\x00"}',
    "a lone surrogate": b'{"line": "\\ud800"}', "huge nesting": b"[" * 100_000, "null": None, "a list": [1],
    "a text": "wine", "a number": 5,
    "no data set": without("set"), "no model": without("line"),
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
}  # fmt: skip


@pytest.mark.parametrize("payload", UNMAPPABLE.values(), ids=UNMAPPABLE.keys())
def test_what_does_not_fit_is_unmappable(payload: Any) -> None:
    with pytest.raises(Unmappable) as caught:
        mapped(payload)
    assert str(caught.value)


@pytest.mark.parametrize(
    "expression",
    ["abs(line)", "sum(line)", "unknown(@)", "length()", "[line][::0]", "contains(line, `1`)", "ceil(`1e999`)",
     "sort_by(@, &a)", "join(',', @)", "set" + "|a" * 900],
    ids=lambda one: one[:20],
)  # fmt: skip
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


@given(PAYLOADS, st.sampled_from(["set.id", "max(@)", "@[0]", "keys(@)[0]", "to_number(line)", "a[?b > `1`] | [0]"]))
def test_any_payload_is_a_job_or_unmappable(payload: Any, expression: str) -> None:
    try:
        mapped(payload, dataset_id=expression)
    except Unmappable:
        return


def test_options_that_are_too_large_are_the_tenants_own_mistake() -> None:
    with pytest.raises(Unmappable, match="16384 are allowed"):
        mapped({**PAYLOAD, "how": {"a": "x" * 16_384}})
