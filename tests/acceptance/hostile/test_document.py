"""Requests made from the OpenAPI document of every route: no 5xx, and answers as the document
has them.
"""

import asyncio
import json
import re
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.acceptance.hostile.conftest import Served
from tests.chance import LONG
from tests.chaos.live_stack import environment

ROOT = Path(__file__).parents[3]
SCHEMES: dict[str, dict[str, Any]] = {
    "standard_webhooks": {},
    "github": {},
    "stripe": {},
    "shopify": {},
    "slack": {},
    "password": {},
    "hmac": {"header": "x-signature", "id_path": "id || data[0]"},
}


@pytest.fixture
def body_seconds() -> str:
    """On a busy machine a good request takes its time too."""
    return "60"


@pytest.mark.fuzz
@pytest.mark.timeout(1800 if LONG else 600)
async def test_requests_made_from_the_document(served: Served) -> None:
    sources = []
    async with served.client() as client:
        for scheme, options in SCHEMES.items():
            made = await client.post(
                "/v1/sources", json={"name": scheme, "scheme": scheme, "options": options}
            )
            sources.append(made.json())
    size = (
        ("--max-examples", "300") if LONG else ("--max-examples", "5", "--generation-deterministic")
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "schemathesis.cli",
        "--config-file",
        str(Path(__file__).with_name("schemathesis.toml")),
        "run",
        f"{served.url}/openapi.json",
        "--header",
        f"Authorization: Bearer {served.key}",
        "--no-color",
        "--continue-on-failure",
        *size,
        cwd=ROOT,
        env=environment(TEST_SOURCES=json.dumps(sources)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told = (await process.communicate())[0].decode()
    assert process.returncode == 0, told
    print(re.findall(r"Tested: \d+|\d+ generated.*|in [\d.]+s =+", told))
    async with served.client() as client:
        came = (
            await client.get("/v1/requests", params={"limit": 200, "outcome": "accepted"})
        ).json()["data"]
    assert len({row["source_id"] for row in came}) >= len(SCHEMES) - 1, (
        "signed deliveries came through the door"
    )


ODD = (
    "\0",
    "a\0b",
    "\ud800",
    "\udcff",
    "9" * 30,
    "-1",
    "1" * 20000,
    "é" * 300,
    "%",
    "..",
    " ",
    "\r\nx: y",
    "💥",
    "'\"\\",
)
PLACES = (
    "/v1/models/{}",
    "/v1/models/{}/versions",
    "/v1/models/{}/versions/1",
    "/v1/models/m/versions/{}",
    "/v1/metric-trends?model={}",
    "/v1/metric-trends?metric={}",
    "/v1/metric-trends/summary?model={}",
    "/v1/usage?meter={}",
    "/v1/usage?window={}",
    "/v1/requests?source_id={}",
    "/v1/requests?limit={}",
    "/v1/requests/{}",
    "/v1/sources/{}",
    "/v1/datasets/{}",
    "/v1/jobs/{}",
    "/{}",
    "/hooks/{}",
)


async def test_odd_text_in_any_place_is_refused_or_found_nowhere(served: Served) -> None:
    async with served.client() as client:
        _check_texts((await client.get("/openapi.json")).json()["paths"])
        for place in PLACES:
            for text in ODD:
                answer = await client.get(
                    place.format(quote(text, safe="", errors="surrogatepass"))
                )
                assert answer.status_code in (200, 307, 400, 404, 405, 414, 422), (
                    place,
                    text[:30],
                    answer.text,
                )
        for name in (
            "traceparent",
            "authorization",
            "if-match",
            "content-type",
            "range",
            "accept-encoding",
            "host",
        ):
            for value in (
                b"\xff\xfe",
                b"'\"\\",
                b"",
                b"9" * 8000,
                b"Bearer hr_\xff",
                b"00-" + b"g" * 50,
            ):
                answer = await client.get("/v1/sources", headers=[(name.encode(), value)])
                assert answer.status_code in (200, 400, 401, 422), (name, value, answer.text)


def _check_texts(paths: dict[str, Any]) -> None:
    """Every text in a path or a query says what it may be: one without a word takes a NUL, which
    Postgres refuses.
    """
    for path, operations in paths.items():
        for method, operation in operations.items():
            for parameter in operation.get("parameters", ()):
                for schema in parameter["schema"].get("anyOf", [parameter["schema"]]):
                    if schema.get("type") == "string" and parameter["in"] != "header":
                        told = (schema | parameter["schema"]).keys() & {
                            "pattern",
                            "format",
                            "enum",
                            "const",
                        }
                        assert told, f"{method} {path}: {parameter['name']}"
