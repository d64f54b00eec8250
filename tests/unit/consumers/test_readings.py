"""What an upload says of how it is read, and what is remembered for its name."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from consumers.ingest.readings.remembered import Readings
from schemas.datasets import DatasetSubmitted, Reading
from tests.factories import door_event, new_id

TENANT = uuid4()
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SAID = Reading(missing=("-", "NA"), types={"zip": "text"})


def take(
    readings: Readings, reading: Reading | None = None, name: str = "houses", after: float = 0
) -> tuple[Reading | None, bool]:
    dataset = new_id()
    data = DatasetSubmitted(
        dataset_id=dataset,
        name=name,
        object_key="k",
        size_bytes=1,
        sha256="00",
        content_type="text/csv",
        reading=reading,
    )
    event = door_event(data, dataset, TENANT, NOON + timedelta(seconds=after))
    return readings.take(event, data)


def test_nobody_said_anything() -> None:
    readings = Readings()
    assert take(readings) == (None, True)
    assert readings.changed == set()


def test_the_next_upload_of_the_name_is_read_as_the_last_one_said() -> None:
    readings = Readings()
    assert take(readings, SAID) == (SAID, False)
    assert take(readings, after=1) == (SAID, True)
    assert take(readings, name="other", after=1) == (None, True)
    assert readings.changed == {(TENANT, "houses")}


def test_each_parameter_is_remembered_by_itself() -> None:
    readings = Readings()
    take(readings, SAID)
    assert take(readings, Reading(missing=()), after=1) == (
        Reading(missing=(), types={"zip": "text"}),
        True,
    )
    assert take(readings, Reading(types={}), after=2) == (Reading(missing=()), False)


def test_an_upload_that_stands_alone_forgets_what_was_said() -> None:
    readings = Readings()
    take(readings, SAID)
    assert take(readings, Reading(alone=True), after=1) == (None, True)
    assert take(readings, after=2) == (None, True)


def test_an_upload_that_is_taken_in_late_changes_nothing_for_later_ones() -> None:
    readings = Readings()
    take(readings, SAID, after=10)
    assert take(readings, Reading(missing=("?",)), after=5)[0] == Reading(
        missing=("?",), types={"zip": "text"}
    )
    assert take(readings, after=11)[0] == SAID


def test_typed_values_neither_take_nor_leave_anything() -> None:
    readings = Readings()
    take(readings, SAID)
    typed = Reading(types={"a": "text"}, typed=True)
    assert take(readings, typed, after=1) == (typed, False)
    assert take(readings, after=2) == (SAID, True)
