"""`headrace listen` and `headrace events` from a terminal, with a local server at the other end."""

import asyncio
import json
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from producers.webhooks.normalize import INLINE_BYTES
from tests.acceptance.ingress.listening import Terminal
from tests.acceptance.ingress.senders import accepted, create, deliver
from tests.acceptance.terminal import COMMAND
from tests.acceptance.world import World

Seen = list[tuple[dict[str, str], bytes]]


def free() -> socket.socket:
    """A port that nobody listens on yet."""
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", 0))
    return bound


@asynccontextmanager
async def local(bound: socket.socket, seen: Seen) -> AsyncIterator[None]:
    """A developer's server: remembers what comes, answers 204, or 500 to a body with `fail`."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
        seen.append(({name.decode(): value.decode() for name, value in scope["headers"]}, body))
        status = 500 if b"fail" in body else 204
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, ws="none"))
    serving = asyncio.create_task(server.serve([bound]))
    yield
    server.should_exit = True
    await serving


async def started(terminal: Terminal, *arguments: str) -> asyncio.subprocess.Process:
    """A command that goes on until Ctrl-C."""
    return await asyncio.create_subprocess_exec(
        *COMMAND,
        *arguments,
        env={**os.environ, **terminal.environment, "NO_COLOR": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        stdin=asyncio.subprocess.DEVNULL,
    )


async def line(stream: asyncio.StreamReader | None) -> str:
    assert stream is not None
    async with asyncio.timeout(120):
        return (await stream.readline()).decode()


async def interrupted(process: asyncio.subprocess.Process) -> str:
    """Ctrl-C; what it says at last. It ends well and without a traceback."""
    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(120):
        _, err = await process.communicate()
    assert process.returncode == 0, err
    assert b"Traceback" not in err
    return err.decode()


async def test_what_a_source_accepts_is_forwarded(api: World, terminal: Terminal) -> None:
    hook = await create(api, "any", scheme="github")
    other = await create(api, "other")
    await deliver(api, hook, b'{"before": true}', "id-0")
    bodies = [
        b'{"n":1}',
        b'{"fail":2}',
        b'"\xff\xfe"',
        json.dumps({"pad": "x" * INLINE_BYTES}).encode(),
    ]
    seen: Seen = []
    bound = free()
    url = f"http://127.0.0.1:{bound.getsockname()[1]}/hook"
    process = await started(terminal, "listen", hook["id"], "--forward-to", url, "--json")
    await asyncio.wait_for(line_when_ready(process), 120)
    made = [(await deliver(api, hook, body, f"id-{n + 1}")).json() for n, body in enumerate(bodies)]
    await accepted(api, other, b"{}")
    assert "nobody listens" in await line(process.stderr)
    async with local(bound, seen):
        told = [json.loads(await line(process.stdout)) for _ in bodies]
        assert "forwarded 4" in await interrupted(process)
    assert [(one["event_id"], one["status"]) for one in told] == [
        (one["event_id"], status) for one, status in zip(made, (204, 500, 204, 204), strict=True)
    ]
    assert [body for _, body in seen] == bodies
    for (headers, _), one in zip(seen, made, strict=True):
        assert headers["headrace-event-id"] == one["event_id"]
        assert headers["headrace-request-id"] == one["request_id"]
        assert headers["content-type"] == "application/json"
        kept = (await api.get(f"/v1/requests/{one['request_id']}"))["headers"]
        assert kept
        assert kept.items() <= headers.items()


async def line_when_ready(process: asyncio.subprocess.Process) -> None:
    """Listening begins with the first line that it prints to standard error."""
    assert "listening" in await line(process.stderr)


async def test_since_forwards_what_came_before(api: World, terminal: Terminal) -> None:
    hook = await create(api, "any")
    await accepted(api, hook, b'{"n": 1}')
    seen: Seen = []
    bound = free()
    async with local(bound, seen):
        url = f"http://127.0.0.1:{bound.getsockname()[1]}/"
        process = await started(
            terminal, "listen", hook["id"], "--forward-to", url, "--since", "1h"
        )
        said = await line(process.stdout)
        await interrupted(process)
    assert (" 204 " in said, [body for _, body in seen]) == (True, [b'{"n": 1}'])


async def test_nobody_at_the_other_end_is_told_in_the_end(api: World, terminal: Terminal) -> None:
    hook = await create(api, "any")
    await accepted(api, hook, b"{}")
    bound = free()
    url = f"http://127.0.0.1:{bound.getsockname()[1]}/"
    process = await started(
        terminal,
        "listen",
        hook["id"],
        "--forward-to",
        url,
        "--since",
        "1h",
        "--retries",
        "1",
        "--json",
    )
    told = json.loads(await line(process.stdout))
    assert (told["status"], "ConnectError" in told["error"]) == (None, True)
    assert "forwarded 0" in await interrupted(process)
    bound.close()


async def test_listen_says_what_is_wrong(terminal: Terminal) -> None:
    unknown = "00000000-0000-7000-8000-000000000001"
    missing = await terminal.run("listen", unknown, "--forward-to", "http://127.0.0.1:1/")
    assert (missing.exit_code, "not_found" in missing.stderr) == (1, True)
    for wrong in (
        ["--forward-to", "127.0.0.1:1"],
        ["--forward-to", "http://127.0.0.1:1/", "--since", "soon"],
    ):
        assert (await terminal.run("listen", unknown, *wrong)).exit_code == 2


async def test_events_are_listed_and_followed(api: World, terminal: Terminal) -> None:
    source = await create(api, "shop")
    made = [(await accepted(api, source, b"{}", f"id-{n}"))["event_id"] for n in range(5)]

    async def listed(*arguments: str) -> list[str]:
        return [one["id"] for one in (await terminal.json("events", "list", *arguments))["data"]]

    assert await listed() == made
    assert await listed("--limit", "2") == made[3:], "the newest, in their order"
    assert await listed("--all", "--limit", "2", "--since", "1h") == made
    assert (
        await listed(
            "--source", source["id"], "--type", "webhook.received", "--limit", "1", "--all"
        )
        == made
    )
    shown = await terminal.run("events", "list", "--limit", "5")
    assert "--cursor" not in shown.stdout
    assert all(one in shown.stdout for one in made)
    assert "No events" in (await terminal.run("events", "list", "--type", "none")).stdout

    process = await started(terminal, "events", "list", "--follow", "--all", "--json")
    assert [json.loads(await line(process.stdout))["id"] for _ in made] == made
    late = (await accepted(api, source, b"{}", "late"))["event_id"]
    assert json.loads(await line(process.stdout))["id"] == late
    await interrupted(process)


async def test_requests_are_paged(api: World, terminal: Terminal) -> None:
    source = await create(api, "shop")
    for number in range(5):
        await accepted(api, source, b"{}", f"id-{number}")
    first = await terminal.json("requests", "list", "--limit", "3")
    rest = await terminal.json("requests", "list", "--limit", "3", "--cursor", first["next_cursor"])
    whole = await terminal.json("requests", "list", "--all")
    assert first["data"] + rest["data"] == whole["data"]
    assert (len(whole["data"]), rest["next_cursor"], whole["next_cursor"]) == (5, None, None)
    assert first["next_cursor"] in (await terminal.run("requests", "list", "--limit", "3")).stdout
    assert (await terminal.json("requests", "list", "--since", "1h", "--to", "30m"))["data"] == []
    assert (await terminal.run("requests", "list", "--since", "soon")).exit_code == 2
