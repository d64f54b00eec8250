"""The first tenant and its key."""

import json
import os
import secrets
from pathlib import Path
from uuid import UUID

from compose.clock import database_clock
from compose.postgres.connections import engine
from compose.settings import Settings
from producers.access import store
from producers.access.keys import hash_of, key_from


async def create_key(settings: Settings, tenant_name: str, key_name: str) -> tuple[UUID, str]:
    """A key for the tenant of that name, who is made when new.

    The key is returned once and not kept.
    """
    pipeline = engine(
        settings.postgres_url.get_secret_value(), "headrace_pipeline", "admin", pool_size=1
    )
    try:
        clock = await database_clock(pipeline)
        key = key_from(secrets.token_bytes(32))
        async with pipeline.begin() as tx:
            tenant = await store.ensure_tenant(tx, clock.new_id(), tenant_name)
            await store.add_key(tx, tenant, clock.new_id(), key_name, hash_of(key))
    finally:
        await pipeline.dispose()
    return tenant, key


async def ensure_first(settings: Settings) -> Path:
    """Make the first tenant and write its key to `credentials.json` in the data directory,
    unless that is there.
    """
    path = settings.data_dir / "credentials.json"
    if not path.exists():
        tenant, key = await create_key(settings, "default", "bootstrap")
        draft = path.with_suffix(".new")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump({"tenant_id": str(tenant), "api_key": key}, file)
        draft.replace(path)
    return path
