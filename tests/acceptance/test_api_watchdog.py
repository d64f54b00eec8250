"""An API whose event loop is blocked answers nobody: its process ends, and whoever started it
starts it again.
"""

import asyncio
import multiprocessing
import multiprocessing.synchronize
import urllib.error
import urllib.request

from compose.processes.api_server import serve
from compose.processes.loop_watchdog import STUCK
from compose.settings import Settings
from tests.eventually import eventually

CONTEXT = multiprocessing.get_context("spawn")


def stuck_after_its_first_answer(
    settings: Settings, answered: multiprocessing.synchronize.Event
) -> None:
    """An API process that blocks its loop once it is asked to."""

    async def main() -> None:
        async def block() -> None:
            await asyncio.to_thread(answered.wait)
            while True:
                pass

        blocking = asyncio.create_task(block())
        await serve(settings, still_seconds=2.0)
        blocking.cancel()

    asyncio.run(main())


async def test_a_blocked_api_ends_to_be_started_again(database_settings: Settings) -> None:
    answered = CONTEXT.Event()
    process = CONTEXT.Process(
        target=stuck_after_its_first_answer, args=(database_settings, answered)
    )
    process.start()

    def alive() -> bool:
        assert process.exitcode is None
        try:
            with urllib.request.urlopen(
                f"{database_settings.api_url}/healthz", timeout=5
            ) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError):
            return False

    try:
        await eventually(lambda: asyncio.to_thread(alive), seconds=60)
        answered.set()
        await eventually(lambda: asyncio.to_thread(lambda: process.exitcode), seconds=60)
        assert process.exitcode == STUCK
    finally:
        process.kill()
        process.join()
