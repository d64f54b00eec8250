"""Whose id it is: text of a bearable size, or none; never an exception, whatever the body holds."""

import time

import pytest

from producers.webhooks.verification import shopify, slack, stripe
from producers.webhooks.verification.identity import (
    MOST_CONTAINERS,
    IdOptions,
    external_id,
    member,
    parsed,
    reader,
)
from producers.webhooks.verification.verdict import Genuine
from tests.unit.verification.cases import NOW

NO_IDS: list[object] = [
    None,
    7,
    7.5,
    True,
    [],
    {},
    ["a"],
    "",
    "a\0b",
    "a\nb",
    "a\x7f",
    "\x80",
    "\ud800",
    "x" * 257,
]
SECRET = "a secret of some length"


@pytest.mark.parametrize("value", NO_IDS)
def test_what_is_no_id(value: object) -> None:
    assert external_id(value) is None


@pytest.mark.parametrize("value", ["a", "x" * 256, "gid://shopify/Order/1?a=b c", "é", "註文"])
def test_what_is_one(value: str) -> None:
    assert external_id(value) == value


BODIES = [
    b"",
    b"null",
    b"[]",
    b'"id"',
    b"7",
    b"{}",
    b"{",
    b'{"id": null}',
    b'{"id": true}',
    b'{"id": ["a"]}',
    b'{"id": ""}',
    b'{"id": "a\\u0000b"}',
    b'{"id": "\\ud800"}',
    b'{"id": "' + b"x" * 257 + b'"}',
    b'{"id": "a"',
    b"\xff\xfe",
    b'{"id": "a", "b": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"a":' * 100_000,
    b'{"id": ' + b"9" * 100_000 + b"}",
    b'{"id": NaN}',
    b'{"id": -Infinity}',
    b'{"id": 1' + b"0" * 256 + b"}",
    b"\xff\xfe[\x00",
    b'{"id": "\xff"}',
    b"\xef\xbb\xbf{}",
    b'{"id": "a"} {"id": "b"}',
    b"id=a&payload=%7B%7D",
]


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_odd_bodies_have_no_id(body: bytes) -> None:
    assert external_id(member(parsed(body), "id")) is None
    for path in (
        "id",
        "id[0].a",
        "a || id",
        "id[1]",
        "id[-2]",
        "id[99999999999999999999]",
        "data.id",
    ):
        assert reader(IdOptions(id_path=path))(body, {}) is None
    verdict = stripe.verify(
        body,
        stripe.sign(body, SECRET, message_id="", now=NOW),
        [SECRET],
        now=NOW,
        tolerance_seconds=300,
    )
    assert verdict == Genuine(None)


@pytest.mark.parametrize("value", [value for value in NO_IDS if isinstance(value, str)])
def test_odd_headers_have_no_id(value: str) -> None:
    assert reader(IdOptions(id_header="X-Id"))(b"", {"x-id": value}) is None
    headers = {**shopify.sign(b"", SECRET, message_id="", now=NOW), "x-shopify-webhook-id": value}
    verdict = shopify.verify(b"", headers, [SECRET], now=NOW, tolerance_seconds=300)
    if "\n" not in value:
        assert verdict == Genuine(None, signed_id=False)


def test_the_id_is_found() -> None:
    body = b'{"a": {"ids": [{"id": "x"}, {"id": "y"}]}, "b": "z"}'
    assert reader(IdOptions(id_path="a.ids[1].id"))(body, {}) == "y"
    assert reader(IdOptions(id_path="a.ids[-2].id"))(body, {}) == "x"
    assert reader(IdOptions(id_path="(c || a).ids[0].id"))(body, {}) == "x"
    assert reader(IdOptions(id_path='"b"'))(body, {}) == "z"
    assert reader(IdOptions(id_header="X-Id"))(body, {"x-id": "h"}) == "h"
    assert reader(IdOptions())(body, {"x-id": "h"}) is None


ODD_ELSEWHERE = {
    "half a surrogate pair": '"text": "cut \\ud83d"',
    "half a surrogate pair in a name": '"\\ude00": 1',
    "no number": '"text": NaN, "least": -Infinity',
    "a number past a double": '"text": 1e400',
    "a number of many digits": '"text": ' + "9" * 5000,
    "fractions and minus zero": '"text": [1.50, -0, -0.0]',
    "deep": '"text": ' + "[" * 300 + "]" * 300,
    "nothing": '"text": 1',
}


@pytest.mark.parametrize("kind", ODD_ELSEWHERE)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
def test_what_is_odd_elsewhere_does_not_hide_an_id(kind: str, encoding: str) -> None:
    text = f'{{"first": "x", {ODD_ELSEWHERE[kind]}, "id": "evt_1", "n": 7, "event_id": "Ev1"}}'
    for body in (text.encode(encoding), text.encode(encoding).replace(b"x", b"\xff", 1)):
        assert reader(IdOptions(id_path="id"))(body, {}) == "evt_1"
        assert reader(IdOptions(id_path="n"))(body, {}) == "7"
        headers = slack.sign(body, SECRET, message_id="", now=NOW)
        verdict = slack.verify(body, headers, [SECRET], now=NOW, tolerance_seconds=300)
        assert verdict == Genuine("Ev1")
        headers = stripe.sign(body, SECRET, message_id="", now=NOW)
        verdict = stripe.verify(body, headers, [SECRET], now=NOW, tolerance_seconds=300)
        assert verdict == Genuine("evt_1")
        if encoding.startswith("utf-16"):
            break  # one byte more would move all that follow


NUMBERS = [
    "730194411",
    "0",
    "-0",
    "-7",
    "1.50",
    "1.5",
    "0.0",
    "1e400",
    "1E2",
    "12345678901234567890123",
    "9" * 256,
]


@pytest.mark.parametrize("number", NUMBERS)
def test_the_id_of_a_number_is_its_text(number: str) -> None:
    for body in (
        f'{{"a": [{{"id": {number}}}]}}',
        f'{{"a": [{{"id": {number}}}], "b": "\\udc00", "c": -0}}',
    ):
        assert reader(IdOptions(id_path="x || a[0].id"))(body.encode(), {}) == number
    assert reader(IdOptions(id_path="id"))(f'{{"id": "{number}"}}'.encode(), {}) == number
    both = f'{{"event_id": {number}, "id": {number}}}'.encode()
    for scheme in (slack, stripe):
        headers = scheme.sign(both, SECRET, message_id="", now=NOW)
        assert scheme.verify(both, headers, [SECRET], now=NOW, tolerance_seconds=300) == Genuine(
            number
        )


def test_of_equal_names_the_last_counts_whichever_parser_reads() -> None:
    for more in ("", ', "b": "\\ud83d"'):
        assert (
            reader(IdOptions(id_path="id"))(f'{{"id": "a", "id": "b"{more}}}'.encode(), {}) == "b"
        )
        assert (
            reader(IdOptions(id_path="id"))(f'{{"id": 1.5, "id": 2.50{more}}}'.encode(), {})
            == "2.50"
        )


def test_slack_forms_have_no_id() -> None:
    body = b"payload=%7B%22event_id%22%3A%22Ev1%22%7D"
    headers = slack.sign(body, SECRET, message_id="", now=NOW)
    assert slack.verify(body, headers, [SECRET], now=NOW, tolerance_seconds=300) == Genuine(None)


MIB = 1 << 20
HOSTILE = {
    "ones": b'{"id": -0, "a": [' + b",".join([b"1"] * (MIB // 2)) + b"]}",
    "fractions": b'{"id": 1.5, "a": [' + b",".join([b"1.5"] * (MIB // 4)) + b"]}",
    "empty lists": b'{"id": 1.5, "a": [' + b",".join([b"[]"] * (MIB // 3)) + b"]}",
    "names": b'{"id": 1.5, "a": {' + b",".join(b'"%x": 1' % n for n in range(MIB // 11)) + b"}}",
    "halves": b'{"id": 1.5, "a": "' + b"\\ud83d" * (MIB // 6) + b'"}',
    "no JSON": b'{"id": 1.5, "a": [' + b"\xff" * MIB,
    "long numbers": b'{"id": 1.5, "a": [' + b",".join([b"9" * 5000] * 200) + b"]}",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_body_does_not_take_long(kind: str) -> None:
    """Of a mebibyte, the most that a body has, off the event loop.

    A second reading for a fraction is not made.
    """
    began = time.thread_time()
    found = reader(IdOptions(id_path="id"))(HOSTILE[kind], {})
    assert time.thread_time() - began < 3
    assert found is None


def test_a_number_in_a_large_body_counts_where_it_has_one_text() -> None:
    def of(number: str, more: str = "") -> str | None:
        body = f'{{"id": {number}, "day": "2026-01-01"{more}, "a": "{"x" * (64 << 10)}"}}'
        found = {
            reader(IdOptions(id_path="id"))(body.encode(one), {})
            for one in ("utf-8", "utf-16", "utf-32-be")
        }
        assert len(found) == 1
        return found.pop()

    assert [of("7"), of("0"), of("0", ', "b": -0.5')] == ["7", "0", "0"]
    assert [of("1.5"), of("-0"), of("0", ', "b": -0')] == [None, None, None]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_body_of_very_many_arrays_is_not_read_a_second_time(encoding: str) -> None:
    for times, found in ((MOST_CONTAINERS - 2, "a"), (MOST_CONTAINERS, None)):
        body = f'{{"id": "a", "b": "\\ud83d", "c": [{",".join(["[]"] * times)}]}}'.encode(encoding)
        assert reader(IdOptions(id_path="id"))(body, {}) == found


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_half_a_surrogate_pair_as_such_is_taken_in_a_small_body_only(encoding: str) -> None:
    for units, found in ((10, "a"), (MIB // 4, None)):
        body = f'{{"id": "a", "b": "{chr(0xD83D) * units}"}}'.encode(encoding, "surrogatepass")
        assert reader(IdOptions(id_path="id"))(body, {}) == found
