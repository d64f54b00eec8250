"""A verified delivery becomes one event and one identity, and the event always fits on Kafka."""

import base64
import hashlib
import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.outbox.accept import Acceptance
from producers.webhooks.normalize import INLINE_BYTES, acceptance, body_key
from producers.webhooks.sources.source import KnownSource
from producers.webhooks.verification import standard_webhooks
from producers.webhooks.verification.verdict import Genuine
from schemas.log import unpack_headers
from tests.factories import new_id

MOST_EVENT_BYTES = 900 << 10  # what the log's check constraint lets in
NOW = datetime(2026, 3, 2, 9, 10, 0, tzinfo=UTC)
SOURCE = KnownSource(
    new_id(), new_id(), "nightly", "standard_webhooks", ("whsec_x",), standard_webhooks.verify
)
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def accepted(body: bytes, external_id: str | None = "msg_1", at: datetime = NOW) -> Acceptance:
    return acceptance(
        SOURCE,
        body,
        "application/json",
        Genuine(external_id),
        request_id=UUID(int=1),
        event_id=UUID(int=2),
        now=at,
        traceparent=TRACE,
    )


def data_of(one: Acceptance) -> dict[str, Any]:
    assert one.entry.value is not None
    data = json.loads(one.entry.value)["data"]
    assert isinstance(data, dict)
    return data


def test_text_stays_as_it_was_sent() -> None:
    body = '{"a": "ü", "b": "\\u0000"}\r\n'.encode()
    one = accepted(body)
    data = data_of(one)
    assert (data["body_encoding"], data["body"].encode()) == ("text", body)
    assert (data["size_bytes"], data["sha256"]) == (len(body), hashlib.sha256(body).hexdigest())
    assert (data["source_id"], data["source_name"]) == (str(SOURCE.id), "nightly")
    assert (data["request_id"], data["external_id"]) == (str(UUID(int=1)), "msg_1")


def test_the_event_is_the_sources_and_its_tenants() -> None:
    entry = accepted(b"{}").entry
    assert (entry.topic, entry.tenant, entry.aggregate) == (
        "headrace.webhooks",
        SOURCE.tenant,
        str(SOURCE.id),
    )
    assert (entry.key, entry.id) == (f"{SOURCE.tenant}:{SOURCE.id}".encode(), UUID(int=2))
    assert dict(unpack_headers(entry.headers))["traceparent"] == TRACE.encode()


def test_the_claim_holds_the_request() -> None:
    claim = accepted(b"{}").claim
    assert claim is not None
    assert (claim.source_id, claim.request_id, claim.external_id) == (
        SOURCE.id,
        UUID(int=1),
        "msg_1",
    )
    assert (claim.body_bytes, claim.body_hash) == (2, hashlib.sha256(b"{}").digest())
    assert claim.body_key is None


@given(st.binary(max_size=100))
def test_any_bytes_can_be_had_back(body: bytes) -> None:
    data = data_of(accepted(body))
    text = data["body"]
    assert (text.encode() if data["body_encoding"] == "text" else base64.b64decode(text)) == body


def test_what_is_not_text_goes_as_base64() -> None:
    data = data_of(accepted(b"\xff\x00\xfe"))
    assert (data["body_encoding"], data["body"]) == (
        "base64",
        base64.b64encode(b"\xff\x00\xfe").decode(),
    )


BULKY = {
    "ascii": b"a",
    "quotes": b'"',
    "control": b"\x01",
    "two bytes": "ü".encode(),
    "four bytes": "😀".encode(),
    "not text": b"\xff",
}


@pytest.mark.parametrize("piece", BULKY.values(), ids=BULKY.keys())
@pytest.mark.parametrize(
    "size", [INLINE_BYTES // 6, INLINE_BYTES // 2, INLINE_BYTES, INLINE_BYTES + 8, 1 << 20]
)
def test_an_event_is_always_below_900_kib(piece: bytes, size: int) -> None:
    body = piece * (size // len(piece))
    one = accepted(body, external_id="m" * 256)
    assert one.entry.size_bytes < MOST_EVENT_BYTES
    assert one.claim is not None
    data = data_of(one)
    stored = (
        body_key(SOURCE.tenant, NOW, UUID(int=1)) if data["body_encoding"] == "reference" else None
    )
    assert (one.claim.body_key, one.claim.body_bytes) == (stored, len(body))
    if data["body_encoding"] == "reference":
        assert data["body"] is None
        assert data["sha256"] == hashlib.sha256(body).hexdigest()


def test_a_large_body_is_inline_as_long_as_it_fits() -> None:
    assert data_of(accepted(b"a" * (INLINE_BYTES - 4096)))["body_encoding"] == "text"
    assert data_of(accepted(b"a" * (INLINE_BYTES + 1)))["body_encoding"] == "reference"
