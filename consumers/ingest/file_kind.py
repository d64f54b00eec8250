"""The kind of a file that is no CSV, by its first bytes, so that a refusal names the real fault."""

from __future__ import annotations

import codecs
import re

HEAD_BYTES = 4096
SAMPLED_BYTES = 200
MOSTLY = 0.8
_OBJECTS = re.compile(rb'\{\s*"|\[\s*[{["]')
_UNPACK = "unpack it and upload the CSV file in it"
_SAVE = "save the table as CSV (UTF-8)"
_CONVERT = "save it as CSV in UTF-8"

_BEGINNINGS: tuple[tuple[bytes, str, str], ...] = (
    (
        b"\x1f\x8b",
        "a gzip file",
        "unpack it, or send it with the header Content-Encoding: gzip",
    ),
    (b"PAR1", "a Parquet file", _SAVE),
    (b"ARROW1", "an Arrow file", _SAVE),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel workbook (.xls)", _SAVE),
    (b"BZh", "a bzip2 file", _UNPACK),
    (b"\xfd7zXZ\0", "an xz file", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACK),
    (b"Rar!\x1a\x07", "a RAR archive", _UNPACK),
    (b"%PDF-", "a PDF document", _SAVE),
    (b"SQLite format 3\0", "an SQLite database", _SAVE),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", _SAVE),
    (b"\xff\xfe\0\0", "text in UTF-32", _CONVERT),
    (b"\0\0\xfe\xff", "text in UTF-32", _CONVERT),
    (b"\xff\xfe", "text in UTF-16", _CONVERT),
    (b"\xfe\xff", "text in UTF-16", _CONVERT),
)
_PRINTABLE = (b"PAR1", b"ARROW1", b"BZh")
"""Names of columns may begin so too."""
_ZIPPED: tuple[tuple[bytes, str, str], ...] = (
    (b"xl/", "an Excel workbook (.xlsx)", _SAVE),
    (b"[Content_Types].xml", "a document of Microsoft Office", _SAVE),
    (b"opendocument.spreadsheet", "an OpenDocument spreadsheet (.ods)", _SAVE),
    (b"", "a zip archive", _UNPACK),
)


def what_else(head: bytes) -> str | None:
    """What the file is and what to do, by its first 4 KiB; None where it may be CSV."""
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return next(_said(name, todo) for mark, name, todo in _ZIPPED if mark in head)
    for mark, name, todo in _BEGINNINGS:
        if head.startswith(mark) and (mark not in _PRINTABLE or _is_binary(head)):
            return _said(name, todo)
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith((b"<!doctype html", b"<html")):
        return _said("a web page (HTML), perhaps an error or a log-in page", "upload the CSV file")
    if text.startswith((b'{"', b'[{"')) or (_OBJECTS.match(text) and b'":' in text):
        return _said("JSON", _SAVE)
    return _said("text in UTF-16", _CONVERT) if _is_utf16(head) else None


def _said(name: str, todo: str) -> str:
    return f"this is {name}, not CSV: {todo}"


def _is_binary(head: bytes) -> bool:
    """Whether the bytes are no text: control characters before the tab, or not UTF-8."""
    if any(byte < ord("\t") for byte in head):
        return True
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)  # the last character may be cut
    except UnicodeDecodeError:
        return True
    return False


def _is_utf16(head: bytes) -> bool:
    """Without a byte order mark: every other byte is zero, as Latin letters have it."""
    even, odd = head[:SAMPLED_BYTES:2], head[1:SAMPLED_BYTES:2]
    if len(odd) < 2:
        return False
    return any(
        zeros.count(0) > MOSTLY * len(zeros) and not letters.count(0)
        for zeros, letters in ((even, odd), (odd, even))
    )
