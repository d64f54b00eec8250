"""Uploads as they stream: however a form is cut into chunks, the same bytes come out, or one
clear refusal.
"""

import asyncio
import gzip
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.api.upload import MOST_FIELD_BYTES, Multipart, inflating, limited
from schemas.errors import Refusal

BOUNDARY = "----headrace42"
TYPE = f'multipart/form-data; boundary="{BOUNDARY}"'


async def stream(chunks: Sequence[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def part(name: str, content: bytes, extra: str = "") -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n\r\n'
    return head.encode() + content + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def cut(body: bytes, places: Sequence[int]) -> list[bytes]:
    return [
        body[start:end]
        for start, end in pairwise([0, *sorted(place % len(body) for place in places), len(body)])
    ]


async def received(
    chunks: Sequence[bytes], content_type: str = TYPE
) -> tuple[bytes, dict[str, str]]:
    return await received_from(stream(chunks), content_type)


async def received_from(
    chunks: AsyncIterator[bytes], content_type: str = TYPE
) -> tuple[bytes, dict[str, str]]:
    upload = Multipart(content_type, chunks)
    content = b"".join([piece async for piece in upload.file()])
    return content, upload.fields


FILE = st.one_of(
    st.binary(max_size=200),
    st.sampled_from(
        [
            b"\r\n",
            b"\r",
            b"--",
            f"\r\n--{BOUNDARY[:-1]}".encode(),
            f"--{BOUNDARY}".encode(),
            b"\r\n--",
        ]
    ),
)


@given(FILE, st.lists(st.integers(0, 10_000), max_size=12), st.booleans())
async def test_any_chunking_gives_the_same_bytes(
    content: bytes, places: list[int], file_first: bool
) -> None:
    parts = [part("file", content, '; filename="wine.csv"'), part("name", b"wine")]
    body = form(*(parts if file_first else reversed(parts)))
    assert await received(cut(body, places)) == (content, {"name": "wine"})


async def test_one_byte_at_a_time() -> None:
    content = b"a,b\r\n1,2\r\n" + f"\r\n--{BOUNDARY[:-2]}".encode()
    body = form(part("name", b"wine"), part("file", content))
    assert await received([bytes([byte]) for byte in body]) == (content, {"name": "wine"})


async def test_an_empty_file_and_other_fields_are_taken() -> None:
    body = form(part("file", b""), part("note", "ü".encode()), part("name", b""))
    assert await received([body]) == (b"", {"note": "ü", "name": ""})


async def test_the_preamble_and_epilogue_of_clients_do_not_matter() -> None:
    assert (await received([form(part("file", b"x")) + b"\r\n"]))[0] == b"x"


WHOLE = form(part("name", b"wine"), part("file", b"a,b\n1,2\n"))
BROKEN = {
    "empty": b"",
    "no boundary at all": b"a,b\n1,2\n",
    "another boundary": WHOLE.replace(BOUNDARY.encode(), b"----other"),
    "cut in the header": WHOLE[:30],
    "cut in the file": WHOLE[:-40],
    "without the last boundary": WHOLE.removesuffix(f"--{BOUNDARY}--\r\n".encode()),
    "cut in the last boundary": WHOLE[:-5],
    "a header without colon": form(f"--{BOUNDARY}\r\nContent-Disposition\r\n\r\nx\r\n".encode()),
    "two files": form(part("file", b"a"), part("file", b"b")),
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN.keys())
async def test_a_broken_form_is_refused(body: bytes) -> None:
    with pytest.raises(Refusal) as caught:
        await received([body])
    assert caught.value.code == "invalid_multipart"


@given(st.binary(max_size=300), st.lists(st.integers(0, 10_000), max_size=3))
async def test_any_bytes_are_a_form_or_refused(noise: bytes, places: list[int]) -> None:
    for body in (noise, WHOLE[:60] + noise, f"--{BOUNDARY}\r\n".encode() + noise):
        with pytest.raises(Refusal):
            await received(cut(body, places) if body else [body])


async def test_a_form_cut_anywhere_is_refused() -> None:
    for length in range(len(WHOLE) - 4):
        with pytest.raises(Refusal):
            await received([WHOLE[:length]])


@pytest.mark.parametrize(
    "parts", [(), (part("name", b"wine"),), (part("File", b"x"),), (part("", b"x"),)]
)
async def test_a_form_without_a_file_is_refused(parts: tuple[bytes, ...]) -> None:
    with pytest.raises(Refusal) as caught:
        await received([form(*parts)])
    assert caught.value.code in ("missing_file", "invalid_multipart")


async def test_a_form_with_a_name_only_says_that_the_file_is_missing() -> None:
    with pytest.raises(Refusal) as caught:
        await received([form(part("name", b"wine"))])
    assert caught.value.code == "missing_file"


@pytest.mark.parametrize(
    "kind", ["multipart/form-data", "multipart/form-data; boundary=", 'multipart/form-data; x="y"']
)
async def test_a_form_without_boundary_is_refused(kind: str) -> None:
    with pytest.raises(Refusal) as caught:
        await received([WHOLE], kind)
    assert caught.value.code == "invalid_multipart"


async def test_a_field_may_be_long_but_not_longer() -> None:
    _, fields = await received([form(part("name", b"n" * MOST_FIELD_BYTES), part("file", b"x"))])
    assert len(fields["name"]) == MOST_FIELD_BYTES
    with pytest.raises(Refusal) as caught:
        await received([form(part("name", b"n" * (MOST_FIELD_BYTES + 1)), part("file", b"x"))])
    assert caught.value.code == "invalid_multipart"


ENDLESS = {
    "a header's name": (b"", b"a" * 4096),
    "a header's value": (b"name: ", b"a" * 4096),
    "headers": (b"", b"a: b\r\n"),
    "fields": (b"\r\n\r\n", b"".join(part(f"f{number}", b"x") for number in range(30))),
}


@pytest.mark.parametrize(("begin", "piece"), ENDLESS.values(), ids=ENDLESS.keys())
async def test_an_endless_form_is_refused_before_it_fills_the_memory(
    begin: bytes, piece: bytes
) -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        yield f"--{BOUNDARY}\r\n".encode() + begin
        while taken < 10_000:
            taken += 1
            yield piece

    with pytest.raises(Refusal) as caught:
        await received_from(endless())
    assert caught.value.code == "invalid_multipart"
    assert taken < 100


@given(st.lists(st.binary(max_size=20), max_size=6), st.integers(0, 60))
async def test_the_limit_is_exact(chunks: list[bytes], most: int) -> None:
    whole = b"".join(chunks)
    if len(whole) <= most:
        assert b"".join([one async for one in limited(stream(chunks), most)]) == whole
        return
    passed = bytearray()
    with pytest.raises(Refusal) as caught:
        await drain(limited(stream(chunks), most), passed)
    assert (caught.value.code, caught.value.details) == ("body_too_large", {"max_bytes": most})
    assert len(passed) <= most


async def test_others_are_served_while_an_upload_is_inflated() -> None:
    ended = False
    turns = 0

    async def others() -> None:
        nonlocal turns
        while not ended:
            turns += 1
            await asyncio.sleep(0)

    sent = [gzip.compress(b"a") * 10_000, gzip.compress(b"a" * 300_000)]
    got = bytearray()
    serving = asyncio.create_task(others())
    await drain(inflating(stream(sent), "gzip", 1 << 20), got)
    ended = True
    await serving
    assert got == b"a" * 310_000
    assert turns > 1


async def drain(chunks: AsyncIterator[bytes], into: bytearray) -> None:
    async for one in chunks:
        into.extend(one)
