"""Words in docstrings, strings and pages: standard terms of the field, and enough of them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.house import ROOT, modules, name_of, tree

OURS = ("compose", "consumers", "producers", "projections", "schemas")
FEWEST_WORDS = 4
BANNED = re.compile(
    r"\b(doors?|pieces? of work|pieces?|office|lanes?|mend|mends|mended|keys over|came by|stands"
    r"|goes on|borne|but for|told|desk|fuse|untold|unheard|sealed file|(is|are) held)\b",
    re.IGNORECASE,
)
STORED = {
    "sweeper office",  # the application_name of a connection, which scripts look for
    "a document of Microsoft Office",
    "headrace.office",
    "headrace.office.elections",
    "headrace.work.pieces",
}
STORED_IN_PAGES = re.compile(r"`headrace\.office(\.elections)?`|`headrace\.work\.pieces`|\{piece\}")
LAWFUL_IN_PAGES = re.compile(r"are held out")  # the rows of a test set


def strings(module: ast.Module) -> Iterator[tuple[int, str]]:
    """Each text with a space in it, a docstring or not: one without is a name."""
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.lineno, node.value


def private_words(module: ast.Module) -> list[tuple[int, str]]:
    found = {
        (line, match[0].lower())
        for line, value in strings(module)
        if value not in STORED
        for match in BANNED.finditer(value)
    }
    return sorted(found)


def too_short(module: ast.Module) -> list[tuple[int, str]]:
    found = []
    for node in ast.walk(module):
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        doc = ast.get_docstring(node)
        if doc and len(doc.split()) < FEWEST_WORDS and not node.name.startswith("_"):
            found.append((node.lineno, node.name))
    return found


def private_words_of_page(page: str) -> list[tuple[int, str]]:
    return [
        (number, match[0].lower())
        for number, line in enumerate(page.splitlines(), 1)
        for match in BANNED.finditer(LAWFUL_IN_PAGES.sub("", STORED_IN_PAGES.sub("", line)))
    ]


def pages() -> list[Path]:
    return sorted((ROOT / "docs").glob("*.md"))


def test_code_has_no_private_words() -> None:
    found = [
        f"{name_of(p)}:{n} {word}" for p in modules(*OURS) for n, word in private_words(tree(p))
    ]
    assert found == []


def test_pages_have_no_private_words() -> None:
    assert len(pages()) > 5
    found = [
        f"{name_of(p)}:{n} {word}"
        for p in pages()
        for n, word in private_words_of_page(p.read_text())
    ]
    assert found == []


def test_a_docstring_says_more_than_the_name() -> None:
    found = [f"{name_of(p)}:{n} {name}" for p in modules(*OURS) for n, name in too_short(tree(p))]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        '"""The door of the API."""',
        'def f():\n    """Close a fenced piece."""',
        'class A:\n    """A.\n\n    Run until told to stop.\n    """',
        'Reached = str\n"""Told the name of a step."""',
        'raise ValueError("somebody must mend it")',
        'f"{1} stands in the way"',
        'async def f():\n    """The topic is held for now."""',
    ],
)
def test_the_rule_finds_private_words(source: str) -> None:
    assert private_words(ast.parse(source))


def test_the_rule_finds_private_words_in_pages() -> None:
    assert private_words_of_page("# Jobs\n\nThe fuse of `headrace.office`.") == [(3, "fuse")]
    assert private_words_of_page("The relay goes on.") == [(1, "goes on")]


def test_the_rule_leaves_stored_names_and_plain_words_alone() -> None:
    source = (
        'def f():\n    """Return the item that has the lease."""\n    g("sweeper office", "door")'
    )
    assert private_words(ast.parse(source)) == []
    assert private_words_of_page("| `headrace.work.pieces` | {piece} | rows are held out |") == []


@pytest.mark.parametrize(
    "source",
    [
        'def f():\n    """Run it."""',
        'class A:\n    """The handler."""',
        'class A:\n    async def f(self):\n        """Give it back."""',
    ],
)
def test_the_rule_finds_short_docstrings(source: str) -> None:
    assert too_short(ast.parse(source))


def test_the_rule_lets_private_things_be_short() -> None:
    source = (
        'def _f():\n    """Run it."""\n\ndef f():\n    """Run it until stopped."""\n\ndef g(): ...'
    )
    assert too_short(ast.parse(source)) == []
