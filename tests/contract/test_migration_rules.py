"""Migrations run beside everything else: no lock that stops accepts, no plan that a new column
outdates.
"""

import ast
import re
from pathlib import Path

import pytest

from tests.contract.house import PACKAGES, ROOT, modules, name_of, tree
from tests.contract.migration_rules import HOT, broken_rules, migrations_from

# Each with its reason.
EXEMPT: dict[tuple[str, str], str] = {}
FIRST = "0017"


@pytest.mark.parametrize(
    ("number", "source"), migrations_from(ROOT / "migrations/versions", FIRST).items()
)
def test_no_migration_stops_anybody(number: str, source: str) -> None:
    assert [one for one in broken_rules(source) if (number, one[0]) not in EXEMPT] == []


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE INDEX a ON jobs (b)",
        "CREATE UNIQUE INDEX a\n    ON ONLY jobs (b)",
        "DROP INDEX jobs_waiting",
        "ALTER TABLE jobs ADD CONSTRAINT c CHECK (a > 0)",
        "ALTER TABLE jobs ADD FOREIGN KEY (a) REFERENCES b (c)",
        "ALTER TABLE jobs ADD CONSTRAINT c UNIQUE (a)",
        "ALTER TABLE jobs ADD PRIMARY KEY (a)",
        "ALTER TABLE jobs ALTER COLUMN a TYPE bigint",
        "ALTER TABLE jobs ALTER a SET DATA TYPE text",
        "ALTER TABLE jobs ALTER COLUMN a SET NOT NULL",
        "ALTER TABLE jobs ADD COLUMN a uuid DEFAULT gen_random_uuid()",
        "ALTER TABLE jobs ADD COLUMN a bigint GENERATED ALWAYS AS IDENTITY",
        "UPDATE jobs SET a = 1",
        "DELETE FROM jobs WHERE a",
        "INSERT INTO jobs (a) SELECT a FROM b",
        "TRUNCATE jobs",
        "LOCK TABLE jobs",
        "ALTER TABLE events ADD COLUMN a text",
        "DROP TABLE requests",
        "DO $body$ BEGIN\n    UPDATE jobs SET a = 1;\nEND $body$",
        "CREATE TRIGGER t BEFORE DELETE ON inbox_keys FOR EACH ROW EXECUTE FUNCTION f()",
    ],
)
def test_the_rules_find_what_they_forbid(statement: str) -> None:
    assert broken_rules(f"UP = {statement!r}")


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE INDEX CONCURRENTLY a ON jobs (b)",
        "CREATE TABLE t (a int)\n\nCREATE INDEX a ON t (b)",
        "ALTER TABLE jobs ADD CONSTRAINT c CHECK (a > 0) NOT VALID",
        "ALTER TABLE jobs VALIDATE CONSTRAINT c",
        "ALTER TABLE jobs ADD CONSTRAINT c UNIQUE USING INDEX i",
        "ALTER TABLE jobs ADD COLUMN a text",
        "ALTER TABLE jobs ADD COLUMN a int DEFAULT 0 NOT NULL",
        "GRANT SELECT ON jobs TO headrace_api",
        "SELECT headrace_lock_briefly('events')\n\nALTER TABLE events ADD COLUMN a text",
    ],
)
def test_the_rules_let_be_what_is_quick(statement: str) -> None:
    assert broken_rules(f"UP = {statement!r}\nDOWN = 'UPDATE jobs SET a = 1'") == []


def test_the_hot_tables_are_there() -> None:
    made = "".join(path.read_text() for path in (ROOT / "migrations/versions").glob("*.py"))
    assert {one for one in HOT if f"CREATE TABLE {one} (" not in made} == set()


STAR = re.compile(r"(?:SELECT|RETURNING|,)\s+(?:\w+\.)?\*", re.IGNORECASE)
# A star over what the same statement names. Over a table it outdates the plan of whoever runs while
# a column is added.
NAMED = {
    ("consumers/work/store.py", "SELECT next.*"): "of a LATERAL query that names its columns",
    ("consumers/work/store.py", "SELECT *"): "of the CTE heads",
    (
        "consumers/replays/worker/store.py",
        "SELECT next.*",
    ): "of a LATERAL query that names its columns",
    (
        "producers/outbox/accept_statements.py",
        "SELECT *",
    ): "of unnest with named columns, and of the CTE given",
    ("producers/webhooks/rejections.py", "SELECT *"): "of unnest",
    ("projections/jobs/store.py", ", *"): "of unnest with named columns",
    ("producers/webhooks/store.py", "SELECT *"): "of queries that name their columns",
    (
        "producers/webhooks/retention/store.py",
        "SELECT *",
    ): "into a table of the same shape; daily, by the owner",
}


def stars(path: Path) -> set[tuple[str, str]]:
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found |= {(name_of(path), re.sub(r"\s+", " ", one)) for one in STAR.findall(node.value)}
    return found


def test_statements_name_their_columns() -> None:
    paths = [path for path in modules(*PACKAGES) if "migrations/versions" not in name_of(path)]
    assert set().union(*(stars(path) for path in paths)) == set(NAMED)


@pytest.mark.parametrize(
    "sql", ["SELECT * FROM jobs", "DELETE FROM w RETURNING w.*, 1", "SELECT a, s.*\nFROM s"]
)
def test_the_rule_finds_a_star(sql: str) -> None:
    assert STAR.search(sql)
