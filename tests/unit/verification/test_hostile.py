"""Whatever is sent: a verdict and no exception, never genuine without the secret, and one
flipped bit spoils it.
"""

from collections.abc import Mapping

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from producers.webhooks.verification import schemes
from producers.webhooks.verification.headers import gathered
from producers.webhooks.verification.schemes import BY_NAME
from producers.webhooks.verification.verdict import Forged
from tests.chance import LONG, few
from tests.unit.verification.cases import (
    BODY,
    CASES,
    MESSAGE_ID,
    NOW,
    TOLERANCE_SECONDS,
    Case,
    every_case,
)

pytestmark = [pytest.mark.fuzz, pytest.mark.timeout(1800 if LONG else 600)]
odd = st.sampled_from(
    [
        "",
        "\0",
        "\ud800",
        "\n",
        ",",
        "=",
        " ",
        "v1,",
        "v1a,",
        "v0=",
        "sha256=",
        "t=,v1=",
        "Basic ",
        "Bearer ",
        "9" * 6000,
        "A" * 9000,
        "١٢٣",
        "=" * 64,
        "A===",
        "A" * 88,
        "v1," * 3000,
        "Basic Og==",
        "t=1772442847",
        "0" * 64,
        "\x7f",
        "é",
        "whpk_" + "A" * 43 + "=",
        "whsec_" + "A" * 32,
    ]
)
values = odd | st.text(max_size=100) | st.builds("".join, st.lists(odd, max_size=4))
names = sorted(
    {name for case in CASES.values() for name in case.sign()} | {"svix-id", "svix-signature"}
)
# A secret that somebody has no key of: drawn apart from the headers, so that no draw can sign with
# it.
secrets = st.lists(values.map(lambda text: text and f"{text}!"), max_size=3)


@every_case
@few()
@given(st.dictionaries(st.sampled_from(names), values), st.binary(max_size=200), secrets)
@example(
    {"webhook-id": "\ud800", "x-time": "\ud800", "stripe-signature": "\ud800"}, b"", ["\ud800"]
)
def test_random_requests_are_forged(
    case: Case, headers: dict[str, str], body: bytes, keys: list[str]
) -> None:
    assert isinstance(case.judge(body, headers, *keys), Forged)


@every_case
@few()
@given(st.data())
def test_spoiled_requests_never_raise(case: Case, data: st.DataObject) -> None:
    good = case.sign()
    spoiled = dict(good)
    for name in data.draw(st.sets(st.sampled_from(sorted(good)), min_size=1)):
        spoiled[name] = data.draw(st.just("") | st.just(good[name])) + data.draw(values)
    verify = BY_NAME[case.scheme].verifier(schemes.options_of(case.scheme, case.given))
    keys = data.draw(secrets)
    assert isinstance(
        verify(BODY, spoiled, keys, now=NOW, tolerance_seconds=TOLERANCE_SECONDS), Forged
    )
    verify(BODY, spoiled, [*keys, case.kept], now=NOW, tolerance_seconds=TOLERANCE_SECONDS)


@every_case
@few()
@given(st.binary(max_size=300))
def test_any_body_can_be_signed(case: Case, body: bytes) -> None:
    assert not isinstance(case.judge(body, case.sign(body)), Forged)


@every_case
def test_one_flipped_bit_of_the_body(case: Case) -> None:
    good = case.sign()
    for at in range(len(BODY) * 8 if case.covers_body else 0):
        body = bytearray(BODY)
        body[at // 8] ^= 1 << at % 8
        assert isinstance(case.judge(bytes(body), good), Forged)


@every_case
def test_a_longer_or_shorter_body(case: Case) -> None:
    for body in (b"", BODY[1:], BODY[:-1], BODY + b"\n", b" " + BODY) if case.covers_body else ():
        assert isinstance(case.judge(body, case.sign()), Forged)


@every_case
def test_one_flipped_bit_of_a_signed_header(case: Case) -> None:
    good = case.sign()
    for name in (*case.signatures, *case.signed):
        for spoiled in _flipped(good, name):
            assert isinstance(case.judge(BODY, spoiled), Forged)


@every_case
def test_a_request_under_another_id_or_time(case: Case) -> None:
    good = case.sign()
    other = case.sign(message_id=MESSAGE_ID + "2", now=NOW.replace(second=8))
    for name in case.signed:
        assert isinstance(case.judge(BODY, {**good, name: other[name]}), Forged)


@few()
@given(st.lists(st.tuples(st.sampled_from([b"A", b"a", b"B"]), st.binary(max_size=10)), max_size=5))
def test_gathered_headers_keep_every_value(pairs: list[tuple[bytes, bytes]]) -> None:
    headers = gathered(pairs)
    assert set(headers) == {name.decode().lower() for name, _ in pairs}
    for name, joined in headers.items():
        sent = [
            value.decode("latin-1") for header, value in pairs if header.decode().lower() == name
        ]
        assert joined == "\n".join(sent)


def _flipped(headers: Mapping[str, str], name: str) -> list[dict[str, str]]:
    value = headers[name].encode()
    found = []
    for at in range(len(value) * 8):
        changed = bytearray(value)
        changed[at // 8] ^= 1 << at % 8
        found.append({**headers, name: changed.decode("latin-1")})
    return found
