"""Bodies behind a content coding are inflated as RFC 9110 has it, within limits."""

import gzip
import random
import time
import tracemalloc
import zlib
from collections.abc import Iterator

import pytest

from producers.content_encoding import Inflation, coding_of, inflated
from schemas.errors import Refusal

BODY = b'{"rows": [' + b", ".join(b'{"n": %d}' % n for n in range(6_000)) + b"]}"
MOST = 1 << 20


def raw_deflate(body: bytes) -> bytes:
    """Deflate without the two bytes of zlib's header, as some senders write it."""
    deflater = zlib.compressobj(wbits=-15)
    return deflater.compress(body) + deflater.flush()


def in_parts(sent: bytes, coding: str, size: int) -> bytes:
    """What an inflation gives that is fed parts of `size` bytes."""
    inflation = Inflation(coding, MOST)

    def parts() -> Iterator[bytes]:
        for start in range(0, len(sent), size):
            yield from inflation.feed(sent[start : start + size])
        inflation.end()

    return b"".join(parts())


SENT = {
    "gzip": ("gzip", gzip.compress(BODY)),
    "several members": (
        "gzip",
        gzip.compress(BODY[:7]) + gzip.compress(b"") + gzip.compress(BODY[7:]),
    ),
    "zeros behind it": ("gzip", gzip.compress(BODY) + b"\0" * 512),
    "zlib": ("deflate", zlib.compress(BODY)),
    "raw deflate": ("deflate", raw_deflate(BODY)),
    "stored": ("gzip", gzip.compress(BODY, 0)),
}


@pytest.mark.parametrize("kind", SENT)
def test_each_kind_is_inflated_whole_and_in_parts(kind: str) -> None:
    coding, sent = SENT[kind]
    assert inflated(sent, coding, MOST) == BODY
    for size in (3, 4096):
        assert in_parts(sent, coding, size) == BODY


@pytest.mark.parametrize(
    "header",
    [None, "", "identity", "Identity", " , identity", "UTF-8", "utf8", "us-ascii", "ISO-8859-1"],
)
def test_a_body_without_a_coding_is_as_it_was_sent(header: str | None) -> None:
    assert coding_of(header) is None


@pytest.mark.parametrize(
    ("header", "coding"),
    [
        ("gzip", "gzip"),
        ("X-GZip", "gzip"),
        ("deflate", "deflate"),
        ("identity, gzip", "gzip"),
        ("gzip, utf-8", "gzip"),
    ],
)
def test_the_codings_that_are_taken(header: str, coding: str) -> None:
    assert coding_of(header) == coding


@pytest.mark.parametrize(
    "header", ["br", "zstd", "gzip, gzip", "gzip\ndeflate", "compress", "x" * 5000]
)
def test_any_other_coding_is_refused_with_those_that_are_taken(header: str) -> None:
    with pytest.raises(Refusal) as refused:
        coding_of(header)
    assert refused.value.code == "unsupported_content_encoding"
    assert "gzip, deflate" in refused.value.message
    assert len(refused.value.message) < 300


@pytest.mark.parametrize("kind", SENT)
def test_what_ends_too_early_is_refused(kind: str) -> None:
    coding, sent = SENT[kind]
    sent = sent.rstrip(b"\0") if kind == "zeros behind it" else sent
    for end in (0, 1, 5, len(sent) // 2, len(sent) - 1):
        with pytest.raises(Refusal) as refused:
            inflated(sent[:end], coding, MOST)
        assert refused.value.code == "invalid_content_encoding"


@pytest.mark.parametrize(
    ("coding", "sent"),
    [
        ("gzip", BODY),
        ("deflate", b"{}"),
        ("gzip", zlib.compress(BODY)),
        ("gzip", gzip.compress(BODY) + b"x"),
        ("deflate", zlib.compress(BODY) + b"x"),
        ("gzip", gzip.compress(BODY)[:-8] + b"\0" * 8),
    ],
)
def test_what_is_not_of_its_coding_is_refused(coding: str, sent: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        inflated(sent, coding, MOST)
    assert refused.value.code == "invalid_content_encoding"


def test_a_body_is_bounded_by_its_inflated_size() -> None:
    assert len(inflated(gzip.compress(b"a" * MOST), "gzip", MOST)) == MOST
    with pytest.raises(Refusal) as refused:
        inflated(gzip.compress(b"a" * (MOST + 1)), "gzip", MOST)
    assert (refused.value.code, refused.value.details) == ("body_too_large", {"max_bytes": MOST})


def test_a_bomb_is_refused_by_its_ratio_in_little_memory() -> None:
    bomb = gzip.compress(b"\0" * (20 << 20))
    tracemalloc.start()
    try:
        inflation = Inflation("gzip", 1 << 30)
        with pytest.raises(Refusal) as refused:
            for _ in inflation.feed(bomb):
                pass
        assert tracemalloc.get_traced_memory()[1] < 2 << 20
    finally:
        tracemalloc.stop()
    assert (refused.value.code, refused.value.details) == ("body_too_large", {"max_ratio": 200})


def test_many_members_do_not_take_long() -> None:
    sent = gzip.compress(b"a") * (MOST // 21)
    began = time.thread_time()
    assert inflated(sent, "gzip", MOST) == b"a" * (MOST // 21)
    assert time.thread_time() - began < 2


def test_more_than_a_thousand_empty_members_in_a_row_are_refused() -> None:
    empty = gzip.compress(b"") * 1000
    assert inflated((empty + gzip.compress(b"a")) * 2 + empty, "gzip", MOST) == b"aa"
    with pytest.raises(Refusal) as refused:
        inflated(empty + gzip.compress(b""), "gzip", MOST)
    assert refused.value.code == "invalid_content_encoding"


def test_whatever_is_sent_gives_bytes_or_a_refusal() -> None:
    chance = random.Random(7)
    for coding, sent in SENT.values():
        for _ in range(20):
            damaged = bytearray(sent)
            for _ in range(chance.randint(1, 4)):
                damaged[chance.randrange(len(damaged))] = chance.randrange(256)
            assert _code_of(bytes(damaged), coding) in {
                None,
                "invalid_content_encoding",
                "body_too_large",
            }


def _code_of(body: bytes, coding: str) -> str | None:
    try:
        inflated(body, coding, MOST)
    except Refusal as refused:
        return refused.code
    return None
