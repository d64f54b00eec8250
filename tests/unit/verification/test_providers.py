"""The examples that providers and their libraries publish."""

import base64
import json
from datetime import UTC, datetime
from types import ModuleType

import pytest

from producers.webhooks.verification import github, shopify, slack, standard_webhooks, stripe
from producers.webhooks.verification.verdict import Forged, Genuine


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


# Standard Webhooks: the tests of its reference libraries
VECTOR_BODY = b'{"test": 2432232314}'
VECTOR_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
VECTOR_SECONDS = 1614265330
V1_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
V1 = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
V1A_SECRET = "whsk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk="
V1A = "v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5WqyeFiL8Ag=="
V1A_PUBLIC = standard_webhooks.key_pair_from(b"TESTSIGNINGKEYDONOTUSETHISFORANY")[1]


@pytest.mark.parametrize(
    ("private", "live", "shown"), [(V1_SECRET, V1_SECRET, V1), (V1A_SECRET, V1A_PUBLIC, V1A)]
)
@pytest.mark.parametrize("family", ["webhook", "svix"])
def test_standard_webhooks(private: str, live: str, shown: str, family: str) -> None:
    headers = standard_webhooks.sign(
        VECTOR_BODY, private, message_id=VECTOR_ID, now=at(VECTOR_SECONDS)
    )
    assert headers["webhook-signature"] == shown
    named = {name.replace("webhook", family): value for name, value in headers.items()}
    verdict = standard_webhooks.verify(
        VECTOR_BODY, named, [live], now=at(VECTOR_SECONDS + 7), tolerance_seconds=300
    )
    assert verdict == Genuine(VECTOR_ID)
    assert isinstance(verdict, Genuine)
    assert verdict.signed_at == at(VECTOR_SECONDS)


@pytest.mark.parametrize(
    "shown", [f"{V1} {V1A}", f"{V1A} {V1}", f"v1,AAAA v1a,AAAA v2,? {V1A}  {V1} "]
)
@pytest.mark.parametrize("live", [V1_SECRET, V1A_PUBLIC])
def test_standard_webhooks_with_several_signatures(live: str, shown: str) -> None:
    headers = {
        "webhook-id": VECTOR_ID,
        "webhook-timestamp": str(VECTOR_SECONDS),
        "webhook-signature": shown,
    }
    verdict = standard_webhooks.verify(
        VECTOR_BODY, headers, [live], now=at(VECTOR_SECONDS), tolerance_seconds=300
    )
    assert verdict == Genuine(VECTOR_ID)


def test_standard_webhooks_ids_have_no_full_stop() -> None:
    # The specification: a full stop in the id or the time would let one be read as the other.
    for odd in ("msg.1", "msg 1", "m" * 257, ""):
        headers = standard_webhooks.sign(VECTOR_BODY, V1_SECRET, message_id=odd, now=at(7))
        verdict = standard_webhooks.verify(
            VECTOR_BODY, headers, [V1_SECRET], now=at(7), tolerance_seconds=300
        )
        assert isinstance(verdict, Forged)


def test_standard_webhooks_families_are_not_mixed() -> None:
    good = standard_webhooks.sign(VECTOR_BODY, V1_SECRET, message_id=VECTOR_ID, now=at(7))
    svix = {name.replace("webhook", "svix"): value for name, value in good.items()}

    def judge(headers: dict[str, str]) -> Genuine | Forged:
        return standard_webhooks.verify(
            VECTOR_BODY, headers, [V1_SECRET], now=at(7), tolerance_seconds=300
        )

    assert judge({**dict.fromkeys(svix, "other"), **good}) == Genuine(VECTOR_ID)
    assert isinstance(judge({**svix, "webhook-id": "other"}), Forged)
    for name in good:
        without = {other: value for other, value in good.items() if other != name}
        assert isinstance(judge({**without, name.replace("webhook", "svix"): good[name]}), Forged)


def test_a_public_key_is_no_shared_secret() -> None:
    forged = "whsec_" + V1A_PUBLIC.removeprefix("whpk_")
    headers = standard_webhooks.sign(VECTOR_BODY, forged, message_id=VECTOR_ID, now=at(7))
    assert isinstance(
        standard_webhooks.verify(
            VECTOR_BODY, headers, [V1A_PUBLIC], now=at(7), tolerance_seconds=300
        ),
        Forged,
    )


@pytest.mark.parametrize(
    ("secret", "part"),
    [
        (V1A_SECRET, "stays with the sender"),
        ("whpk_", "32 bytes"),
        (V1A_PUBLIC[:-4], "32 bytes"),
        ("whsec_AAAA", "24"),
    ],
)
def test_standard_webhooks_secrets_are_told_apart(secret: str, part: str) -> None:
    assert part in (standard_webhooks.secret_error(secret) or "")
    assert standard_webhooks.secret_error(V1A_PUBLIC) is None


def test_a_private_key_may_hold_the_public_one_too() -> None:
    both = base64.b64decode(V1A_SECRET.removeprefix("whsk_")) + base64.b64decode(
        V1A_PUBLIC.removeprefix("whpk_")
    )
    private = "whsk_" + base64.b64encode(both).decode()
    headers = standard_webhooks.sign(
        VECTOR_BODY, private, message_id=VECTOR_ID, now=at(VECTOR_SECONDS)
    )
    assert headers["webhook-signature"] == V1A


@pytest.mark.parametrize("provider", [github, slack])
def test_the_version_of_a_signature_is_part_of_it(provider: ModuleType) -> None:
    headers = provider.sign(b"{}", SLACK_SECRET, message_id="1", now=at(7))
    name = provider.SIGNATURE
    for spoiled in (
        headers[name].removeprefix(provider.PREFIX),
        "sha1=" + headers[name].removeprefix(provider.PREFIX),
    ):
        verdict = provider.verify(
            b"{}", {**headers, name: spoiled}, [SLACK_SECRET], now=at(7), tolerance_seconds=300
        )
        assert isinstance(verdict, Forged)


def test_github() -> None:
    # docs.github.com, "Validating webhook deliveries", "Testing the webhook payload validation"
    secret, body = "It's a Secret to Everybody", b"Hello, World!"
    shown = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    headers = github.sign(
        body, secret, message_id="72d3162e-cc78-11e3-81ab-4c9367dc0958", now=at(0)
    )
    assert headers["x-hub-signature-256"] == shown
    verdict = github.verify(body, headers, [secret], now=at(0), tolerance_seconds=300)
    assert verdict == Genuine("72d3162e-cc78-11e3-81ab-4c9367dc0958", signed_id=False)


SLACK_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"


def test_slack() -> None:
    # docs.slack.dev, "Verifying requests from Slack"
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    headers = {
        "x-slack-request-timestamp": "1531420618",
        "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
    }
    assert slack.sign(body, SLACK_SECRET, message_id="", now=at(1531420618)) == headers
    verdict = slack.verify(body, headers, [SLACK_SECRET], now=at(1531420620), tolerance_seconds=300)
    assert verdict == Genuine(None)


def _from_slack(document: object) -> Genuine | Forged:
    body = json.dumps(document).encode()
    headers = slack.sign(body, SLACK_SECRET, message_id="", now=at(1531420618))
    return slack.verify(body, headers, [SLACK_SECRET], now=at(1531420618), tolerance_seconds=300)


def test_slack_challenge() -> None:
    # docs.slack.dev, the url_verification event
    challenge = "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"
    asked = {
        "token": "Jhj5dZrVaK7ZwHHjRyZWjbDl",
        "challenge": challenge,
        "type": "url_verification",
    }
    assert _from_slack(asked) == Genuine(None, challenge=challenge)
    for odd in (None, 7, "", "a\nb", "é", "x" * 1025):
        assert _from_slack({**asked, "challenge": odd}) == Genuine(None)
    headers = {"x-slack-request-timestamp": "1531420618", "x-slack-signature": "v0=" + "0" * 64}
    forged = slack.verify(
        json.dumps(asked).encode(),
        headers,
        [SLACK_SECRET],
        now=at(1531420618),
        tolerance_seconds=300,
    )
    assert isinstance(forged, Forged)


def test_slack_event() -> None:
    event = {
        "type": "event_callback",
        "event_id": "Ev08MFMKH6",
        "event": {"type": "app_mention"},
        "challenge": "no",
    }
    assert _from_slack(event) == Genuine("Ev08MFMKH6")


# Stripe: the payload and the secret are those of the tests of stripe-python
STRIPE_SECRET = "whsec_test_secret"
STRIPE_BODY = b"""{
  "id": "evt_test_webhook",
  "object": "event",
  "data": { "object": { "id": "rdr_123", "object": "terminal.reader" } }
}"""
# HMAC-SHA256 of "1492774577." and the body, as openssl has it
STRIPE_V1 = "d21d91b425674689e03346536b8fec6384a8721d43ebe269a1689a3ad22cba9c"
# docs.stripe.com, "Verify webhook signatures manually"; its secret is not published
DOCUMENTED = (
    "t=1492774577,v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd,"
    "v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39"
)


@pytest.mark.parametrize(
    ("shown", "genuine"),
    [
        (f"t=1492774577,v1={STRIPE_V1}", True),
        (f"{DOCUMENTED},v1={STRIPE_V1}", True),
        (f"v1={STRIPE_V1},t=1492774577", True),
        (f"t=1492774577,v0={STRIPE_V1}", False),
        (f"t=1492774577,t=1492774577,v1={STRIPE_V1}", False),
        (f"t=1492774577, v1={STRIPE_V1}", False),
        (f"t=1492774577,v1={STRIPE_V1},", False),
        (f"t=1492774577,v1={STRIPE_V1.upper()}", False),
        (f"t=1492774577,v1={STRIPE_V1}=", False),
        (f"v1={STRIPE_V1}", False),
        ("t=1492774577," + "v1=0," * 20 + f"v1={STRIPE_V1}", False),
        ("t=1492774577", False),
        (DOCUMENTED, False),
        ("i'm not even a real signature header", False),
        ("", False),
    ],
)
def test_stripe(shown: str, genuine: bool) -> None:
    verdict = stripe.verify(
        STRIPE_BODY,
        {"stripe-signature": shown},
        [STRIPE_SECRET],
        now=at(1492774600),
        tolerance_seconds=300,
    )
    assert isinstance(verdict, Genuine) is genuine
    if genuine:
        assert verdict == Genuine("evt_test_webhook")


def test_shopify() -> None:
    # The digest is openssl's: `openssl dgst -sha256 -hmac hush… -binary | base64`
    secret, body = "hushhushhushhush", b'{"id":820982911946154508,"email":"jon@example.com"}'
    headers = {
        "x-shopify-hmac-sha256": "4aWWnRzOF/WxB7iAYy0bLkb9CG//XWKju/vcys2j5CY=",
        "x-shopify-webhook-id": "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
    }
    assert (
        shopify.sign(body, secret, message_id="b54557e4-bdd9-4b37-8a5f-bf7d70bcd043", now=at(0))
        == headers
    )
    verdict = shopify.verify(body, headers, [secret], now=at(0), tolerance_seconds=300)
    assert verdict == Genuine("b54557e4-bdd9-4b37-8a5f-bf7d70bcd043", signed_id=False)
