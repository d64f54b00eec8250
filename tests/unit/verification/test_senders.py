"""The official libraries, as senders, are accepted as they are."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slack_sdk.signature import SignatureVerifier
from standardwebhooks import Webhook as StandardWebhook
from stripe import WebhookSignature
from svix.webhooks import Webhook as SvixWebhook

from producers.webhooks.verification import slack, standard_webhooks, stripe
from producers.webhooks.verification.verdict import Genuine
from tests.unit.verification.cases import MESSAGE_ID, NOW, TOLERANCE_SECONDS

STAMP = str(int(NOW.timestamp()))
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=50)
ids = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=256)
secrets = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=16, max_size=64)


@settings(max_examples=25, deadline=None)
@given(texts, st.binary(min_size=24, max_size=64))
@pytest.mark.parametrize("family", ["webhook", "svix"])
def test_standardwebhooks_and_svix(family: str, body: str, key: bytes) -> None:
    secret = standard_webhooks.secret_from(key)
    library = SvixWebhook(secret) if family == "svix" else StandardWebhook(secret)
    headers = {
        f"{family}-id": MESSAGE_ID,
        f"{family}-timestamp": STAMP,
        f"{family}-signature": library.sign(MESSAGE_ID, NOW, body),
    }
    verdict = standard_webhooks.verify(
        body.encode(), headers, [secret], now=NOW, tolerance_seconds=TOLERANCE_SECONDS
    )
    assert verdict == Genuine(MESSAGE_ID)


@settings(max_examples=25, deadline=None)
@given(ids, secrets)
def test_stripe(event_id: str, secret: str) -> None:
    body = json.dumps({"id": event_id, "object": "event"}, indent=2)
    shown = WebhookSignature.generate_signature_header(body, secret, timestamp=int(STAMP))
    verdict = stripe.verify(
        body.encode(),
        {"stripe-signature": shown},
        [secret],
        now=NOW,
        tolerance_seconds=TOLERANCE_SECONDS,
    )
    assert verdict == Genuine(event_id)


@settings(max_examples=25, deadline=None)
@given(ids, secrets)
def test_slack(event_id: str, secret: str) -> None:
    body = json.dumps({"type": "event_callback", "event_id": event_id}).encode()
    shown = SignatureVerifier(secret).generate_signature(timestamp=STAMP, body=body)
    assert shown is not None
    headers = {"x-slack-request-timestamp": STAMP, "x-slack-signature": shown}
    verdict = slack.verify(body, headers, [secret], now=NOW, tolerance_seconds=TOLERANCE_SECONDS)
    assert verdict == Genuine(event_id)


def test_what_we_sign_they_accept() -> None:
    now, body = datetime.now(UTC), b'{"id": "evt_1"}'
    secret = standard_webhooks.secret_from(bytes(32))
    headers = standard_webhooks.sign(body, secret, message_id=MESSAGE_ID, now=now)
    StandardWebhook(secret).verify(body, headers)
    SvixWebhook(secret).verify(body, headers)
    text = "a signing secret"
    shown = stripe.sign(body, text, message_id="", now=now)["stripe-signature"]
    assert WebhookSignature.verify_header(body, shown, text, tolerance=TOLERANCE_SECONDS)
    assert SignatureVerifier(text).is_valid_request(
        body, slack.sign(body, text, message_id="", now=now)
    )
