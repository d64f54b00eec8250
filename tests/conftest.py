"""Real servers for the whole run.

For each test a database cloned from a template, and topics of its own.
"""

import asyncio
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from hypothesis import settings as hypothesis_settings
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from compose import migrate, roles, topics
from compose.adapters.sealing import new_key
from compose.database import engine
from compose.devstack.children import running
from compose.devstack.kafka import KafkaServer
from compose.devstack.ports import free_ports
from compose.devstack.postgres import PostgresServer
from compose.settings import Settings
from schemas.topics import TOPICS
from tests.chance import LONG
from tests.databases import Databases, databases
from tests.published import COUNTED, Verdict, in_the_log, on_kafka

hypothesis_settings.load_profile("long" if LONG else "short")

TEMPLATE = "headrace_template"


@dataclass(frozen=True)
class Cluster:
    """A Postgres with our roles and a migrated template database."""

    superuser_url: str
    login_url: str

    def url(self, database: str) -> str:
        """The login's URL of a database."""
        return urlunsplit(urlsplit(self.login_url)._replace(path="/" + database))


@pytest.fixture(scope="session")
def server_directory() -> Iterator[Path]:
    """Not below pytest's own directory: a second run as root closes that one to the user that
    Postgres runs as.
    """
    with tempfile.TemporaryDirectory(
        prefix="headrace-test-", ignore_cleanup_errors=True
    ) as directory:
        yield Path(directory)


@pytest.fixture(scope="session")
def kafka(server_directory: Path) -> Iterator[str]:
    """The bootstrap address of a Kafka that nobody kills."""
    port, controller = free_ports(2)
    server = KafkaServer(server_directory / "kafka", port, controller)
    with running(server):
        yield server.bootstrap


@pytest.fixture(scope="session")
def postgres(server_directory: Path) -> Iterator[str]:
    """The URL of a Postgres that nobody kills, as its superuser."""
    (port,) = free_ports(1)
    server = PostgresServer(
        server_directory / "postgres", port, {"fsync": "off"}
    )  # a database a test: many files
    with running(server):
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
    """Say how many records the published contract was asked of."""
    if COUNTED:
        terminalreporter.write_line(
            "published contract: " + ", ".join(f"{n} {word}" for word, n in COUNTED.items())
        )


@pytest.fixture(scope="session")
def fresh_databases(cluster: Cluster) -> Iterator[Databases]:
    """Those that `database` gives out."""
    with databases(cluster.superuser_url, TEMPLATE) as fresh:
        yield fresh


@pytest.fixture
async def database(
    cluster: Cluster, fresh_databases: Databases, verdict: Verdict
) -> AsyncIterator[str]:
    """The login's URL of a fresh database.

    All that stands in its log in the end satisfies the published contract.
    """
    name = fresh_databases.take()
    yield cluster.url(name)
    superuser = await asyncpg.connect(
        urlunsplit(urlsplit(cluster.superuser_url)._replace(path="/" + name))
    )
    produced = await in_the_log(superuser)
    await superuser.close()
    fresh_databases.give_back(name)
    verdict.on(produced)


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
    (port,) = free_ports(1)
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
