"""Old versions are lifted to the current one: shown on an event of three versions that only this
file has.

There is only one version of each of ours so far; the same questions are asked of them in
`test_examples.py`.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from schemas.event_decode import FromNewer, Undecodable, decode
from schemas.payload import Payload
from schemas.upcasters import Former, formers
from tests.contract.golden import LIST, Golden

WAGONS = Path(__file__).with_name("wagons")


class InPounds(Payload, type="wagon.weighed", version=1):
    """As it was first."""

    wagon: str
    pounds: int


class InKilograms(Payload, type="wagon.weighed", version=2):
    """Another unit."""

    wagon: str
    kilograms: float


class Weighed(Payload, type="wagon.weighed", version=3):
    """Whole grams, and a field that nobody could know before."""

    wagon: str
    mass_grams: int
    empty: bool | None


def to_kilograms(old: InPounds) -> InKilograms:
    return InKilograms(wagon=old.wagon, kilograms=old.pounds * 0.45359237)


def to_grams(old: InKilograms) -> Weighed:
    return Weighed(wagon=old.wagon, mass_grams=round(old.kilograms * 1000), empty=None)


PAYLOADS: dict[str, type[Payload]] = {Weighed.TYPE: Weighed}
FORMERS = formers(Former(InPounds, to_kilograms), Former(InKilograms, to_grams))
GOLDEN = Golden(WAGONS, PAYLOADS, FORMERS)


def example(version: int) -> dict[str, Any]:
    return GOLDEN.envelope(WAGONS / f"wagon.weighed.v{version}.json")


def saying(version: int, **changes: Any) -> bytes:
    return json.dumps({**example(version), **changes}).encode()


@pytest.mark.parametrize(("version", "empty"), [(1, None), (2, None), (3, False)])
def test_each_version_becomes_the_current_one(version: int, empty: bool | None) -> None:
    event = GOLDEN.lifted(WAGONS / f"wagon.weighed.v{version}.json")
    assert event.data == Weighed(wagon="w-7", mass_grams=907185, empty=empty)
    assert event.dataschema == "urn:headrace:wagon.weighed:v3"
    assert json.loads(event.encode()) == {**example(3), "data": event.data.model_dump()}
    assert decode(event.encode(), event.headers(), PAYLOADS, FORMERS) == event


def test_the_golden_files_of_the_three_versions_hold() -> None:
    assert len(GOLDEN.versions) == 3
    assert GOLDEN.gaps() == GOLDEN.changes() == []


@pytest.mark.parametrize(
    ("payloads", "known", "said"),
    [
        (PAYLOADS, formers(Former(InKilograms, to_grams)), "is at v3, and lifted from [2]"),
        (PAYLOADS, formers(Former(InPounds, to_kilograms)), "is at v3, and lifted from [1]"),
        (
            {InKilograms.TYPE: InKilograms},
            formers(Former(InPounds, to_kilograms)),
            "v3 has an example and no model",
        ),
    ],
)
def test_a_step_that_is_missing_is_found(
    payloads: dict[str, type[Payload]], known: Any, said: str
) -> None:
    assert any(said in one for one in Golden(WAGONS, payloads, known).gaps())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda folder: (folder / "wagon.weighed.v1.json").unlink(),
            ["v1 has no example", "v1.json was published and"],
        ),
        (
            lambda folder: (folder / "wagon.weighed.v2.json").write_text("{}"),
            ["v2.json was published and is changed"],
        ),
        (lambda folder: (folder / LIST).write_text(""), [f"not published yet; add to {LIST}"] * 3),
        (
            lambda folder: (folder / "wagon.weighed.v4.json").write_text("{}"),
            ["v4 has an example", "not published"],
        ),
    ],
    ids=["gone", "changed", "unlisted", "of no version"],
)
def test_a_golden_file_that_is_touched_is_found(
    tmp_path: Path, change: Callable[[Path], object], said: list[str]
) -> None:
    folder = tmp_path / "wagons"
    shutil.copytree(WAGONS, folder)
    change(folder)
    golden = Golden(folder, PAYLOADS, FORMERS)
    found = [*golden.gaps(), *golden.changes()]
    assert len(found) == len(said)
    assert all(part in one for part, one in zip(said, found, strict=True))


@pytest.mark.parametrize("version", [4, 900])
def test_a_version_to_come_is_known_as_such(version: int) -> None:
    with pytest.raises(FromNewer, match="newer producer") as caught:
        decode(
            saying(3, dataschema=f"urn:headrace:wagon.weighed:v{version}"), (), PAYLOADS, FORMERS
        )
    assert caught.value.kind == "wagon.weighed"


def test_a_type_to_come_is_known_as_such() -> None:
    newer = saying(3, type="wagon.lost", dataschema="urn:headrace:wagon.lost:v1")
    with pytest.raises(FromNewer) as caught:
        decode(newer, (), PAYLOADS, FORMERS)
    assert caught.value.kind == "wagon.lost"


NOT_NEWER = {
    "no version": saying(3, dataschema=None),
    "version 0": saying(3, dataschema="urn:headrace:wagon.weighed:v0"),
    "not a number": saying(3, dataschema="urn:headrace:wagon.weighed:v٣"),
    "a version of something else": saying(3, dataschema="urn:headrace:wagon.lost:v4"),
    "somebody else's": saying(3, dataschema="urn:other:wagon.weighed:v4"),
    "a broken envelope": saying(3, dataschema="urn:headrace:wagon.weighed:v4", tenantid="nobody"),
    "an unknown type in a broken envelope": saying(
        3, type="a.b", dataschema="urn:headrace:a.b:v1", subject=""
    ),
    "a type that is no word": saying(3, type="a\x00.b", dataschema="urn:headrace:a\x00.b:v1"),
    "old data that is not of its version": saying(1, data={"wagon": "w-7", "kilograms": 1}),
    "old data that cannot be lifted": saying(1, data={"wagon": "w-7", "pounds": 10**400}),
}


@pytest.mark.parametrize("value", NOT_NEWER.values(), ids=NOT_NEWER.keys())
def test_what_is_broken_is_not_taken_for_newer(value: bytes) -> None:
    with pytest.raises(Undecodable) as caught:
        decode(value, (), PAYLOADS, FORMERS)
    assert not isinstance(caught.value, FromNewer)


def test_headers_that_lie_are_not_taken_for_newer() -> None:
    newer = saying(3, dataschema="urn:headrace:wagon.weighed:v4")
    with pytest.raises(Undecodable, match="ce_tenantid") as caught:
        decode(newer, (("ce_tenantid", b"x"),), PAYLOADS, FORMERS)
    assert not isinstance(caught.value, FromNewer)
