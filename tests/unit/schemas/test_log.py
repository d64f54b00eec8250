"""Headers in the log, byte for byte, and the row of an event."""

from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from schemas.log import entry_of, pack_headers, unpack_headers
from schemas.webhooks import WebhookReceived
from tests.factories import door_event

NAMES = st.text(st.characters(codec="utf-8"), max_size=10)


@given(st.lists(st.tuples(NAMES, st.binary(max_size=20))))
def test_any_header_bytes_come_back(headers: list[tuple[str, bytes]]) -> None:
    assert unpack_headers(pack_headers(headers)) == tuple(headers)


def test_every_byte_value_is_kept() -> None:
    every = bytes(range(256))
    packed = pack_headers([("x", every)])
    assert packed.isascii()
    assert unpack_headers(packed) == (("x", every),)


def test_the_row_of_an_event_is_the_event() -> None:
    data = WebhookReceived(
        request_id=uuid4(),
        source_id=uuid4(),
        source_name="nightly",
        scheme="standard_webhooks",
        external_id=None,
        content_type="application/json",
        size_bytes=2,
        sha256="00",
        body_encoding="text",
        body="{}",
    )
    event = door_event(data, data.source_id)
    entry = entry_of(event)
    assert (entry.topic, entry.key, entry.value) == ("headrace.webhooks", event.key, event.encode())
    assert unpack_headers(entry.headers) == event.headers()
    assert (entry.id, entry.type, entry.tenant) == (event.id, "webhook.received", event.tenantid)
    assert (entry.aggregate, entry.version, entry.correlation) == (str(data.source_id), 0, event.id)
    assert (entry.time, entry.is_copy) == (event.time, False)
    assert entry.size_bytes == len(event.encode()) + len(entry.headers) + len(event.key)
