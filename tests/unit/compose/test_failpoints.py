"""A process dies where it was asked to and nowhere else; every step in the code is listed."""

import ast

import pytest

from compose.failpoints import POINTS, _counting, _parsed
from tests.contract.house import modules, tree


def test_only_the_named_step_counts_and_only_its_nth_time() -> None:
    died: list[str] = []
    failpoint = _counting("relay.sent", 2, died.append)
    for step in ("relay.sent", "relay.read"):
        failpoint(step)
    assert died == []
    for step in ("relay.sent", "relay.sent"):
        failpoint(step)
    assert died == ["relay.sent"]


def test_a_step_and_its_count_are_read() -> None:
    assert _parsed("relay.sent:3") == ("relay.sent", 3)


@pytest.mark.parametrize(
    "asked", ["relay.snet:1", "relay.sent", "relay.sent:0", "relay.sent:-1", "relay.sent:x", ":1"]
)
def test_what_would_never_be_reached_is_refused(asked: str) -> None:
    with pytest.raises(ValueError, match="CRASH_AT"):
        _parsed(asked)


def test_every_step_in_the_code_is_listed() -> None:
    found = {
        ast.literal_eval(node.args[0])
        for path in modules(
            "producers",
            "consumers",
            "projections",
            "compose/kafka/partition_expansion",
            "compose/kafka/restore",
        )
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).split(".")[-1].lstrip("_") == "failpoint"
    }
    assert found == set(POINTS)
