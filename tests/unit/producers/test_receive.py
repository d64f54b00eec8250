"""A verified delivery becomes one event and one identity, and the event always fits on Kafka."""

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.outbox.accept import Acceptance
from producers.webhooks.receive import IDENTITY_WINDOW_SECONDS, INLINE_BYTES, acceptance, identity
from producers.webhooks.sources.source import KnownSource
from schemas.log import unpack_headers
from tests.factories import new_id

MOST_EVENT_BYTES = 900 << 10  # what the log's check constraint lets in
NOW = datetime(2026, 3, 2, 9, 10, 0, tzinfo=UTC)
SOURCE = KnownSource(new_id(), new_id(), "nightly", "standard_webhooks", ("whsec_x",))
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def accepted(body: bytes, external_id: str | None = "msg_1", at: datetime = NOW) -> Acceptance:
    return acceptance(
        SOURCE, body, "application/json", external_id, request_id=UUID(int=1), event_id=UUID(int=2), now=at,
        traceparent=TRACE,
    )  # fmt: skip


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
    assert (entry.topic, entry.tenant, entry.aggregate) == ("headrace.webhooks", SOURCE.tenant, str(SOURCE.id))
    assert (entry.key, entry.id) == (f"{SOURCE.tenant}:{SOURCE.id}".encode(), UUID(int=2))
    assert dict(unpack_headers(entry.headers))["traceparent"] == TRACE.encode()


def test_the_claim_holds_the_request() -> None:
    claim = accepted(b"{}").claim
    assert claim is not None
    assert (claim.source_id, claim.request_id, claim.external_id) == (SOURCE.id, UUID(int=1), "msg_1")
    assert (claim.body, claim.body_hash) == (b"{}", hashlib.sha256(b"{}").digest())


@given(st.binary(max_size=100))
def test_any_bytes_can_be_had_back(body: bytes) -> None:
    data = data_of(accepted(body))
    text = data["body"]
    assert (text.encode() if data["body_encoding"] == "text" else base64.b64decode(text)) == body


def test_what_is_not_text_goes_as_base64() -> None:
    data = data_of(accepted(b"\xff\x00\xfe"))
    assert (data["body_encoding"], data["body"]) == ("base64", base64.b64encode(b"\xff\x00\xfe").decode())


BULKY = {
    "ascii": b"a", "quotes": b'"', "control": b"\x01", "two bytes": "ü".encode(), "four bytes": "😀".encode(),
    "not text": b"\xff",
}  # fmt: skip


@pytest.mark.parametrize("piece", BULKY.values(), ids=BULKY.keys())
@pytest.mark.parametrize("size", [INLINE_BYTES // 6, INLINE_BYTES // 2, INLINE_BYTES, INLINE_BYTES + 8, 1 << 20])
def test_an_event_is_always_below_900_kib(piece: bytes, size: int) -> None:
    body = piece * (size // len(piece))
    one = accepted(body, external_id="m" * 256)
    assert one.entry.size_bytes < MOST_EVENT_BYTES
    assert one.claim is not None
    assert one.claim.body == body
    data = data_of(one)
    if data["body_encoding"] == "reference":
        assert data["body"] is None
        assert data["sha256"] == hashlib.sha256(body).hexdigest()


def test_a_large_body_is_inline_as_long_as_it_fits() -> None:
    assert data_of(accepted(b"a" * (INLINE_BYTES - 4096)))["body_encoding"] == "text"
    assert data_of(accepted(b"a" * (INLINE_BYTES + 1)))["body_encoding"] == "reference"


def test_the_senders_id_is_the_identity() -> None:
    digest = hashlib.sha256(b"{}").digest()
    one = identity("msg_1", digest, NOW)
    assert one == identity("msg_1", hashlib.sha256(b"other").digest(), NOW + timedelta(days=9))
    assert one != identity("msg_2", digest, NOW)
    assert len(one) == 32


def test_without_an_id_the_body_is_the_identity_for_ten_minutes() -> None:
    digest = hashlib.sha256(b"{}").digest()
    one = identity(None, digest, NOW)
    window = timedelta(seconds=IDENTITY_WINDOW_SECONDS)
    assert one == identity(None, digest, NOW + window - timedelta(microseconds=1))
    assert one != identity(None, digest, NOW + window)
    assert one != identity(None, digest, NOW - timedelta(microseconds=1))
    assert one != identity(None, hashlib.sha256(b"{ }").digest(), NOW)


@pytest.mark.parametrize("pretext", ["body\x00{}\x00", "id\x00{}\x00", "{}\x00", ""])
def test_an_id_never_looks_like_a_body(pretext: str) -> None:
    window = int(NOW.timestamp()) // IDENTITY_WINDOW_SECONDS
    assert identity(pretext.format(window) + "h" * 32, b"", NOW) != identity(None, b"h" * 32, NOW)
