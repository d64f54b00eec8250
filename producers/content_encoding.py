"""Request bodies behind `Content-Encoding`: gzip and deflate, inflated within limits, as RFC
9110 has it.
"""

import zlib
from collections.abc import Generator, Iterator

from schemas.errors import Refusal

TAKEN = "gzip, deflate"
"""What `Accept-Encoding` of a refusal says."""
MOST_TIMES_LARGER = 200
"""Inflated bytes for each byte sent; JSON and CSV rarely pass 50, a bomb has about 1,000."""
FREE_BYTES = 1 << 20
"""Up to here the ratio says nothing: a small body of one repeated row is no bomb."""
STEP_BYTES = 64 << 10
SLICE_BYTES = 8 << 10
MOST_EMPTY_MEMBERS = 1000
"""In a row; each takes as long as one that holds something."""
_GZIP = frozenset({"gzip", "x-gzip"})
# Some senders name the charset here: the bytes are as they are.
_NO_CODING = frozenset({"", "identity", "utf-8", "utf8", "us-ascii", "iso-8859-1"})


def coding_of(header: str | None) -> str | None:
    """`gzip`, `deflate`, or None where the body is as it was sent; raises Refusal (415) for any
    other.

    `header` is the value of Content-Encoding; several headers of that name are joined by a comma or
    a line feed.
    """
    named = [one.strip().lower() for one in (header or "").replace("\n", ",").split(",")]
    codings = [one for one in named if one not in _NO_CODING]
    if not codings:
        return None
    if len(codings) == 1 and codings[0] in _GZIP:
        return "gzip"
    if codings == ["deflate"]:
        return "deflate"
    shown = ", ".join(codings)[:100]
    message = (
        f"Content-Encoding {shown!r} is not taken; send gzip, deflate, or the body without "
        "a coding."
    )
    raise Refusal("unsupported_content_encoding", message, taken=["gzip", "deflate", "identity"])


def inflated(body: bytes, coding: str, max_bytes: int) -> bytes:
    """A whole body without its coding; raises Refusal as `Inflation` does."""
    inflation = Inflation(coding, max_bytes)
    parts = [*inflation.feed(body)]
    inflation.end()
    return b"".join(parts)


class Inflation:
    """Inflates a body as it comes, in parts of at most 64 KiB; gzip may have several members.

    Raises Refusal: `invalid_content_encoding` where the bytes are not of the coding or end too
    early, `body_too_large` past `max_bytes` or where they grow more than 200 times.
    """

    def __init__(self, coding: str, max_bytes: int) -> None:
        self._coding = coding
        self._max_bytes = max_bytes
        self._inflater: zlib._Decompress | None = None
        self._start = b""
        self._taken = self._made = self._empty_members = 0
        self._complete = False

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The bytes that one more part of the body gives."""
        self._taken += len(chunk)
        # What is left behind a member is copied at its end: of a few kilobytes, whatever was fed.
        for start in range(0, len(chunk), SLICE_BYTES):
            yield from self._fed(chunk[start : start + SLICE_BYTES])

    def _fed(self, part: bytes) -> Iterator[bytes]:
        waiting = self._start + part
        self._start = b""
        while waiting:
            if self._inflater is None:
                waiting = self._begun(waiting)
                if self._inflater is None:
                    return
            waiting = yield from self._member(self._inflater, waiting)

    def end(self) -> None:
        """The body is at its end; raises Refusal where its coding is not."""
        if not self._complete or self._inflater is not None:
            raise self._broken("it ends too early")

    def _begun(self, waiting: bytes) -> bytes:
        """Begin a member with what waits; what is too short to tell is kept for the next part."""
        if self._complete:
            # Some writers fill a gzip file up with zeros; the body of one deflate stream is over.
            waiting = waiting.lstrip(b"\0") if self._coding == "gzip" else waiting
            if waiting and self._coding != "gzip":
                raise self._broken("something follows its end")
            if not waiting:
                return waiting
        if self._coding == "gzip":
            self._inflater = zlib.decompressobj(wbits=31)
        elif len(waiting) < 2:
            self._start = waiting
        else:
            # "deflate" means zlib's format; some senders leave its two bytes of header out.
            has_header = waiting[0] & 0x0F == 8 and int.from_bytes(waiting[:2], "big") % 31 == 0
            self._inflater = zlib.decompressobj(wbits=15 if has_header else -15)
        return waiting

    def _member(
        self, inflater: "zlib._Decompress", waiting: bytes
    ) -> Generator[bytes, None, bytes]:
        """What one member gives of what waits; returns what is left behind its end."""
        before = self._made
        while True:
            try:
                part = inflater.decompress(waiting, STEP_BYTES)
            except zlib.error as error:
                raise self._broken(str(error).partition(": ")[2] or "they are damaged") from None
            waiting = inflater.unconsumed_tail
            self._made += len(part)
            self._bound()
            if part:
                yield part
            if inflater.eof:
                self._ended(empty=self._made == before)
                return inflater.unused_data
            if not waiting and len(part) < STEP_BYTES:
                return b""

    def _ended(self, *, empty: bool) -> None:
        self._inflater, self._complete = None, True
        self._empty_members = self._empty_members + 1 if empty else 0
        if self._empty_members > MOST_EMPTY_MEMBERS:
            raise self._broken(f"it has more than {MOST_EMPTY_MEMBERS} empty members in a row")

    def _bound(self) -> None:
        if self._made > self._max_bytes:
            message = f"The body is more than {self._max_bytes} bytes without its coding."
            raise Refusal("body_too_large", message, max_bytes=self._max_bytes)
        if self._made > max(FREE_BYTES, self._taken * MOST_TIMES_LARGER):
            message = f"The body is more than {MOST_TIMES_LARGER} times larger without its coding."
            raise Refusal("body_too_large", message, max_ratio=MOST_TIMES_LARGER)

    def _broken(self, why: str) -> Refusal:
        message = f"The body is not {self._coding}, as its Content-Encoding says: {why}."
        return Refusal("invalid_content_encoding", message)
