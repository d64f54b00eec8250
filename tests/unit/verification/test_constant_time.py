"""Secrets and digests meet in `hmac.compare_digest` alone: an `==` would tell, byte by byte, how
much was right.
"""

import ast
import inspect
from collections.abc import Iterator
from types import ModuleType

import pytest

from producers.webhooks.verification import (
    github,
    headers,
    hmac_generic,
    identity,
    password,
    shopify,
    signature,
    slack,
    standard_webhooks,
    stripe,
    timestamp,
)

MODULES = (
    github,
    headers,
    hmac_generic,
    identity,
    timestamp,
    password,
    shopify,
    signature,
    slack,
    standard_webhooks,
    stripe,
)
SCHEMES = (github, hmac_generic, password, shopify, slack, standard_webhooks, stripe)
COMPARING = {"signed_by_one", "shown_among"}


def _comparisons(module: ModuleType) -> Iterator[ast.Compare]:
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.Compare) and any(
            isinstance(op, ast.Eq | ast.NotEq | ast.In | ast.NotIn) for op in node.ops
        ):
            yield node


def _is_written_out(node: ast.expr) -> bool:
    """A constant, a number of things, or constants in a set: nothing that a secret could stand
    in.
    """
    if isinstance(node, ast.Set):
        return all(isinstance(one, ast.Constant) for one in node.elts)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id == "len"
    return isinstance(node, ast.Constant)


# Set-up, header names and kinds of node: neither side is a secret, a digest or anything made of
# one.
ALLOWED = {
    "key in headers",
    "node['type'] not in _PATH_NODES",
    "brace in _PLACES.sub('', self.signed)",
    "('{timestamp}' in self.signed) != (self.timestamp_header is not None)",
    "scheme.lower() != options.shown_as",
}


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.rpartition(".")[2])
def test_no_two_texts_are_compared_in_passing(module: ModuleType) -> None:
    found = {
        ast.unparse(node)
        for node in _comparisons(module)
        if not any(_is_written_out(side) for side in (node.left, *node.comparators))
    }
    assert found <= ALLOWED


@pytest.mark.parametrize("module", SCHEMES, ids=lambda module: module.__name__.rpartition(".")[2])
def test_every_scheme_compares_in_constant_time(module: ModuleType) -> None:
    called = {
        node.func.id
        for node in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert called & COMPARING


def test_the_comparison_is_the_library_s() -> None:
    tree = ast.parse(inspect.getsource(signature.shown_among))
    assert "hmac.compare_digest" in {
        ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)
    }
