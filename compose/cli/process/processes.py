"""`headrace api`, `relay`, `worker`, `projections`: one process each, as a cluster runs them."""

import asyncio
import gc
import logging
from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from compose.settings import Settings

log = logging.getLogger(__name__)

EPILOG = "Settings come from HEADRACE_* in the environment or .env; `headrace doctor` shows them."


def register(app: typer.Typer) -> None:

    @app.command(epilog=EPILOG)
    def api() -> None:
        """Serve HTTP: webhooks, commands and reads, on HEADRACE_API_URL."""
        from compose.checked_settings import WrongSetting, can_listen
        from compose.postgres.preconditions import NotReady, answering

        settings = prepared("secret_keys", "object_store", "api_url", "public_url")

        async def main() -> None:
            can_listen(settings)
            await answering(settings.postgres_url.get_secret_value())
            from compose.processes.api_server import serve

            await serve(settings)

        try:
            run_loop(main)
        except (NotReady, WrongSetting) as error:
            log.critical("this process cannot start: %s", error)
            raise typer.Exit(1) from None

    @app.command(epilog=EPILOG)
    def relay() -> None:
        """Send accepted events to Kafka. Several may run: one is the leader, the others wait."""
        from compose.processes import relay as process

        until_stopped(process.run, "kafka")

    @app.command(epilog=EPILOG)
    def worker(
        names: Annotated[
            list[str] | None, typer.Argument(help="Consumers to run; all without a name.")
        ] = None,
    ) -> None:
        """Run consumers: ingest, training, finalization, billing."""
        from compose.processes import worker as process
        from consumers.registry import BY_NAME

        _check(names, list(BY_NAME))
        until_stopped(
            lambda settings, stop: process.run(settings, names or [], stop), "kafka", "object_store"
        )

    @app.command(epilog=EPILOG)
    def projections(
        names: Annotated[
            list[str] | None, typer.Argument(help="Views to run; all without a name.")
        ] = None,
    ) -> None:
        """Keep the read models: jobs, metric_trends, usage."""
        from compose.consumer_groups import VIEWS
        from compose.processes import projections as process

        _check(names, list(VIEWS))
        until_stopped(lambda settings, stop: process.run(settings, names or [], stop), "kafka")


def _check(names: list[str] | None, known: list[str]) -> None:
    for name in names or []:
        if name not in known:
            raise typer.BadParameter(f"there is no {name!r}; known: {', '.join(known)}")


def prepared(*needed: str) -> Settings:
    """The settings, with logging as they say.

    Raises WrongSetting where the address of PostgreSQL, or one of the settings that are `needed`,
    cannot be used.
    """
    from compose.checked_settings import require
    from compose.telemetry.logs import configure

    settings = Settings()
    configure(settings.log_format, settings.log_level)
    require(settings, "postgres_url", *needed)
    return settings


def until_stopped(run: Callable[[Settings, asyncio.Event], Awaitable[None]], *needed: str) -> None:
    """Run a process until a signal stops it; `needed` are the settings that it must have."""
    from compose.kafka.subscription import AnotherClusterError, OutsideLogError, StalledError
    from compose.postgres.preconditions import NotReady, require_ready
    from compose.processes import shutdown
    from compose.processes.loop_watchdog import STUCK, watched
    from compose.telemetry.server import exposed

    settings = prepared(*needed)

    async def main() -> None:
        with watched(), exposed(settings):
            async with shutdown.stopping() as stop:
                url = settings.postgres_url.get_secret_value()
                await shutdown.until_stopped(stop, lambda: require_ready(url))
                await run(settings, stop)

    code = 0
    try:
        run_loop(main)
    except* StalledError as stuck:
        code = STUCK
        log.critical(
            "this process is stuck and exits with status %d, to be restarted: %s", code, _all(stuck)
        )
    except* (OutsideLogError, AnotherClusterError, NotReady) as lost:
        code = 1
        log.critical("this process cannot continue without an operator: %s", _all(lost))
    if code:
        raise typer.Exit(code)


def _all(group: BaseExceptionGroup[BaseException]) -> str:
    """What each of a group says, in one line."""
    return "; ".join(
        _all(one) if isinstance(one, BaseExceptionGroup) else str(one) for one in group.exceptions
    )


def run_loop(main: Callable[[], Awaitable[None]]) -> None:
    """Run on uvloop; what is imported by now, the collector never looks at again."""
    import uvloop

    gc.collect()
    gc.freeze()

    async def running() -> None:
        await main()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(running())
