"""The source files of this project, parsed: what the house rules are asked of."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("schemas", "producers", "consumers", "projections", "migrations", "compose")


def modules(*folders: str) -> list[Path]:
    """Every Python file under these folders."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def name_of(path: Path) -> str:
    """A file as people write it."""
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    """A file's syntax tree."""
    return ast.parse(path.read_text(), name_of(path))


def imported(module: ast.Module) -> dict[str, str]:
    """Local name to full name, of everything that a module imports anywhere."""
    names: dict[str, str] = {}
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            for one in node.names:
                names[one.asname or one.name.split(".")[0]] = (
                    one.name if one.asname else one.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module:
            for one in node.names:
                names[one.asname or one.name] = f"{node.module}.{one.name}"
    return names


def full_name(expression: ast.expr, names: dict[str, str]) -> str | None:
    """`a.b.c` with its first name resolved by the imports; None for what is no dotted name."""
    parts: list[str] = []
    while isinstance(expression, ast.Attribute):
        parts.append(expression.attr)
        expression = expression.value
    if not isinstance(expression, ast.Name):
        return None
    return ".".join([names.get(expression.id, expression.id), *reversed(parts)])


def references(module: ast.Module) -> Iterator[tuple[int, str]]:
    """Every dotted name that a module uses, resolved, with its line."""
    names = imported(module)
    for node in ast.walk(module):
        if isinstance(node, ast.Attribute | ast.Name):
            found = full_name(node, names)
            if found is not None:
                yield node.lineno, found


def module_level(module: ast.Module) -> Iterator[ast.AST]:
    """Every node that runs at import: function and lambda bodies left out, class bodies and
    defaults not.
    """
    waiting: list[ast.AST] = list(module.body)
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            waiting += [
                *node.decorator_list,
                *node.args.defaults,
                *filter(None, node.args.kw_defaults),
            ]
        elif not isinstance(node, ast.Lambda):
            waiting += ast.iter_child_nodes(node)
