"""Uploads that are refused, and that leave nothing behind; uploads in both forms that are taken."""

import gzip
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from compose.settings import Settings
from tests.acceptance.answers import problem
from tests.acceptance.world import World, api_only
from tests.factories import shipped_csv

CSV = {"content-type": "text/csv"}
GZIP = {**CSV, "content-encoding": "gzip"}
FORM = {"content-type": "multipart/form-data; boundary=cut"}


def part(name: str, content: bytes, file: str = "") -> bytes:
    disposition = f'form-data; name="{name}"' + (f'; filename="{file}"' if file else "")
    return f"--cut\r\nContent-Disposition: {disposition}\r\n\r\n".encode() + content + b"\r\n"


NAME, FILE, END = part("name", b"iris"), part("file", b"a,b\n1,2\n", "iris.csv"), b"--cut--\r\n"
REFUSED: dict[str, tuple[int, str, dict[str, Any]]] = {
    "no name": (422, "invalid_name", {"content": b"a,b\n", "headers": CSV}),
    "an empty name": (
        422,
        "invalid_name",
        {"content": b"a,b\n", "headers": CSV, "params": {"name": ""}},
    ),
    "a path for a name": (
        422,
        "invalid_name",
        {"content": b"a,b\n", "headers": CSV, "params": {"name": "../x"}},
    ),
    "NUL in the name": (
        422,
        "invalid_name",
        {"content": b"a,b\n", "headers": CSV, "params": {"name": "a\x00"}},
    ),
    "a long name": (
        422,
        "invalid_request",
        {"content": b"a,b\n", "headers": CSV, "params": {"name": "x" * 101}},
    ),
    "an empty body": (
        422,
        "empty_file",
        {"content": b"", "headers": CSV, "params": {"name": "iris"}},
    ),
    "an empty file": (
        422,
        "empty_file",
        {"content": NAME + part("file", b"", "e.csv") + END, "headers": FORM},
    ),
    "a form without a name": (422, "invalid_name", {"content": FILE + END, "headers": FORM}),
    "a form with a bad name": (
        422,
        "invalid_name",
        {"content": part("name", b"\xff/") + FILE + END, "headers": FORM},
    ),
    "a form without a file": (422, "missing_file", {"content": NAME + END, "headers": FORM}),
    "a form with two files": (
        422,
        "invalid_multipart",
        {"content": NAME + FILE + FILE + END, "headers": FORM},
    ),
    "a form that ends early": (422, "invalid_multipart", {"content": NAME + FILE, "headers": FORM}),
    "an empty form": (422, "invalid_multipart", {"content": b"", "headers": FORM}),
    "no form at all": (422, "invalid_multipart", {"content": b"a,b\n1,2\n", "headers": FORM}),
    "a part without headers": (
        422,
        "missing_file",
        {"content": b"--cut\r\n\r\nx\r\n" + END, "headers": FORM},
    ),
    "a form without a boundary": (
        422,
        "invalid_multipart",
        {"content": FILE + END, "headers": {"content-type": "multipart/form-data"}},
    ),
    "a long field": (
        422,
        "invalid_multipart",
        {"content": part("name", b"x" * 1001) + FILE + END, "headers": FORM},
    ),
    "a large body": (
        413,
        "body_too_large",
        {"content": b"x" * 5001, "headers": CSV, "params": {"name": "iris"}},
    ),
    "a large file": (
        413,
        "body_too_large",
        {"content": NAME + part("file", b"x" * 5001) + END, "headers": FORM},
    ),
    "a large field": (
        413,
        "body_too_large",
        {"content": part("file", b"1") + b"x" * 6000, "headers": FORM},
    ),
    "JSON": (415, "unsupported_media_type", {"json": {"a": 1}, "params": {"name": "iris"}}),
    "no type": (415, "unsupported_media_type", {"content": b"a,b\n", "params": {"name": "iris"}}),
    "another coding": (
        415,
        "unsupported_content_encoding",
        {
            "content": b"a,b\n",
            "headers": {**CSV, "content-encoding": "br"},
            "params": {"name": "iris"},
        },
    ),
    "no gzip": (
        400,
        "invalid_content_encoding",
        {"content": b"a,b\n", "headers": GZIP, "params": {"name": "iris"}},
    ),
    "half a gzip": (
        400,
        "invalid_content_encoding",
        {"content": gzip.compress(b"a,b\n" * 99)[:-9], "headers": GZIP, "params": {"name": "iris"}},
    ),
    "a bomb": (
        413,
        "body_too_large",
        {"content": gzip.compress(b"0" * 5001), "headers": GZIP, "params": {"name": "iris"}},
    ),
    "an unknown field": (
        422,
        "unknown_parameter",
        {"content": NAME + part("nmae", b"x") + FILE + END, "headers": FORM},
    ),
    "an unknown type": (
        422,
        "invalid_reading",
        {"content": b"a,b\n", "headers": CSV, "params": {"name": "iris", "types": "a:txt"}},
    ),
    "an unknown type in a form": (
        422,
        "invalid_reading",
        {"content": NAME + part("types", b"a:txt") + FILE + END, "headers": FORM},
    ),
    "a URL-encoded form": (415, "unsupported_media_type", {"data": {"name": "iris"}}),
}


def kept(settings: Settings) -> list[Path]:
    """Every file in the object store, half-written ones too."""
    return [one for one in Path(urlsplit(settings.object_store).path).rglob("*") if one.is_file()]


async def events(pipeline: AsyncEngine) -> int:
    async with pipeline.begin() as tx:
        return int((await tx.execute(text("SELECT count(*) FROM events"))).scalar_one())


async def test_a_refused_upload_leaves_nothing(
    database_settings: Settings, pipeline: AsyncEngine
) -> None:
    settings = database_settings.model_copy(update={"max_upload_bytes": 5000})
    async with api_only(settings) as world:
        for case, (status, code, request) in REFUSED.items():
            problem(await world.client.post("/v1/datasets", **request), status, code)
            assert kept(settings) == [], case
        assert (await world.get("/v1/datasets"))["data"] == []
    assert await events(pipeline) == 0


async def test_a_client_that_leaves_in_the_middle_leaves_nothing(
    database_settings: Settings, pipeline: AsyncEngine
) -> None:
    class LeftError(Exception):
        pass

    async def half() -> AsyncIterator[bytes]:
        yield b"a,b\n" * 1000
        raise LeftError

    async with api_only(database_settings) as world:
        answer = await world.client.post(
            "/v1/datasets", params={"name": "iris"}, content=half(), headers=CSV
        )
        problem(answer, 500, "internal")
    assert kept(database_settings) == []
    assert await events(pipeline) == 0


async def test_both_forms_store_the_same_bytes(database_settings: Settings) -> None:
    content = shipped_csv("iris")
    async with api_only(database_settings) as world:
        raw = await world.client.post(
            "/v1/datasets", params={"name": "raw"}, content=content, headers=CSV
        )
        form = await world.client.post(
            "/v1/datasets", data={"name": "form"}, files={"file": ("iris.csv", content)}
        )
        found = [await shown(world, answer) for answer in (raw, form)]
    assert [one["name"] for one in found] == ["raw", "form"]
    assert [one["size_bytes"] for one in found] == [len(content)] * 2
    assert found[0]["sha256"] == found[1]["sha256"]
    assert [one.read_bytes() for one in kept(database_settings)] == [content] * 2


async def test_a_coded_upload_stores_the_bytes_without_the_coding(
    database_settings: Settings,
) -> None:
    content = shipped_csv("iris")
    form = NAME + part("file", content, "iris.csv") + END
    async with api_only(database_settings) as world:
        for coding, body, kind in (
            ("gzip", gzip.compress(content), CSV),
            ("deflate", zlib.compress(content), CSV),
            ("identity", content, CSV),
            ("gzip", gzip.compress(form[:300]) + gzip.compress(form[300:]), FORM),
        ):
            params = {"name": "iris"} if kind is CSV else {}
            headers = {**kind, "content-encoding": coding}
            answer = await world.client.post(
                "/v1/datasets", params=params, content=body, headers=headers
            )
            assert (await shown(world, answer))["size_bytes"] == len(content)
    assert [one.read_bytes() for one in kept(database_settings)] == [content] * 4


async def test_how_a_file_is_read_can_be_said_in_both_forms(database_settings: Settings) -> None:
    said = {"missing": ["NA", "-"], "types": "zip:text"}
    form = b"".join(
        part(name, value)
        for name, value in (("missing", b"NA"), ("missing", b"-"), ("types", b"zip:text"))
    )
    async with api_only(database_settings) as world:
        raw = await world.client.post(
            "/v1/datasets", params={"name": "a", **said}, content=b"zip,b\n", headers=CSV
        )
        other = await world.client.post(
            "/v1/datasets", content=NAME + form + FILE + END, headers=FORM
        )
        plain = await world.client.post(
            "/v1/datasets", params={"name": "b"}, content=b"zip,b\n", headers=CSV
        )
        found = [(await shown(world, one))["reading"] for one in (raw, other, plain)]
    whole = {"missing": ["-", "NA"], "types": {"zip": "text"}, "typed": False}
    assert found == [whole, whole, None]


async def shown(world: World, answer: httpx.Response) -> dict[str, Any]:
    """The data set that a 202 is about."""
    assert answer.status_code == 202, answer.text
    return dict(await world.get(answer.headers["location"]))
