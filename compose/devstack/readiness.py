"""When a process of the stack is ready."""

import asyncio
import contextlib
import time

import httpx

READY_SECONDS = 60.0


async def alive_one_second() -> None:
    """Readiness of a process that answers nobody: it is still there after a second."""
    await asyncio.sleep(1.0)


async def api_ready(api_url: str) -> None:
    """Return when the API says that it is ready; raises TimeoutError."""
    url = f"{api_url.rstrip('/')}/readyz"
    deadline = time.monotonic() + READY_SECONDS - 1
    # trust_env: a proxy of the user's is not asked for our own loopback address.
    async with httpx.AsyncClient(timeout=2.0, trust_env=False) as client:
        while True:
            said = "it does not answer"
            with contextlib.suppress(httpx.HTTPError):
                response = await client.get(url)
                if response.status_code == 200:
                    return
                said = f"it says {response.status_code}: {response.text[:500]}"
            if time.monotonic() > deadline:
                raise TimeoutError(f"{url}: {said}")
            await asyncio.sleep(0.1)
