"""A tenant's own limits, set by the operator."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from compose.postgres.connections import engine
from compose.processes.ingress import limit_settings
from compose.settings import Settings
from producers.access import store as access
from producers.webhooks.limits import store
from producers.webhooks.limits.limit import BY_NAME, InForce, in_force


class UnknownTenant(Exception):
    """There is no tenant of that name."""


class WrongLimit(ValueError):
    """A limit that does not exist, or a value that it cannot have; the message says which."""


def parsed(texts: Sequence[str]) -> dict[str, float]:
    """`name=value` pairs; raises WrongLimit."""
    values: dict[str, float] = {}
    for text in texts:
        name, _, given = text.partition("=")
        try:
            value = float(given)
        except ValueError:
            raise WrongLimit(f"{text!r} is not NAME=NUMBER") from None
        checked([name])
        if not 0 < value < float("inf") or (BY_NAME[name].whole and value != int(value)):
            raise WrongLimit(f"{name} cannot be {given}")
        values[name] = value
    return values


def checked(names: Sequence[str]) -> Sequence[str]:
    """Names of limits; raises WrongLimit."""
    for name in names:
        if name not in BY_NAME:
            raise WrongLimit(f"there is no limit {name!r}; known: {', '.join(BY_NAME)}")
    return names


async def change(
    settings: Settings,
    tenant_name: str,
    values: Mapping[str, float] | None = None,
    cleared: Sequence[str] = (),
) -> list[InForce]:
    """Set and clear limits of a tenant's own; all that are then in force. Raises UnknownTenant."""
    async with _tenant(settings, tenant_name) as (tx, tenant):
        if values:
            await store.put(tx, tenant, values)
        if cleared:
            await store.clear(tx, tenant, cleared)
        return in_force(limit_settings(settings), await store.own(tx, tenant))


@asynccontextmanager
async def _tenant(settings: Settings, name: str) -> AsyncIterator[tuple[AsyncConnection, UUID]]:
    pipeline = engine(
        settings.postgres_url.get_secret_value(), "headrace_pipeline", "admin", pool_size=1
    )
    try:
        async with pipeline.begin() as tx:
            tenant = await access.tenant_named(tx, name)
            if tenant is None:
                raise UnknownTenant(name)
            yield tx, tenant
    finally:
        await pipeline.dispose()
