"""What a source may be: a mapping that cannot work is refused when it is made, not when a
webhook comes.
"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from producers.webhooks.sources.source import Command, Forward, NewSource, Rows, TrainMapping

MAPPING = {"dataset_id": "dataset.id", "target": "'target'", "model": "join('-', [a, b])"}


def source(**changes: Any) -> NewSource:
    action = {"kind": "command", "mapping": {**MAPPING, **changes.pop("mapping", {})}}
    return NewSource.model_validate({"name": "nightly", "action": action, **changes})


def test_a_source_forwards_unless_it_is_told_otherwise() -> None:
    assert NewSource(name="a") == NewSource(
        name="a", scheme="standard_webhooks", secret=None, action=Forward()
    )


def test_a_mapping_is_kept_as_it_was_written() -> None:
    action = source(mapping={"options": "{seed: seed}"}).action
    assert isinstance(action, Command)
    assert (action.command, action.mapping.target, action.mapping.options) == (
        "train",
        "'target'",
        "{seed: seed}",
    )


@pytest.mark.parametrize("field", ["dataset_id", "target", "model", "options"])
@pytest.mark.parametrize(
    "expression",
    [
        "",
        "a.",
        "[",
        "a[?b",
        "'",
        "foo(",
        "a b",
        "\x00",
        "'a\x00b'",
        "a" * 2001,
        "(" * 1000,
        "!" * 1900,
        "[?" * 600,
    ],
    ids=lambda one: repr(one[:6]),
)
def test_what_is_no_expression_is_refused_with_its_place(field: str, expression: str) -> None:
    with pytest.raises(ValidationError) as caught:
        source(mapping={field: expression})
    assert field in caught.value.errors()[0]["loc"]


@pytest.mark.filterwarnings("ignore:deprecated string literal:PendingDeprecationWarning")
@given(st.text("abc@.[]{}()*?|&!<>=`'\"\\,:-019 \n\x00", max_size=30))
def test_any_text_is_an_expression_or_refused(expression: str) -> None:
    try:
        source(mapping={"target": expression})
    except ValidationError:
        return


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"name": " a"},
        {"name": "a" * 101},
        {"name": "a\n"},
        {"name": "a/b"},
        {"name": "é"},
        {"scheme": "nobody"},
        {"secret": ""},
        {"secret": "s" * 501},
        {"color": "red"},
        {"action": {"kind": "command"}},
        {"action": {"kind": "delete"}},
        {"action": {}},
        {"action": {"kind": "forward", "mapping": MAPPING}},
        {"action": {"kind": "command", "mapping": {**MAPPING, "extra": "a"}}},
        {"action": {"kind": "command", "mapping": {"dataset_id": "a", "target": "b"}}},
        {"action": {"kind": "command", "command": "predict", "mapping": MAPPING}},
    ],
    ids=repr,
)
def test_what_is_not_known_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        source(**changes)


@pytest.mark.parametrize(
    "expression", ["a" + "|a" * 101, "a" + "||a" * 101, "[" * 101 + "a" + "]" * 101]
)
def test_an_expression_has_a_hundred_levels_at_most(expression: str) -> None:
    with pytest.raises(ValidationError, match="more than 100 levels"):
        TrainMapping(dataset_id=expression, target="a", model="a")


@pytest.mark.parametrize(
    "expression",
    [
        "{" + ",".join(f"k{number}: a" for number in range(50)) + "}",
        "join('-', [a, b, to_string(c)])",
        "a[:0]",
        "[::2]",
    ],
)
def test_an_ordinary_expression_is_taken(expression: str) -> None:
    assert TrainMapping(dataset_id=expression, target="a", model="a").dataset_id == expression


ROWS: dict[str, Any] = {
    "kind": "rows",
    "dataset": "issues",
    "columns": {"title": "issue.title", "state": "state"},
}


def rows(**changes: Any) -> Rows:
    action = NewSource.model_validate({"name": "repo", "action": {**ROWS, **changes}}).action
    assert isinstance(action, Rows)
    return action


def test_rows_are_sealed_by_the_thousand_or_the_hour_unless_told_otherwise() -> None:
    assert rows().seal.model_dump() == {
        "every_rows": 1000,
        "every_seconds": 3600,
        "window": "all",
        "window_rows": 100_000,
    }
    assert rows().train is None
    assert rows(train={"target": "state", "model": "triage"}).train is not None


@pytest.mark.parametrize(
    "changes",
    [
        {"columns": {"title": "title"}},
        {"columns": {}},
        {"columns": {f"c{n}": "c" for n in range(101)}},
        {"columns": {"title": "issue.", "state": "state"}},
        {"columns": {"": "a", "state": "state"}},
        {"columns": {"1": "a", "state": "state"}},
        {"columns": {"a b": "a", "state": "state"}},
        {"columns": {"a\n": "a", "state": "state"}},
        {"columns": {"a" * 101: "a", "state": "state"}},
        {"columns": {"title": 7, "state": "state"}},
        {"each": "issue["},
        {"each": ""},
        {"dataset": ""},
        {"dataset": "a/b"},
        {"seal": {"every_rows": 0}},
        {"seal": {"every_rows": 100_001}},
        {"seal": {"every_seconds": 9}},
        {"seal": {"every_seconds": 30 * 86400 + 1}},
        {"seal": {"window": "some"}},
        {"seal": {"window_rows": 100_001}},
        {"train": {"target": "label", "model": "triage"}},
        {"train": {"target": "state", "model": "a/b"}},
        {"train": {"target": "state"}},
        {"train": {"target": "state", "model": "m", "options": {"a": "\x00"}}},
        {"mapping": {}},
        {"columns": {f"c{n}": "a" * 200 for n in range(90)}},
    ],
    ids=str,
)
def test_rows_that_could_never_be_a_table_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        rows(**changes)
