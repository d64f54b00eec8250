"""Connections to Postgres, each as one of the three roles."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal
from uuid import UUID

import asyncpg
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

Role = Literal["headrace_owner", "headrace_api", "headrace_pipeline"]


def sqlalchemy_url(postgres_url: str) -> str:
    """The same address as SQLAlchemy writes it."""
    return make_url(postgres_url).set(drivername="postgresql+asyncpg").render_as_string(hide_password=False)


def _settings(role: Role, process: str) -> dict[str, str]:
    # A lock that is not had in time is a transient failure; a forgotten transaction must not hold rows for ever.
    return {
        "role": role,
        "application_name": f"headrace {process}",
        "lock_timeout": "10s",
        "idle_in_transaction_session_timeout": "60s",
        "statement_timeout": "120s",
    }


def engine(postgres_url: str, role: Role, process: str, pool_size: int = 5) -> AsyncEngine:
    """A pool of Core connections as `role`."""
    return create_async_engine(
        sqlalchemy_url(postgres_url),
        pool_size=pool_size,
        max_overflow=0,
        pool_pre_ping=True,
        connect_args={"server_settings": _settings(role, process), "timeout": 10},
    )


@asynccontextmanager
async def asyncpg_pool(postgres_url: str, role: Role, process: str, size: int) -> AsyncIterator[asyncpg.Pool]:
    """A pool of bare asyncpg connections as `role`, for the hot statements."""
    async with asyncpg.create_pool(
        postgres_url, min_size=1, max_size=size, server_settings=_settings(role, process), timeout=10, reset=_as_it_is
    ) as pool:
        yield pool


async def _as_it_is(_connection: object) -> None:
    """Single statements leave nothing behind in a session; putting it back would cost a round trip a batch."""


@asynccontextmanager
async def tenant_transaction(api: AsyncEngine, tenant: UUID) -> AsyncIterator[AsyncConnection]:
    """One transaction of the API's role that can see one tenant's rows."""
    async with api.begin() as tx:
        await tx.execute(text("SELECT set_config('app.tenant', :tenant, true)"), {"tenant": str(tenant)})
        yield tx
