"""What holds for every scheme: its own requests are genuine, under any live secret, within the
tolerance, once each.
"""

from datetime import timedelta

import pytest
from pydantic import BaseModel, ValidationError

from producers.webhooks.verification import schemes
from producers.webhooks.verification.headers import gathered
from producers.webhooks.verification.schemes import BY_NAME, SchemeName
from producers.webhooks.verification.verdict import Forged, Genuine
from tests.unit.verification.cases import (
    BODY,
    CASES,
    LATE,
    MESSAGE_ID,
    NOW,
    OTHER_RANDOM,
    RANDOM,
    TOLERANCE_SECONDS,
    Case,
    every_case,
    timed_case,
)

every_scheme = pytest.mark.parametrize("name", BY_NAME)


def test_every_scheme_has_a_case() -> None:
    assert {case.scheme for case in CASES.values()} == set(BY_NAME)


@every_case
def test_what_is_signed_is_genuine(case: Case) -> None:
    assert case.judge(BODY, case.sign()) == Genuine(case.external_id, signed_id=case.signed_id)


@every_case
def test_two_live_secrets(case: Case) -> None:
    for secrets in [
        (case.kept, case.other_kept),
        (case.other_kept, case.kept),
        ("", case.kept),
        ("\ud800", case.kept),
    ]:
        assert isinstance(case.judge(BODY, case.sign(), *secrets), Genuine)


@every_case
def test_no_other_secret(case: Case) -> None:
    for secret in (
        case.other_kept,
        "",
        " ",
        "\0",
        "\ud800",
        case.kept[:-1],
        case.kept + "A",
        "whpk_",
        "whsec_",
    ):
        assert isinstance(case.judge(BODY, case.sign(), secret), Forged)


@every_case
def test_without_secrets_nothing_is_genuine(case: Case) -> None:
    verify = BY_NAME[case.scheme].verifier(schemes.options_of(case.scheme, case.given))
    assert isinstance(
        verify(BODY, case.sign(), (), now=NOW, tolerance_seconds=TOLERANCE_SECONDS), Forged
    )


@every_case
def test_every_header_of_the_scheme_is_needed_once(case: Case) -> None:
    good = case.sign()
    unsigned_ids = {"x-id", "x-github-delivery", "x-shopify-webhook-id"}
    for name in good:
        without = {other: value for other, value in good.items() if other != name}
        if name in unsigned_ids:
            assert case.judge(BODY, without) == Genuine(None, signed_id=False)
        else:
            assert isinstance(case.judge(BODY, without), Forged)
        pairs = [(header.encode(), value.encode()) for header, value in good.items()]
        assert isinstance(
            case.judge(BODY, gathered([*pairs, (name.upper().encode(), good[name].encode())])),
            Forged,
        )
    assert isinstance(
        case.judge(BODY, gathered((k.title().encode(), v.encode()) for k, v in good.items())),
        Genuine,
    )


@timed_case
def test_the_tolerance_has_two_sides(case: Case) -> None:
    good = case.sign()
    for edge in (timedelta(seconds=TOLERANCE_SECONDS), -timedelta(seconds=TOLERANCE_SECONDS)):
        verdict = case.judge(BODY, good, now=NOW + edge)
        assert isinstance(verdict, Genuine)
        assert verdict.signed_at == NOW
    for moment in (NOW + LATE, NOW - LATE):
        verdict = case.judge(BODY, good, now=moment)
        assert isinstance(verdict, Forged)
        assert verdict.reason.endswith("is outside the tolerance")


@every_case
def test_only_a_signed_time_is_told(case: Case) -> None:
    verdict = case.judge(BODY, case.sign())
    assert isinstance(verdict, Genuine)
    assert (verdict.signed_at is not None) == (bool(case.signed) or case.scheme == "stripe")


@every_case
def test_signing_with_no_secret_is_refused(case: Case) -> None:
    signer = BY_NAME[case.scheme].signer(schemes.options_of(case.scheme, case.given))
    for secret in ("", "\ud800"):
        with pytest.raises(ValueError, match=r"\w"):
            signer(BODY, secret, message_id=MESSAGE_ID, now=NOW)


@every_scheme
def test_generated_secrets_pass_their_own_check(name: SchemeName) -> None:
    scheme = BY_NAME[name]
    secret = scheme.generate_secret(RANDOM)
    assert scheme.check_secret(secret) is None
    assert secret != scheme.generate_secret(OTHER_RANDOM)
    assert len(secret) <= 200


@every_scheme
@pytest.mark.parametrize(
    "secret", ["", "short", "\ud800" * 20, "a" * 20 + "\0", " " + "a" * 30, "x" * 5000, "\n" * 32]
)
def test_unusable_secrets_are_told(name: SchemeName, secret: str) -> None:
    error = BY_NAME[name].check_secret(secret)
    assert error
    assert secret not in error or not secret


@every_case
def test_kept_headers_hold_no_proof(case: Case) -> None:
    kept = BY_NAME[case.scheme].kept_headers(schemes.options_of(case.scheme, case.given))
    assert not {*case.signatures, "authorization", "x-webhook-password"} & set(kept)
    assert set(case.sign()) - {*case.signatures, "authorization", "x-webhook-password"} <= set(kept)


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("standard_webhooks", False),
        ("github", True),
        ("stripe", False),
        ("shopify", False),
        ("slack", True),
        ("hmac", True),
        ("password", True),
    ],
)
def test_content_types(name: SchemeName, form: bool) -> None:
    scheme = BY_NAME[name]
    assert scheme.accepts("application/json")
    assert scheme.accepts("application/cloudevents+json")
    assert scheme.accepts("application/x-www-form-urlencoded") is form
    assert not scheme.accepts("text/html")
    assert not scheme.accepts("")


@every_scheme
def test_unknown_options_are_refused(name: SchemeName) -> None:
    with pytest.raises(ValueError, match=r"no options|Extra inputs"):
        schemes.options_of(name, {"header": "X-A", "surprise": 1})


def test_options_are_the_model_of_the_scheme() -> None:
    for name, scheme in BY_NAME.items():
        given = {"header": "X-A"} if name == "hmac" else {}
        options = schemes.options_of(name, given)
        assert isinstance(options, scheme.options or type(None))
        if isinstance(options, BaseModel):
            assert schemes.options_of(name, options.model_dump(mode="json")) == options
    with pytest.raises(ValidationError):
        schemes.options_of("hmac", {})


@pytest.mark.parametrize("scheme", ["github", "stripe", "shopify", "slack", "hmac"])
def test_a_secret_of_eight_characters_is_taken_and_one_below_sixteen_warned_of(
    scheme: SchemeName,
) -> None:
    prefix = "whsec_" if scheme == "stripe" else ""
    known = BY_NAME[scheme]
    assert known.check_secret(prefix + "1234567") is not None
    for length, warned in ((8, True), (15, True), (16, False)):
        secret = prefix + "x" * length
        assert known.check_secret(secret) is None
        assert (known.warn_secret(secret) is not None) == warned
    assert known.warn_secret(known.generate_secret(RANDOM)) is None
