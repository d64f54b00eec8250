"""Every code that a caller can be refused with has its status, and no status is left without a
use.
"""

import ast
from collections.abc import Iterator

from compose.http.app import STATUS
from tests.contract.house import full_name, imported, modules, name_of, tree

REFUSAL = "schemas.errors.Refusal"


def refusals() -> Iterator[tuple[str, ast.expr]]:
    """Where a Refusal of the edge is made, and its first argument (the children have a word of
    the same name).
    """
    for path in modules("producers", "consumers", "projections", "compose", "schemas"):
        names = imported(tree(path))
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and full_name(node.func, names) == REFUSAL:
                yield f"{name_of(path)}:{node.lineno}", node.args[0]


def test_codes_are_written_where_they_are_used() -> None:
    assert [place for place, code in refusals() if not isinstance(code, ast.Constant)] == []


def test_every_code_has_a_status_and_every_status_a_use() -> None:
    used = {code.value for _, code in refusals() if isinstance(code, ast.Constant)}
    assert used == set(STATUS)


def test_a_refusal_is_the_callers_to_mend() -> None:
    assert all(400 <= status < 500 for status in STATUS.values())
    assert all(code.replace("_", "").isalpha() and code.islower() for code in STATUS)
