"""One good request of each scheme and of each way to set it up: what a test then spoils."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from producers.webhooks.verification import schemes, standard_webhooks
from producers.webhooks.verification.schemes import BY_NAME, SchemeName
from producers.webhooks.verification.verdict import Forged, Genuine

NOW = datetime(2026, 3, 2, 9, 14, 7, tzinfo=UTC)
TOLERANCE_SECONDS = 300
MESSAGE_ID = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W"
BODY = json.dumps(
    {"id": MESSAGE_ID, "event_id": MESSAGE_ID, "data": {"ids": ["é", MESSAGE_ID]}}
).encode()
RANDOM = bytes(range(32))
OTHER_RANDOM = bytes(range(1, 33))
PRIVATE, PUBLIC = standard_webhooks.key_pair_from(RANDOM)
OTHER_PUBLIC = standard_webhooks.key_pair_from(OTHER_RANDOM)[1]


@dataclass(frozen=True)
class Case:
    """A scheme as a source sets it up; `signatures` and `signed` are the headers that a flipped
    bit must spoil.
    """

    scheme: SchemeName
    given: Mapping[str, Any]
    signatures: tuple[str, ...]
    signed: tuple[str, ...] = ()
    covers_body: bool = True
    external_id: str | None = MESSAGE_ID
    signed_id: bool = True
    signing: str | None = None
    live: str | None = None
    other: str | None = None

    @property
    def secret(self) -> str:
        """What the sender holds."""
        return self.signing or BY_NAME[self.scheme].generate_secret(RANDOM)

    @property
    def kept(self) -> str:
        """What the source keeps of it."""
        return self.live or BY_NAME[self.scheme].kept_secret(self.secret)

    @property
    def other_kept(self) -> str:
        """Another source's secret."""
        return self.other or BY_NAME[self.scheme].kept_secret(
            BY_NAME[self.scheme].generate_secret(OTHER_RANDOM)
        )

    def sign(
        self, body: bytes = BODY, *, now: datetime = NOW, message_id: str = MESSAGE_ID
    ) -> dict[str, str]:
        """The headers of a good request."""
        options = schemes.options_of(self.scheme, self.given)
        return BY_NAME[self.scheme].signer(options)(
            body, self.secret, message_id=message_id, now=now
        )

    def judge(
        self, body: bytes, headers: Mapping[str, str], *secrets: str, now: datetime = NOW
    ) -> Genuine | Forged:
        """The verdict; with the source's own secret if none is given."""
        verify = BY_NAME[self.scheme].verifier(schemes.options_of(self.scheme, self.given))
        return verify(
            body, headers, secrets or (self.kept,), now=now, tolerance_seconds=TOLERANCE_SECONDS
        )


def _hmac(*signed: str, **given: Any) -> Case:
    in_body = "id_path" in given
    known = in_body or "id_header" in given
    return Case(
        "hmac",
        {"header": "X-Signature", **given},
        ("x-signature",),
        signed,
        external_id=MESSAGE_ID if known else None,
        signed_id=in_body,
    )


_STANDARD = ("webhook-signature",), ("webhook-id", "webhook-timestamp")
_TIMED = {"timestamp_header": "X-Time", "signed": "{timestamp}.{body}"}
CASES = {
    "standard v1": Case("standard_webhooks", {}, *_STANDARD),
    "standard v1a": Case(
        "standard_webhooks", {}, *_STANDARD, signing=PRIVATE, live=PUBLIC, other=OTHER_PUBLIC
    ),
    "github": Case("github", {}, ("x-hub-signature-256",), signed_id=False),
    "stripe": Case("stripe", {}, ("stripe-signature",)),
    "shopify": Case("shopify", {}, ("x-shopify-hmac-sha256",), signed_id=False),
    "slack": Case("slack", {}, ("x-slack-signature",), ("x-slack-request-timestamp",)),
    "hmac bare": _hmac(),
    "hmac sha1": _hmac(algorithm="sha1", prefix="sha1=", id_header="X-Id"),
    "hmac sha512": _hmac(algorithm="sha512", encoding="base64", id_path="data.ids[1]"),
    "hmac timed": _hmac("x-time", **_TIMED, id_path="missing || id"),
    "hmac in milliseconds": _hmac(
        "x-time", **_TIMED, timestamp_format="milliseconds", prefix="HMAC "
    ),
    "hmac in words": _hmac(
        "x-time",
        timestamp_header="X-Time",
        timestamp_format="rfc3339",
        signed="{timestamp}{body}",
        encoding="base64",
    ),
    "password": Case(
        "password",
        {},
        ("x-webhook-password",),
        covers_body=False,
        external_id=None,
        signed_id=False,
    ),
    "password bearer": Case(
        "password",
        {"shown_as": "bearer", "id_header": "X-Id"},
        (),
        covers_body=False,
        signed_id=False,
    ),
    "password basic": Case(
        "password", {"shown_as": "basic", "id_path": "id"}, (), covers_body=False, signed_id=False
    ),
}
every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
timed_case = pytest.mark.parametrize(
    "case",
    [case for case in CASES.values() if case.signed or case.scheme == "stripe"],
    ids=[name for name, case in CASES.items() if case.signed or case.scheme == "stripe"],
)
LATE = timedelta(seconds=TOLERANCE_SECONDS, microseconds=1)
