"""Real servers for the whole run.

For each test a database cloned from a template, and topics of its own.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from hypothesis import settings as hypothesis_settings
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from compose.devstack.servers.postgres import PostgresServer
from compose.devstack.subprocesses import running
from compose.kafka import topics
from compose.postgres import migrate, roles
from compose.postgres.connections import engine
from compose.sealing import new_key
from compose.settings import Settings
from schemas.topics import TOPICS
from tests.chance import LONG
from tests.harness.database import OPTIONS, TEMPLATE, Cluster, Databases, set_cheap_password
from tests.harness.directories import server_directory
from tests.harness.ports import own_ports
from tests.harness.workers import KAFKA, Failures, Shared, sendable, shared_kafka, summary, told
from tests.published import COUNTED, Verdict, on_kafka

hypothesis_settings.load_profile("long" if LONG else "short")


def pytest_configure(config: pytest.Config) -> None:
    """Show failures when they happen, and start what workers share before them."""
    if told(config):
        return
    config.pluginmanager.register(Failures(config), "failures")
    if config.getoption("dist", "no") != "no":
        config.pluginmanager.register(Shared(), "shared")


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, Any, Any]:
    """Let a worker report what a test logged of half a surrogate pair, which no UTF-8 holds."""
    return sendable((yield))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tell from a worker how many records it has asked."""
    if told(session.config):
        session.config.workeroutput["published"] = dict(COUNTED)  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def kafka(request: pytest.FixtureRequest) -> Iterator[str]:
    """The bootstrap address of a Kafka that nobody kills; workers have one together."""
    if bootstrap := told(request.config).get(KAFKA):
        yield bootstrap
        return
    with shared_kafka() as own:
        yield own


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a Postgres that nobody kills, as its superuser; each worker has one."""
    with server_directory() as directory:
        (port,) = own_ports(1)
        server = PostgresServer(directory, port, OPTIONS)
        with running(server):
            asyncio.run(set_cheap_password(server))
            yield server.url("postgres")


@pytest.fixture(scope="session")
def cluster(postgres: str) -> Cluster:
    """Roles, login and the template, made as an operator makes them."""
    where = urlsplit(postgres)
    login = f"postgresql://headrace:test@{where.hostname}:{where.port}/{TEMPLATE}"
    asyncio.run(roles.ensure(postgres, login))
    migrate.upgrade(login)
    return Cluster(postgres, login)


@pytest.fixture
def verdict(request: pytest.FixtureRequest) -> Iterator[Verdict]:
    """What the test's records are held against in the end."""
    verdict = Verdict(request)
    yield verdict
    verdict.end()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What the whole run has found."""
    summary(terminalreporter)


@pytest.fixture(scope="session")
def databases(cluster: Cluster) -> Databases:
    """Those that `database` gives out."""
    return Databases(cluster)


@pytest.fixture
async def database(cluster: Cluster, databases: Databases, verdict: Verdict) -> AsyncIterator[str]:
    """The login's URL of a database like new.

    All that stands in its log in the end satisfies the contract.
    """
    name = await databases.take()
    yield cluster.url(name)
    verdict.on(await databases.give_back(name))


@pytest.fixture
async def pipeline(database: str) -> AsyncIterator[AsyncEngine]:
    """Connections of the pipeline's role."""
    pool = engine(database, "headrace_pipeline", "test", pool_size=10)
    yield pool
    await pool.dispose()


@pytest.fixture
async def api_engine(database: str) -> AsyncIterator[AsyncEngine]:
    """Connections of the API's role."""
    pool = engine(database, "headrace_api", "test", pool_size=5)
    yield pool
    await pool.dispose()


@pytest.fixture
async def admin(kafka: str) -> AsyncIterator[AIOKafkaAdminClient]:
    """An admin client of the shared Kafka."""
    client = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await client.start()
    yield client
    await client.close()


@pytest.fixture
def database_settings(database: str, tmp_path: Path) -> Settings:
    """Settings of a process that has the test's database and object store, and no Kafka."""
    (port,) = own_ports(1)
    return Settings(
        data_dir=tmp_path / "data",
        postgres_url=SecretStr(database),
        kafka="127.0.0.1:1",
        object_store=f"file://{tmp_path / 'objects'}",
        api_url=f"http://127.0.0.1:{port}",
        lease_seconds=3.0,
        secret_keys=SecretStr(new_key("test")),
    )


@pytest.fixture
async def settings(
    database_settings: Settings, kafka: str, admin: AIOKafkaAdminClient, verdict: Verdict
) -> AsyncIterator[Settings]:
    """The same with topics of the test's own on the shared Kafka, whose records satisfy the
    published contract.
    """
    prefix = f"t{uuid.uuid4().hex[:8]}."
    whole = database_settings.model_copy(update={"kafka": kafka, "kafka_topic_prefix": prefix})
    await topics.ensure(whole)
    yield whole
    produced = await on_kafka(kafka, prefix)
    await admin.delete_topics([prefix + topic.name for topic in TOPICS])
    verdict.on(produced, prefix)
