"""Blocks of code on the pages, and what comments before them say to the test.

Right above a block stands nothing (its commands are run as they are), or one comment:
`<!-- run: COMMANDS -->`: what a reader did before (files, variables), run before the block;
`<!-- not run: WHY -->`: it is not run; tests count these;
`<!-- run by: tests/…py -->`: that test runs it.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from tests.contract.house import ROOT

LANGUAGES = ("sh", "bash", "console", "python")
FENCED = re.compile(
    r"(?:^<!-- (?P<mark>run by|not "
    r"run|run):(?P<said>.*?)-->\n)?^```(?P<language>\w*)\n(?P<code>.*?)^```",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Block:
    """One block of commands; `before` is run first, `not_run` says why it is not, `run_by` which
    test runs it.
    """

    page: str
    line: int
    language: str
    code: str
    before: str = ""
    not_run: str | None = None
    run_by: str | None = None

    @property
    def is_run(self) -> bool:
        """Whether it is for the shell, and run as it is."""
        return self.not_run is None and self.run_by is None


def pages() -> list[Path]:
    """README.md and every page of docs/, decisions left out: they tell of what was."""
    docs = [
        path for path in sorted((ROOT / "docs").rglob("*.md")) if path.parent.name != "decisions"
    ]
    return [ROOT / "README.md", *docs]


def blocks(page: str, text: str) -> list[Block]:
    """Every block of commands of a page."""
    found = []
    for match in FENCED.finditer(text):
        if match["language"] not in LANGUAGES:
            continue
        said = (match["said"] or "").strip()
        told = {"run": "before", "not run": "not_run", "run by": "run_by"}.get(
            match["mark"] or "", ""
        )
        line = text.count("\n", 0, match.start("code")) + 1
        found.append(
            Block(page, line, match["language"], match["code"], **({told: said} if told else {}))
        )
    return found


def script(found: list[Block]) -> str:
    """A page's blocks as one script for bash: it ends at the first command that fails, and names
    each block.
    """
    parts = [PRELUDE]
    for block in found:
        if block.is_run:
            parts += [
                f"\n: '==== {block.page}:{block.line}' >&2\necho '==== {block.page}:{block.line}'"
            ]
            parts += [block.before, block.code]
    return "\n".join(parts) + "\n"


PRELUDE = """set -euo pipefail
trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT
field() { python -c 'import json, sys; print(eval("found" + sys.argv[1], {"found": json.load(sys.stdin)}))' "$1"; }
until_it() { for _ in $(seq 300); do if "$@" > /dev/null 2>&1; then return; fi; sleep 0.2; done; "$@"; }
"""
"""`… --json | field '["id"]'` takes a value out of JSON; `until_it COMMAND` repeats it until it
succeeds.
"""
