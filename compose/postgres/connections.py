"""Connections to Postgres, each as one of the three roles, and each with a deadline for whatever
it waits for.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, Literal

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext, make_url
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

Role = Literal["headrace_owner", "headrace_api", "headrace_pipeline"]

CONNECT_SECONDS = 5.0
PING_SECONDS = 2.0
# The server cancels first, and the connection lives on. Only one that answers nothing at all meets
# the client's own deadline, and is thrown away: a request to cancel would need another connection,
# which may hang as well.
CLIENT_MARGIN_SECONDS = 1.0
SILENT_SECONDS = 20


class WrongRole(Exception):
    """A session is not the role that it asked for: row security would be another's.

    Nothing may be done in it.
    """


def sqlalchemy_url(postgres_url: str) -> str:
    """The same address as SQLAlchemy writes it."""
    return (
        make_url(postgres_url)
        .set(drivername="postgresql+asyncpg")
        .render_as_string(hide_password=False)
    )


def _settings(role: Role, process: str, seconds: float) -> dict[str, str]:
    # A lock that is not had in time is a transient failure; a forgotten transaction must not hold
    # rows for ever. The keep-alives let the server find a client that is gone, whose locks nobody
    # else would free.
    milliseconds = int(seconds * 1000)
    return {
        "role": role,
        "application_name": f"headrace {process}",
        "lock_timeout": str(min(10_000, milliseconds)),
        "idle_in_transaction_session_timeout": str(min(60_000, 2 * milliseconds)),
        "statement_timeout": str(milliseconds),
        "client_connection_check_interval": "5s",
        "tcp_keepalives_idle": str(SILENT_SECONDS // 2),
        "tcp_keepalives_interval": "5",
        "tcp_keepalives_count": "2",
        "tcp_user_timeout": str(SILENT_SECONDS * 1000),
    }


async def connect(
    postgres_url: str,
    role: Role,
    process: str,
    statement_seconds: float,
    *,
    settings: dict[str, str] | None = None,
    **options: Any,
) -> asyncpg.Connection:
    """One connection as `role`.

    Raises WrongRole where the role was lost on the way, in a pooler that ignores it.
    """
    connection: asyncpg.Connection = await asyncpg.connect(
        postgres_url,
        timeout=CONNECT_SECONDS,
        command_timeout=statement_seconds + CLIENT_MARGIN_SECONDS,
        server_settings=_settings(role, process, statement_seconds) | (settings or {}),
        **options,
    )
    try:
        _keep_alive(connection)
        found = await connection.fetchval("SELECT current_user", timeout=CONNECT_SECONDS)
        if found != role:
            raise WrongRole(
                f"the session is {found}, not {role}: does a pooler ignore the start-up "
                "parameter `role`? "
                "Headrace needs a direct connection, or a pooler that passes it on"
            )
    except BaseException:
        connection.terminate()
        raise
    return connection


def _keep_alive(connection: asyncpg.Connection) -> None:
    """Let the kernel end a connection whose packets are lost.

    Asyncpg has no public way to its socket.
    """
    found = connection._transport.get_extra_info("socket")  # type: ignore[attr-defined]  # noqa: SLF001
    if found is None or found.family == socket.AF_UNIX:
        return
    found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    options = {
        "TCP_KEEPIDLE": SILENT_SECONDS // 2,
        "TCP_KEEPINTVL": 5,
        "TCP_KEEPCNT": 2,
        "TCP_USER_TIMEOUT": SILENT_SECONDS * 1000,
    }
    for name, value in options.items():
        if hasattr(socket, name):  # not every system has each of them
            found.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def engine(
    postgres_url: str,
    role: Role,
    process: str,
    pool_size: int = 5,
    *,
    statement_seconds: float = 60.0,
    acquire_seconds: float = 30.0,
) -> AsyncEngine:
    """A pool of Core connections as `role`."""
    made = create_async_engine(
        sqlalchemy_url(postgres_url),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=acquire_seconds,
        async_creator=partial(connect, postgres_url, role, process, statement_seconds),
    )
    event.listen(made.sync_engine, "connect", _mark_fresh)
    event.listen(made.sync_engine, "checkout", _ping)
    event.listen(made.sync_engine, "handle_error", _end_timed_out)
    return made


def _mark_fresh(_connection: Any, record: Any) -> None:
    record.info["fresh"] = True


def _ping(connection: Any, record: Any, _fairy: object) -> None:
    """In place of pool_pre_ping, which has no deadline of its own and takes three round trips."""
    if record.info.pop("fresh", False):
        return
    try:
        connection.run_async(lambda driver: driver.execute("SELECT", timeout=PING_SECONDS))
    except (
        OSError,
        TimeoutError,
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
        asyncpg.InternalClientError,
    ) as error:
        connection.driver_connection.terminate()
        raise InvalidatePoolError from error


def _end_timed_out(context: ExceptionContext) -> None:
    """Throw a connection away whose statement met the client's deadline: its answer may never
    come.
    """
    if isinstance(context.original_exception, TimeoutError) and context.connection is not None:
        driver = context.connection.connection.driver_connection
        if driver is not None:
            driver.terminate()
        context.is_disconnect = True


class Borrowed:
    """A connection for the time of a block: a generator would do the same for five times the
    cost.
    """

    __slots__ = ("_connection", "_pool", "_seconds")

    def __init__(self, pool: asyncpg.Pool, seconds: float | None) -> None:
        self._pool, self._seconds = pool, seconds

    async def __aenter__(self) -> PoolConnectionProxy:
        self._connection = await self._pool.acquire(timeout=self._seconds)
        return self._connection

    async def __aexit__(self, kind: type[BaseException] | None, *failure: object) -> None:
        if kind is not None and issubclass(kind, TimeoutError):
            self._connection.terminate()
        await self._pool.release(self._connection)


class BoundedPool:
    """Bare connections; each statement, and each wait for a connection, has a deadline."""

    def __init__(self, pool: asyncpg.Pool, seconds: float) -> None:
        self._pool, self._seconds = pool, seconds

    def acquire(self) -> "Borrowed":
        """Borrow one; a statement that meets the client's deadline takes its connection with it."""
        # One that is idle is there at once: a timer for it would cost more than the rest.
        return Borrowed(self._pool, None if self._pool.get_idle_size() else self._seconds)

    async def close(self) -> None:
        """Close every connection, once nobody has it any more."""
        await self._pool.close()


@asynccontextmanager
async def asyncpg_pool(
    postgres_url: str,
    role: Role,
    process: str,
    size: int,
    *,
    statement_seconds: float = 60.0,
    acquire_seconds: float = 30.0,
) -> AsyncIterator[BoundedPool]:
    """A pool of bare asyncpg connections as `role`, for the hot statements."""

    async def opened(_url: str, **options: Any) -> asyncpg.Connection:
        return await connect(postgres_url, role, process, statement_seconds, **options)

    pool = await asyncpg.create_pool(  # type: ignore[call-overload]  # whose stubs want each option spelt out
        postgres_url, min_size=1, max_size=size, connect=opened, reset=_as_it_is
    )
    try:
        yield BoundedPool(pool, acquire_seconds)
    finally:
        with suppress(TimeoutError):  # one that is silent is given up
            async with asyncio.timeout(CONNECT_SECONDS):
                await pool.close()


async def _as_it_is(_connection: object) -> None:
    """Single statements leave nothing behind in a session.

    Putting it back would cost a round trip a batch.
    """
