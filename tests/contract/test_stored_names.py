"""No name that something outside of the code holds is lost or renamed; see `stored_names.py`."""

import ast
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from consumers.dead_letters.dead_letter import DeadLetter
from consumers.ingest.mapping import job_of
from schemas.event import Cause, following
from schemas.ids import derived
from schemas.record import Record
from schemas.usage import UsageRecorded
from tests.contract import code_strings
from tests.contract.house import ROOT
from tests.contract.names_found import FOUND
from tests.contract.stored_names import STORED

CAUSE = UUID("01938f00-0000-7000-8000-000000000001")
TENANT = UUID("01938f00-0000-7000-8000-000000000002")
AT = datetime(2026, 3, 1, tzinfo=UTC)


def complaints(area: str, found: set[str]) -> list[str]:
    """What differs in an area, each with what is to be done about it."""
    stored = STORED[area]
    gone = [
        f"{area}: {name!r} is not found in the code. It may not be renamed: {stored.why}. "
        "If it is there still, names_found.py looks for it in the wrong place."
        for name in sorted(stored.names - found)
    ]
    if FOUND[area].more_allowed:
        return gone
    new = sorted(found - stored.names)
    return gone + [f"{area}: {name!r} is new; stored_names.py needs a line for it." for name in new]


@pytest.mark.parametrize("area", FOUND)
def test_every_stored_name_is_still_in_the_code(area: str) -> None:
    assert complaints(area, set(FOUND[area].collect())) == []


def test_each_area_is_collected_and_each_collection_is_held() -> None:
    assert set(FOUND) == set(STORED)
    assert [area for area, stored in STORED.items() if not stored.names] == []


@pytest.mark.parametrize("area", FOUND)
def test_a_lost_name_says_why_it_may_not_be_renamed(area: str) -> None:
    lost, *others = sorted(STORED[area].names)
    assert any(lost in text and STORED[area].why in text for text in complaints(area, set(others)))
    assert bool(complaints(area, {*STORED[area].names, "renamed"})) is not FOUND[area].more_allowed


def test_the_same_step_gives_the_same_ids_as_ever() -> None:
    """Of an event, a job, a dead letter with an event (83fb619 gave the same) and one without."""
    data = UsageRecorded(
        record_key="jobs:1",
        period=AT.date(),
        meter="jobs",
        quantity=Decimal(1),
        unit="job",
        at=AT,
        subject="1",
    )
    cause = Cause(CAUSE, TENANT, CAUSE, None)
    event = following(cause, data, by="billing", subject="jobs", version=1, at=AT, ordinal="jobs:1")
    record = Record("headrace.webhooks", 3, 17, b"k", b"v", (("ce_id", b"x"),), 0)
    letters = [DeadLetter(record, "ingest", TENANT, one, "bug", "", 1) for one in (CAUSE, None)]
    assert [str(one) for one in (event.id, job_of(CAUSE), *(letter.id for letter in letters))] == [
        "01938f00-0000-85e2-ba12-c47f4974a809",
        "01938f00-0000-8b38-a95a-c4b53559d5c1",
        "01938f00-0000-8b61-ad61-d79ce4c1e7e5",
        "00000000-0000-8e9a-9343-d493e000f3a5",
    ]
    assert derived(CAUSE, "a", 1) == derived(CAUSE, "a", "1") != derived(CAUSE, 1, "a")


def test_what_is_put_together_is_found_as_far_as_it_is_written() -> None:
    path = ROOT / "consumers/work/store.py"
    texts = [
        code_strings.text_of(ast.parse(source, mode="eval").body, path)
        for source in ('"a"', "b'a'", 'f"a:{x}"', '"a" + name', "unknown")
    ]
    assert texts == ["a", "a", "a:*", "a*", "*"]
