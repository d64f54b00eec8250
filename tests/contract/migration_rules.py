"""What a migration may not do to tables that are there: take a lock for long, or one that stops
accepts.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

# Who accepts writes here: even a lock that is held for a moment is waited for in many short tries.
HOT = {
    "events",
    "outbox",
    "inbox_keys",
    "requests",
    "request_repeats",
    "rejected_requests",
    "processed",
}
TABLE = r"(?:ONLY\s+|IF\s+EXISTS\s+)*(\w+)"
NAME = r"(?!(?:CONSTRAINT|CHECK|FOREIGN|PRIMARY|UNIQUE|EXCLUDE)\b)\w+"
COMPUTED = r"(?:DEFAULT\s+[\w.]+\s*\(|GENERATED|SERIAL|UNIQUE|REFERENCES)"
RULES = (
    (
        "an index is made CONCURRENTLY, in an autocommit_block",
        rf"^CREATE\s+(?:UNIQUE\s+)?INDEX\s+(?!CONCURRENTLY).*?\sON\s+{TABLE}",
    ),
    (
        "an index is dropped CONCURRENTLY",
        r"^DROP\s+INDEX\s+(?!CONCURRENTLY)(?:IF\s+EXISTS\s+)?(\w+)",
    ),
    (
        "a constraint is added NOT VALID, and validated in another transaction",
        rf"^ALTER\s+TABLE\s+{TABLE}(?!.*NOT\s+VALID).*\sADD\s+(?:CONSTRAINT\s+\w+\s+)?(?:CHECK|FOREIGN|EXCLUDE)\b",
    ),
    (
        "a key is added USING INDEX, which was made before",
        rf"^ALTER\s+TABLE\s+{TABLE}(?!.*USING\s+INDEX).*\sADD\s+(?:CONSTRAINT\s+\w+\s+)?(?:PRIMARY|UNIQUE)\b",
    ),
    (
        "a type is not changed: a new column is added",
        rf"^ALTER\s+TABLE\s+{TABLE}.*\sALTER\s+(?:COLUMN\s+)?\w+\s+(?:SET\s+DATA\s+)?TYPE\b",
    ),
    (
        "NOT NULL looks at every row: a CHECK is added NOT VALID",
        rf"^ALTER\s+TABLE\s+{TABLE}.*\sALTER\s+(?:COLUMN\s+)?\w+\s+SET\s+NOT\s+NULL\b",
    ),
    (
        "the default of a new column is constant",
        rf"^ALTER\s+TABLE\s+{TABLE}.*\sADD\s+(?:COLUMN\s+)?{NAME}\s[^;]*?{COMPUTED}",
    ),
    (
        "rows are changed in batches, by a duty of the sweeper",
        rf"^(?:UPDATE|DELETE\s+FROM)\s+{TABLE}",
    ),
    (
        "rows are copied in batches, by a duty of the sweeper",
        rf"^INSERT\s+INTO\s+{TABLE}[^;]*\bSELECT\b",
    ),
    (
        "a table is not written anew",
        rf"^(?:TRUNCATE|CLUSTER|REINDEX|VACUUM\s+FULL|LOCK)\s+(?:TABLE\s+)?{TABLE}",
    ),
)
BRIEFLY = "after SELECT headrace_lock_briefly('{}')"
EXCLUSIVE = re.compile(
    rf"^(?:ALTER\s+TABLE|DROP\s+TABLE|CREATE\s+(?:OR\s+REPLACE\s+)?TRIGGER.*?\sON)\s+{TABLE}",
    re.DOTALL,
)


def statements(source: str) -> Iterator[str]:
    """The statements of the upgrade: one a paragraph, and those inside a DO block.

    The way back is an emergency's.
    """
    for node in ast.parse(source).body:
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Constant):
            continue
        if isinstance(node.value.value, str) and getattr(node.targets[0], "id", "") != "DOWN":
            for paragraph in node.value.value.strip().split("\n\n"):
                whole = "\n".join(
                    line for line in paragraph.splitlines() if not line.strip().startswith("--")
                ).strip()
                if re.match(r"CREATE\s+(OR\s+REPLACE\s+)?FUNCTION", whole):
                    continue  # what it does is asked where it is called
                inside = (
                    re.search(r"\bBEGIN\b(.*)\bEND\b", whole, re.DOTALL)
                    if whole.startswith("DO")
                    else None
                )
                yield from (
                    one.strip()
                    for one in (inside[1].split(";") if inside else [whole])
                    if one.strip()
                )


def broken_rules(source: str) -> list[tuple[str, str]]:
    """The table and the rule of every statement that breaks one."""
    found: list[tuple[str, str]] = []
    made: set[str] = set()
    briefly: set[str] = set()
    for one in statements(source):
        briefly |= set(re.findall(r"headrace_lock_briefly\('(\w+)'", one))
        for rule, pattern in RULES:
            match = re.match(pattern, one, re.DOTALL | re.IGNORECASE)
            if match and match[1] not in made:
                found.append((match[1], rule))
        exclusive = EXCLUSIVE.match(one)
        if exclusive and exclusive[1] in HOT - made - briefly and "VALIDATE CONSTRAINT" not in one:
            found.append((exclusive[1], BRIEFLY.format(exclusive[1])))
        made |= set(re.findall(r"^CREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?(\w+)", one))
        made |= set(re.findall(r"^ALTER\s+TABLE\s+\w+\s+RENAME\s+TO\s+(\w+)", one))
    return found


def migrations_from(folder: Path, first: str) -> dict[str, str]:
    """The sources of the migrations from `first` on, by their number."""
    return {
        path.name[:4]: path.read_text()
        for path in sorted(folder.glob("[0-9]*.py"))
        if path.name[:4] >= first
    }
