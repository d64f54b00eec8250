"""A record read in one pass is what it is step by step: the same event, or refused for the same
reason.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.event import Event, Headers
from schemas.event_decode import Undecodable, decode
from schemas.topics import PAYLOADS
from tests.chance import few
from tests.contract.house import ROOT

EXAMPLES = sorted((ROOT / "schemas" / "examples").rglob("*.json"))
VALUES = st.sampled_from(
    [
        None,
        True,
        0,
        7,
        -1,
        1.5,
        1e300,
        float("nan"),
        1 << 80,
        "",
        "7",
        "1.50",
        "nan",
        "2026-01-01",
        "\x00",
        "\ud800",
        "2026-01-01T00:00:00Z",
        1_700_000_000,
        "01900000000070008000000000000000",
        [],
        [1],
        ["a"],
        {},
        {"a": 1},
    ]
)


def outcome(value: bytes, headers: Headers) -> Event | str:
    """What becomes of it."""
    try:
        return decode(value, headers, PAYLOADS)
    except Undecodable as error:
        return f"{type(error).__name__}: {error}"


def shown(found: Event | str) -> str:
    """As text: a NaN is not itself."""
    return (
        found if isinstance(found, str) else f"{type(found.data).__name__} {found.model_dump()!r}"
    )


def agree(path: Path, change: Callable[[dict[str, Any]], str]) -> Event | str:
    """Read both ways: without its headers nobody knows the type before the value is read."""
    envelope = json.loads(path.read_bytes())
    said = (("ce_type", envelope["type"].encode()),)
    value = change(envelope).encode("utf-8", "surrogatepass")
    at_once, step_by_step = outcome(value, said), outcome(value, ())
    assert at_once == step_by_step or shown(at_once) == shown(step_by_step)
    return at_once


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: str(path.stem))
def test_every_example(path: Path) -> None:
    event = agree(path, json.dumps)
    assert isinstance(event, Event)
    assert type(event.data) is PAYLOADS[event.type]


def places(value: object, way: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The way to each value inside one."""
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [(*way, key) for key, _ in inner] + [
        found for key, one in inner for found in places(one, (*way, key))
    ]


def put(envelope: dict[str, Any], way: tuple[str | int, ...], value: object) -> dict[str, Any]:
    """The envelope with another value there."""
    inside: Any = envelope
    for step in way[:-1]:
        inside = inside[step]
    inside[way[-1]] = value
    return envelope


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: str(path.stem))
def test_nan_in_every_place(path: Path) -> None:
    """Not left to chance: where any JSON may stand, pydantic takes it when it reads JSON itself."""
    for way in places(json.loads(path.read_bytes())):
        if way != ("type",):
            agree(path, lambda envelope, way=way: json.dumps(put(envelope, way, float("nan"))))  # type: ignore[misc]


@few(400)
@given(st.data())
def test_any_value_in_any_place(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(EXAMPLES))
    envelope = json.loads(path.read_bytes())
    way = data.draw(st.sampled_from([one for one in places(envelope) if one != ("type",)]))
    value = data.draw(VALUES)
    agree(path, lambda envelope: json.dumps(put(envelope, way, value)))


@few(100)
@given(st.data())
def test_a_name_that_comes_twice(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(EXAMPLES))
    name = data.draw(st.sampled_from(sorted(json.loads(path.read_bytes()).keys() - {"type"})))
    pair = f"{json.dumps(name)}: {json.dumps(data.draw(VALUES))}"
    first = data.draw(st.booleans())
    agree(
        path,
        lambda envelope: (
            f"{{{pair}, {json.dumps(envelope)[1:]}"
            if first
            else f"{json.dumps(envelope)[:-1]}, {pair}}}"
        ),
    )


def test_the_header_of_another_type() -> None:
    path = next(one for one in EXAMPLES if one.stem == "job.queued.v1")
    with pytest.raises(Undecodable, match=r"header ce_type says b'job\.started'"):
        decode(path.read_bytes(), (("ce_type", b"job.started"),), PAYLOADS)
