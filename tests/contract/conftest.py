"""One database for all questions of the contract; what a test writes into it is rolled back."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from tests.harness.database import TEMPLATE, Cluster

NAME = "contract"


async def _make(superuser_url: str) -> None:
    admin = await asyncpg.connect(superuser_url)
    await admin.execute(f"CREATE DATABASE {NAME} TEMPLATE {TEMPLATE} OWNER headrace_owner")
    await admin.close()


@pytest.fixture(scope="session")
def contract_url(cluster: Cluster) -> str:
    """The superuser's URL of a migrated database, made once."""
    asyncio.run(_make(cluster.superuser_url))
    return urlunsplit(urlsplit(cluster.superuser_url)._replace(path="/" + NAME))


@pytest.fixture
async def db(contract_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A superuser, who can become each role, in a transaction that is never committed."""
    connection = await asyncpg.connect(contract_url)
    transaction = connection.transaction()
    await transaction.start()
    yield connection
    await transaction.rollback()
    await connection.close()
