"""Standard Webhooks: what the reference library signs is genuine, all else is forged, and
nothing ever raises.
"""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from producers.webhooks.verification.standard_webhooks import (
    key_pair_from,
    secret_bytes,
    secret_from,
    sign,
    verify,
)
from producers.webhooks.verification.verdict import Forged, Genuine

SECRET = secret_from(bytes(range(32)))
OTHER = secret_from(bytes(range(1, 33)))
BODY = b'{"dataset": "wine"}'
NOW = datetime(2026, 3, 2, 9, 14, 7, tzinfo=UTC)
GOOD = sign(BODY, SECRET, message_id="msg_1", now=NOW)


def judged(
    headers: dict[str, str],
    *,
    body: bytes = BODY,
    secrets: tuple[str, ...] = (SECRET,),
    now: datetime = NOW,
) -> Genuine | Forged:
    return verify(body, headers, secrets, now=now, tolerance_seconds=300)


def sender_id(verdict: Genuine | Forged) -> str | None:
    assert isinstance(verdict, Genuine)
    return verdict.external_id


def test_the_published_vector() -> None:
    # standard-webhooks/standard-webhooks, the signing test of every reference library
    now = datetime.fromtimestamp(1614265330, UTC)
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    assert (
        sender_id(judged(headers, body=body, secrets=(secret,), now=now))
        == "msg_p5jXN8AQM9LWM0D4loKWxJek"
    )
    assert sign(body, secret, message_id="msg_p5jXN8AQM9LWM0D4loKWxJek", now=now) == headers


@given(st.text(st.characters(codec="utf-8"), max_size=50), st.binary(min_size=24, max_size=64))
def test_what_the_reference_library_signs_is_genuine(body: str, key: bytes) -> None:
    secret = secret_from(key)
    signature = Webhook(secret).sign("msg_7", NOW, body)
    headers = {
        "webhook-id": "msg_7",
        "webhook-timestamp": str(int(NOW.timestamp())),
        "webhook-signature": signature,
    }
    assert sender_id(judged(headers, body=body.encode(), secrets=(secret,))) == "msg_7"


def test_what_we_sign_the_reference_library_takes() -> None:
    headers = sign(BODY, SECRET, message_id="msg_8", now=datetime.now(UTC))
    assert Webhook(SECRET).verify(BODY, headers) == {"dataset": "wine"}


@pytest.mark.parametrize(
    "secrets",
    [
        (SECRET,),
        (OTHER, SECRET),
        (SECRET, OTHER),
        ("not a secret", SECRET),
        (SECRET.removeprefix("whsec_"),),
    ],
)
def test_any_live_secret_will_do(secrets: tuple[str, ...]) -> None:
    assert sender_id(judged(GOOD, secrets=secrets)) == "msg_1"


@pytest.mark.parametrize(
    "secrets", [(OTHER,), (), ("",), ("whsec_",), ("whsec_é",), ("whsec_" + "A" * 28,)]
)
def test_no_other_secret_will(secrets: tuple[str, ...]) -> None:
    assert isinstance(judged(GOOD, secrets=secrets), Forged)


@pytest.mark.parametrize("place", ["first", "last"])
def test_one_of_several_signatures_is_enough(place: str) -> None:
    old = sign(BODY, OTHER, message_id="msg_1", now=NOW)["webhook-signature"]
    good = GOOD["webhook-signature"]
    shown = f"v1a,xx {good} {old}" if place == "first" else f"{old} v1,? v2,abc {good}"
    assert sender_id(judged({**GOOD, "webhook-signature": shown})) == "msg_1"


def test_signatures_past_the_twentieth_are_not_tried() -> None:
    good = GOOD["webhook-signature"]
    assert sender_id(judged({**GOOD, "webhook-signature": "v1,AAAA " * 19 + good})) == "msg_1"
    assert isinstance(judged({**GOOD, "webhook-signature": "v1,AAAA " * 20 + good}), Forged)


@pytest.mark.parametrize(
    ("seconds", "genuine"), [(-301, False), (-300, True), (0, True), (300, True), (301, False)]
)
def test_the_tolerance_ends_at_the_second_both_ways(seconds: int, genuine: bool) -> None:
    headers = sign(BODY, SECRET, message_id="msg_1", now=NOW + timedelta(seconds=seconds))
    assert isinstance(judged(headers), Genuine) is genuine


def test_the_tolerance_ends_at_the_fraction_too() -> None:
    late = NOW + timedelta(seconds=300, microseconds=1)
    assert isinstance(judged(GOOD, now=late), Forged)


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "msg_2"},
        {"webhook-id": ""},
        {"webhook-id": "msg 1"},
        {"webhook-id": "msg_é"},
        {"webhook-id": "m" * 257},
        {"webhook-id": "msg_1\n"},
        {"webhook-timestamp": ""},
        {"webhook-timestamp": "now"},
        {"webhook-timestamp": "1e9"},
        {"webhook-timestamp": "-1"},
        {"webhook-timestamp": "nan"},
        {"webhook-timestamp": "9" * 400},
        {"webhook-timestamp": GOOD["webhook-timestamp"] + ".0"},
        {"webhook-timestamp": " " + GOOD["webhook-timestamp"]},
        {"webhook-timestamp": "0" + GOOD["webhook-timestamp"]},
        {"webhook-timestamp": "١٧٧٢٤٤٢٨٤٧"},
        {"webhook-signature": ""},
        {"webhook-signature": "v1"},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,é"},
        {"webhook-signature": GOOD["webhook-signature"].replace("v1,", "v2,")},
        {"webhook-signature": GOOD["webhook-signature"][:-1]},
        {"webhook-signature": GOOD["webhook-signature"] + "A"},
    ],
)
def test_one_changed_header_forges_it(change: dict[str, str]) -> None:
    assert isinstance(judged({**GOOD, **change}), Forged)


@pytest.mark.parametrize("missing", sorted(GOOD))
def test_a_missing_header_forges_it(missing: str) -> None:
    assert isinstance(
        judged({name: value for name, value in GOOD.items() if name != missing}), Forged
    )


@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_one_changed_byte_of_the_body_forges_it(place: int, change: int) -> None:
    body = bytes(byte ^ change if at == place else byte for at, byte in enumerate(BODY))
    assert isinstance(judged(GOOD, body=body), Forged)


@given(
    st.dictionaries(
        st.sampled_from(sorted(GOOD)),
        st.text(max_size=40) | st.from_regex(r"v1,[A-Za-z0-9+/=]{0,60}"),
    ),
    st.binary(max_size=20),
    st.lists(st.text(max_size=40), max_size=3),
)
def test_malformed_requests_are_forged_and_never_an_exception(
    headers: dict[str, str], body: bytes, secrets: list[str]
) -> None:
    assert isinstance(judged({**GOOD, **headers}, body=body, secrets=(*secrets, OTHER)), Forged)


@pytest.mark.parametrize(("size", "usable"), [(23, False), (24, True), (64, True), (65, False)])
def test_a_key_has_24_to_64_bytes(size: int, usable: bool) -> None:
    secret = "whsec_" + base64.b64encode(b"k" * size).decode()
    assert (secret_bytes(secret) == b"k" * size) is usable


@pytest.mark.parametrize("secret", ["whsec_é", "whsec_ AAAA", "whsec_" + "A" * 33, ""])
def test_nobody_signs_with_what_is_no_secret(secret: str) -> None:
    assert secret_bytes(secret) is None
    with pytest.raises(ValueError, match="whsec_"):
        sign(BODY, secret, message_id="msg_1", now=NOW)


def test_of_several_signatures_of_an_owner_three_are_tried() -> None:
    """Each is a verification over the whole body."""
    private, public = key_pair_from(bytes(range(32)))
    good = sign(BODY, private, message_id="msg_1", now=NOW)
    wrong = "v1a," + base64.b64encode(bytes(64)).decode()
    for before, genuine in ((2, True), (3, False)):
        shown = " ".join([wrong] * before + ["v1a,short", good["webhook-signature"]])
        assert (
            isinstance(judged({**good, "webhook-signature": shown}, secrets=(public,)), Genuine)
            is genuine
        )
