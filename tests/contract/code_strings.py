"""The texts that the code holds, found in its syntax: constants, and where calls are given them."""

import ast
import inspect
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from tests.contract.house import ROOT, full_name, imported, modules, name_of, tree

PACKAGES = ("schemas", "producers", "consumers", "projections", "compose")
REST = "*"
"""Stands for what is not known before the code runs."""


def dotted(path: Path) -> str:
    """The module that a file is."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@cache
def files() -> tuple[Path, ...]:
    """Every file of the packages that run."""
    return tuple(modules(*PACKAGES))


@cache
def names_of(path: Path) -> dict[str, str]:
    """What the names in a file mean: what it imports, else what it defines itself."""
    return imported(tree(path))


@cache
def constants() -> dict[str, str]:
    """Every text that a module gives a name, by its full name."""
    found = {}
    for path in files():
        for node in tree(path).body:
            match node:
                case ast.Assign([ast.Name(id=name)], ast.Constant(str() as text)):
                    found[f"{dotted(path)}.{name}"] = text
    return found


def meant(expression: ast.expr, path: Path) -> str | None:
    """The full name that an expression in a file has; None for what is no name."""
    found = full_name(expression, names_of(path))
    return found if found is None or found.startswith(PACKAGES) else f"{dotted(path)}.{found}"


def text_of(expression: ast.expr, path: Path) -> str:
    """A text as far as it is written in the code, with `*` for each part that is not."""
    match expression:
        case ast.Constant(value=bytes() as value):
            return value.decode("latin-1")
        case ast.Constant(value=value):
            return str(value)
        case ast.JoinedStr(values=parts):
            return "".join(text_of(part, path) for part in parts)
        case ast.FormattedValue(value=inner):
            return text_of(inner, path)
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            return text_of(left, path) + text_of(right, path)
    return constants().get(meant(expression, path) or "", REST)


@cache
def calls() -> tuple[tuple[Path, ast.Call], ...]:
    """Every call in the code."""
    nodes = ((path, node) for path in files() for node in ast.walk(tree(path)))
    return tuple((path, node) for path, node in nodes if isinstance(node, ast.Call))


@cache
def called() -> dict[str, list[tuple[Path, ast.Call]]]:
    """Every call of something of ours, by its full name."""
    found: dict[str, list[tuple[Path, ast.Call]]] = defaultdict(list)
    for path, call in calls():
        if name := meant(call.func, path):
            found[name].append((path, call))
    return found


def known(texts: Iterator[str]) -> set[str]:
    """Those of which something is written in the code."""
    return {text for text in texts if set(text) - {REST, " "}}


def given_as(*keywords: str) -> set[str]:
    """What calls give under these keywords, whatever they call."""
    given = ((path, one) for path, call in calls() for one in call.keywords)
    return known(text_of(one.value, path) for path, one in given if one.arg in keywords)


def given_to(target: Callable[..., Any], parameter: str) -> set[str]:
    """What calls of a function or class of ours give for a parameter, or leave to its default."""
    parameters = inspect.signature(target).parameters
    place, default = list(parameters).index(parameter), parameters[parameter].default
    return known(
        text_of(found, path) if found is not None else str(default)
        for path, call in called()[f"{target.__module__}.{target.__qualname__}"]
        for found in [_argument(call, place, parameter)]
        if found is not None or default is not inspect.Parameter.empty
    )


def _argument(call: ast.Call, place: int, parameter: str) -> ast.expr | None:
    named = [one.value for one in call.keywords if one.arg == parameter]
    by_place = call.args[place] if place < len(call.args) else None
    return named[0] if named else by_place


def all_given_to(target: Callable[..., Any]) -> set[str]:
    """What the calls of a function of ours give by place, joined, `*` for what is not written."""
    return known(
        " ".join("**" if isinstance(one, ast.Starred) else text_of(one, path) for one in call.args)
        for path, call in called()[f"{target.__module__}.{target.__qualname__}"]
    )


@cache
def texts() -> tuple[tuple[Path, str], ...]:
    """Every text and every bytes in the code; one that is put together from parts as a whole."""
    found = []
    for path in files():
        nodes = list(ast.walk(tree(path)))
        joined = [node for node in nodes if isinstance(node, ast.JoinedStr)]
        inner = {id(part) for node in joined for part in node.values}
        alone = [node for node in nodes if isinstance(node, ast.Constant) and id(node) not in inner]
        plain = [node for node in alone if isinstance(node.value, str | bytes)]
        found += [(path, text_of(node, path)) for node in (*joined, *plain)]
    return tuple(found)


def matching(pattern: str, *, below: str = "") -> set[str]:
    """What a pattern finds in the texts of the code; its first group, where it has one."""
    compiled = re.compile(pattern)
    return {
        found[1] if compiled.groups else found[0]
        for path, text in texts()
        if name_of(path).startswith(below)
        for found in compiled.finditer(text)
    }


def closed_sets() -> set[str]:
    """The values of each `Literal[...]` of more than one text, in alphabetical order."""
    found = set()
    for path in files():
        for node in ast.walk(tree(path)):
            if not (isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple)):
                continue
            if full_name(node.value, names_of(path)) == "typing.Literal":
                found.add(" ".join(sorted(text_of(one, path) for one in node.slice.elts)))
    return found


def path_parts(*folders: str) -> set[str]:
    """What code below these folders puts after the slash of a path."""
    return known(
        text_of(node.right, path)
        for path in modules(*folders)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)
    )


def dictionary_keys(folder: str) -> set[str]:
    """The keys of every dictionary that is written out below a folder."""
    return known(
        text_of(key, path)
        for path in modules(folder)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Dict)
        for key in node.keys
        if key is not None
    )


def routes_with(parameter: str) -> set[str]:
    """Method and path, as FastAPI knows them, of each route with a parameter of this type."""
    found = set()
    for path in files():
        for outer in tree(path).body if "fastapi.APIRouter" in names_of(path).values() else ():
            inner = [node for node in ast.walk(outer) if isinstance(node, ast.AsyncFunctionDef)]
            for route in inner:
                annotations = [one.annotation for one in route.args.args if one.annotation]
                if any(meant(one, path) == parameter for one in annotations):
                    declared = _declared(route, path)
                    found |= {f"{method} {_prefix(outer, path)}{at}" for method, at in declared}
    return found


def _prefix(outer: ast.AST, path: Path) -> str:
    made = [node for node in ast.walk(outer) if isinstance(node, ast.Call)]
    routers = [one for one in made if full_name(one.func, names_of(path)) == "fastapi.APIRouter"]
    given = [one.value for router in routers for one in router.keywords if one.arg == "prefix"]
    return "".join(text_of(one, path) for one in given)


def _declared(route: ast.AsyncFunctionDef, path: Path) -> Iterator[tuple[str, str]]:
    for decorator in route.decorator_list:
        match decorator:
            case ast.Call(func=ast.Attribute(attr=method), args=[place, *_]):
                yield method.upper(), text_of(place, path)
