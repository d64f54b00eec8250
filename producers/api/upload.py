"""The bytes of an upload as they come in: multipart with `name` and `file`, or the raw body."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from urllib.parse import unquote

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from producers.content_encoding import STEP_BYTES, Inflation
from schemas.errors import Refusal

MOST_FIELD_BYTES = 1000
MOST_FIELDS = 20
# Fields that may name every column.
LONG_FIELDS = ("missing", "types")
MOST_LONG_FIELD_BYTES = 256 << 10


async def limited(chunks: AsyncIterator[bytes], max_bytes: int) -> AsyncIterator[bytes]:
    """The same bytes; raises Refusal `body_too_large` past the limit."""
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > max_bytes:
            raise Refusal(
                "body_too_large", f"A dataset is at most {max_bytes} bytes.", max_bytes=max_bytes
            )
        if chunk:
            yield chunk


async def inflating(
    chunks: AsyncIterator[bytes], coding: str, max_bytes: int
) -> AsyncIterator[bytes]:
    """The bytes without their content coding, in parts of at most 128 KiB; raises Refusal.

    A thread inflates, one part after the other: the event loop serves others meanwhile.
    """
    inflation = Inflation(coding, max_bytes)
    async for chunk in chunks:
        parts = inflation.feed(chunk)
        size = STEP_BYTES
        while size >= STEP_BYTES:
            part = await asyncio.to_thread(_next_of, parts)
            size = len(part)
            if part:
                yield part
    inflation.end()


def _next_of(parts: Iterator[bytes]) -> bytes:
    """The next 64 KiB or a little more; less at their end."""
    taken = bytearray()
    for part in parts:
        taken += part
        if len(taken) >= STEP_BYTES:
            break
    return bytes(taken)


class Multipart:
    """A form with the text field `name` and one `file`, parsed as it streams.

    Nothing is kept but what is passed on.
    """

    def __init__(self, content_type: str, chunks: AsyncIterator[bytes]) -> None:
        _, options = parse_options_header(content_type)
        boundary = options.get(b"boundary")
        if not boundary:
            raise Refusal("invalid_multipart", "The multipart content type has no boundary.")
        self._chunks = chunks
        self._out: list[bytes] = []
        self._field = ""
        self._header = b""
        self._value = b""
        self._headers: dict[str, bytes] = {}
        self._ended = False
        self.fields: dict[str, str] = {}
        self.values: dict[str, list[str]] = {}
        self._parts = 0
        self.file_seen = False
        self._text = b""
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._part_begin,
                "on_header_field": self._on_header,
                "on_header_value": self._on_value,
                "on_header_end": self._header_end,
                "on_headers_finished": self._headers_done,
                "on_part_data": self._data,
                "on_part_end": self._part_end,
                "on_end": self._end,
            },
        )

    async def file(self) -> AsyncIterator[bytes]:
        """The bytes of the part `file`; `fields` is complete when this ends.

        Raises Refusal on a broken form.
        """
        async for chunk in self._chunks:
            try:
                self._parser.write(chunk)
            except FormParserError as error:
                raise Refusal(
                    "invalid_multipart", f"The multipart body is broken: {error}"
                ) from None
            for fragment in self._out:
                yield fragment
            self._out.clear()
        if not self._ended:
            raise Refusal("invalid_multipart", "The multipart body ends before its last boundary.")
        if not self.file_seen:
            raise Refusal(
                "missing_file",
                "The form has no part named file: curl -F name=wine -F file=@wine.csv",
            )

    def _part_begin(self) -> None:
        self._headers, self._text, self._header, self._value = {}, b"", b"", b""

    def _on_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self._headers[self._header.decode("latin-1").lower()] = self._value
        self._header, self._value = b"", b""

    def _headers_done(self) -> None:
        _, options = parse_options_header(self._headers.get("content-disposition", b""))
        self._field = unquote(options.get(b"name", b"").decode(errors="replace"))
        if self._field == "file":
            if self.file_seen:
                raise Refusal("invalid_multipart", "The form has more than one part named file.")
            self.file_seen = True

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._field == "file":
            self._out.append(data[start:end])
            return
        self._text += data[start:end]
        if len(self._text) > (
            MOST_LONG_FIELD_BYTES if self._field in LONG_FIELDS else MOST_FIELD_BYTES
        ):
            raise Refusal("invalid_multipart", f"The form field {self._field[:50]!r} is too long.")

    def _part_end(self) -> None:
        if self._field != "file":
            if self._parts == MOST_FIELDS:
                raise Refusal("invalid_multipart", f"The form has more than {MOST_FIELDS} fields.")
            self._parts += 1
            self.fields[self._field] = self._text.decode(errors="replace")
            self.values.setdefault(self._field, []).append(self.fields[self._field])

    def _end(self) -> None:
        self._ended = True
