"""A legal expression over a legal payload ends soon, whatever it says: past its budget it is
Unmappable.
"""

import json
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import jmespath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.ingest.expression import INAPPLICABLE, Evaluation, Inapplicable
from consumers.ingest.mapping import Unmappable, command
from consumers.ingest.rows import MOST_CELLS, rows
from producers.webhooks.sources.source import Rows, TrainMapping

# The processor's time of this thread: what else runs on the machine does not count. A budget takes
# a tenth of it.
MOST_CPU_SECONDS = 1.0
BYTES = 976 << 10
NUMBERS = json.dumps([1] * (BYTES // 3)).encode()
TEXTS = json.dumps([f"{(at * 7919) % 99991:05d}" for at in range(BYTES // 9)]).encode()
OBJECT = json.dumps({f"{at:06d}": at for at in range(BYTES // 18)}).encode()
TWINS = json.dumps({"a": [[1]] * (BYTES // 14), "b": [[1]] * (BYTES // 14)}).encode()
LONG = json.dumps({"a": "x" * BYTES}).encode()
QUOTES = json.dumps({"a": '"' * (BYTES // 2)}).encode()
LISTS = json.dumps([[1, 2]] * (BYTES // 8)).encode()
MANY = json.dumps([{"a": at} for at in range(BYTES // 13)]).encode()


def piped(step: str, times: int = 90) -> str:
    """The step applied again and again to what it gave, as often as an expression may be long."""
    return "|".join([step] * min(times, 2000 // (len(step) + 1)))


ATTACKS: dict[str, tuple[str, bytes]] = {
    "projections": (piped("[*]"), NUMBERS),
    "filters": (piped("[?@]"), NUMBERS),
    "flattening": (piped("[]"), NUMBERS),
    "slices": (piped("[::-1]"), NUMBERS),
    "sorting": (piped("sort(@)"), TEXTS),
    "reversing": (piped("reverse(@)"), TEXTS),
    "sorting by": (piped("sort_by(@,&a)"), MANY),
    "the largest by": (piped("[max_by(@,&a),@][1]"), MANY),
    "mapping": (piped("map(&@,@)"), NUMBERS),
    "values": (piped("[values(@),@][1]"), OBJECT),
    "keys": (piped("[sort(keys(@)),@][1]"), OBJECT),
    "merging": (piped("merge(@,@)"), OBJECT),
    "sums": (piped("[sum(@),@][1]"), NUMBERS),
    "the largest": (piped("[max(@),@][1]"), TEXTS),
    "equality": (piped("[a==b,@][1]"), TWINS),
    "equal members": (piped("[contains([a],b),@][1]"), TWINS),
    "members": (piped("[contains(@,`2`),@][1]"), NUMBERS),
    "joining": (piped("[join('',@),@][1]"), TEXTS),
    "searching": (piped("[contains(a,'y'),@][1]"), LONG),
    "numbers": (piped("[to_number(a),@][1]"), LONG),
    "quoting": ("to_string([" * 40 + "@" + "])" * 40, QUOTES),
    "texts": (piped("[to_string(@),@][1]"), LISTS),
    "doubling": (piped("[@,@]", 30), NUMBERS),
    "doubling lists": (piped("[@,@][]", 30), LISTS),
    "doubling objects": (piped("{a:@,b:@}", 30), b"{}"),
    "doubling members": (piped("map(&[@,@],@)", 30), NUMBERS),
    "joining copies": (piped("{a:join('',[a,a])}", 40), b'{"a": "x"}'),
    "joining by a long text": (
        "join(a, b)",
        json.dumps({"a": "x" * 480_000, "b": [""] * 90_000}).encode(),
    ),
    "searching for a long text": (
        "l[?contains(s, @)] | l[?contains(@, '" + "ab" * 600 + "')]",
        json.dumps({"l": ["ab" * 599 + "a" + "ab" * 646] * 390, "s": "x"}).encode(),
    ),
    "a type error": ("abs([" + "@," * 90 + "@])", LISTS),
}


def cpu_seconds(attempt: Callable[[], object]) -> float:
    began = time.thread_time()
    with pytest.raises(Unmappable):
        attempt()
    return time.thread_time() - began


@pytest.mark.parametrize(("expression", "body"), ATTACKS.values(), ids=ATTACKS.keys())
def test_a_mapping_ends_soon(expression: str, body: bytes) -> None:
    mapping = TrainMapping(
        dataset_id=f"'{UUID(int=1)}'", target="'t'", model=expression, options=expression
    )
    action = {"kind": "command", "command": "train", "mapping": mapping.model_dump()}
    assert cpu_seconds(lambda: command(body, action, 1, UUID(int=1))) < MOST_CPU_SECONDS


WIDE = json.dumps({"a": "x" * 200_000, "b": {"c": 1}}).encode()
LONG_LIST = json.dumps({"a": [1] * 10_000}).encode()
ROWS: dict[str, tuple[dict[str, Any], bytes]] = {
    "each": ({"each": piped("[*]"), "columns": {"a": "a", "b": "b"}}, NUMBERS),
    "columns": (
        {"columns": {f"c{at}": f"a[*]|length({piped('[*]', 15)})" for at in range(100)}},
        LONG_LIST,
    ),
    "one object again and again": (
        {"each": "[@,@]|" + piped("[@,@][]", 12), "columns": {"a": "a", "b": "b.c"}},
        WIDE,
    ),
    "an object of all": (
        {"each": f"[{{a: {piped('[@,@]', 30)}}}]", "columns": {"a": "a", "b": "b"}},
        NUMBERS,
    ),
}


@pytest.mark.parametrize(("action", "body"), ROWS.values(), ids=ROWS.keys())
def test_rows_end_soon(action: dict[str, Any], body: bytes) -> None:
    legal = Rows.model_validate({"kind": "rows", "dataset": "d", **action}).model_dump(
        exclude_none=True
    )
    assert cpu_seconds(lambda: rows(body, legal, 1)) < MOST_CPU_SECONDS


def test_what_was_legal_before_still_fits() -> None:
    """As many cells as a payload may have, each five nodes deep.

    And one look at all of a large payload.
    """
    issue = {
        "title": "a title of some length",
        "labels": [{"name": "bug"}],
        "user": {"site": {"admin": False}},
    }
    columns = {
        "title": "title",
        "body": "length(body || '')",
        "kind": "labels[0].name",
        "admin": "user.site.admin",
    }
    payload = json.dumps([issue] * (MOST_CELLS // 4)).encode()
    found = rows(payload, {"columns": columns}, 1)
    row = {"title": "a title of some length", "body": 0, "kind": "bug", "admin": False}
    assert found == [row] * (MOST_CELLS // 4)
    expression = "[length(@), @[?a == `7`].a | [0], max_by(@, &a).a]"
    assert Evaluation(BYTES).search(expression, json.loads(MANY)[:20_000]) == [20_000, 7, 19_999]


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.floats(allow_nan=False)
    | st.text("ab", max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3)
    ),
    max_leaves=12,
)
EXPRESSIONS = [
    "a",
    "a.b",
    "a[0]",
    "a[]",
    "[][]",
    "a[::2]",
    "[::-1]",
    "*",
    "a.*",
    "[?a == b]",
    "[?a < `2`]",
    "a == b",
    "a != b",
    "a || b",
    "a && !b",
    "[a, b]",
    "{x: a, y: b.c}",
    "a | [0]",
    "to_string(a)",
    "contains(a, b)",
    "sort(a)",
    "sum(a)",
    "sort_by(a, &b)",
    "max_by(a, &b)",
    "map(&a, b)",
    "join('-', a)",
    "keys(a)",
    "values(a)",
    "merge(a, b)",
    "reverse(a)",
    "not_null(a, b, c)",
    "to_number(a)",
    "length(a)",
    "avg(a)",
    "max(a)",
    "starts_with(a, b)",
    "to_array(a)",
    "type(a)",
]


@given(VALUES, st.sampled_from(EXPRESSIONS))
def test_within_its_budget_an_expression_finds_what_jmespath_finds(
    payload: Any, expression: str
) -> None:
    try:
        expected = jmespath.search(expression, payload)
    except INAPPLICABLE:
        with pytest.raises(Inapplicable):
            Evaluation().search(expression, payload)
    else:
        assert Evaluation().search(expression, payload) == expected
