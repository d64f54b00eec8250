"""The record that the door writes by hand is that of the model, byte for byte."""

import hashlib
from datetime import UTC, datetime
from uuid import UUID

from hypothesis import example, given
from hypothesis import strategies as st

from producers.webhooks.envelope import HttpRequest, entry
from producers.webhooks.normalize import INLINE_BYTES, acceptance
from producers.webhooks.sources.source import KnownSource
from producers.webhooks.verification import standard_webhooks
from producers.webhooks.verification.verdict import Genuine
from schemas.decode import read
from schemas.event import first
from schemas.log import LogEntry, entry_of, unpack_headers
from schemas.record import Record
from schemas.webhooks import WebhookReceived

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,99}", fullmatch=True)
# Whatever a header can hold: Latin-1.
LATIN = st.text(st.characters(max_codepoint=255), max_size=100)
TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
WHOLE = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ID = UUID("019aa000-0000-7000-8000-000000000001")


def source(name: str = "shop") -> KnownSource:
    return KnownSource(ID, ID, name, "standard_webhooks", (), standard_webhooks.verify)


def by_the_model(known: KnownSource, one: HttpRequest) -> LogEntry:
    data = WebhookReceived(
        request_id=one.request_id,
        source_id=known.id,
        source_name=known.name,
        scheme=known.scheme,
        external_id=one.external_id,
        content_type=one.content_type,
        size_bytes=one.size_bytes,
        sha256=one.sha256,
        body_encoding="text",
        body=one.body,
    )
    return entry_of(
        first(
            data,
            id=one.event_id,
            source=f"/headrace/hooks/{known.id}",
            subject=str(known.id),
            tenant=known.tenant,
            at=one.at,
            traceparent=one.traceparent,
        )
    )


@given(
    st.text(st.characters(exclude_categories=["Cs"])) | st.none(),
    st.none() | st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=256),
    LATIN,
    NAMES,
    TIMES,
    st.sampled_from([None, TRACE]),
    st.uuids(),
    st.uuids(),
)
@example('{"a": "\\ud83d\\u0000"}', "id", "application/json", "shop", WHOLE, None, ID, ID)
@example(
    "\x00\x1f\x7f\u2028\U0001f600",
    'a"\\b',
    "a/b",
    "a",
    WHOLE.replace(microsecond=120_000),
    TRACE,
    ID,
    ID,
)
def test_the_same_bytes(
    body: str | None,
    external_id: str | None,
    content_type: str,
    name: str,
    at: datetime,
    trace: str | None,
    request_id: UUID,
    event_id: UUID,
) -> None:
    one = HttpRequest(
        request_id, event_id, external_id, content_type, 7, "00", "text", body, at, trace
    )
    written = entry(source(name), one)
    assert written == by_the_model(source(name), one)


@given(st.binary(max_size=300), TIMES)
def test_what_was_sent_can_be_read_back(body: bytes, at: datetime) -> None:
    made = acceptance(
        source(),
        body,
        "application/json",
        Genuine("id"),
        request_id=ID,
        event_id=ID,
        now=at,
        traceparent=None,
    ).entry
    assert made.value is not None
    event = read(Record(made.topic, 0, 0, made.key, made.value, unpack_headers(made.headers), 0))
    assert isinstance(event.data, WebhookReceived)
    assert event.data.sha256 == hashlib.sha256(body).hexdigest()
    assert (event.data.body_encoding == "text") == _is_text(body)


@given(st.sampled_from(["x", '"', "\x01", "é", "\U0001f600"]), st.integers(1, 16))
def test_no_record_is_too_large_for_the_log(character: str, part: int) -> None:
    body = (character * (INLINE_BYTES // part)).encode()
    one = acceptance(
        source(),
        body,
        "a/b",
        Genuine("i" * 256),
        request_id=ID,
        event_id=ID,
        now=WHOLE,
        traceparent=TRACE,
    )
    assert one.claim is not None
    assert one.entry.size_bytes <= INLINE_BYTES
    assert one.claim.body_bytes == len(body)
    assert (one.claim.body_key is None) == (b'"body":null' not in (one.entry.value or b""))


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True
