"""The embedded PostgreSQL keeps what it acknowledged."""

import stat
import subprocess
from pathlib import Path

import asyncpg
import pytest

from compose.devstack.servers.postgres import PostgresServer
from compose.devstack.subprocesses import running
from tests.harness.ports import own_ports


@pytest.fixture
def server(data_dir: Path) -> PostgresServer:
    """A server without a cluster yet."""
    (port,) = own_ports(1)
    return PostgresServer(data_dir / "postgres", port)


async def test_it_is_durable_and_only_on_loopback(server: PostgresServer) -> None:
    expected = {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "data_checksums": "on",
        "server_encoding": "UTF8",
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "max_connections": "200",
        "password_encryption": "scram-sha-256",
    }
    with running(server):
        connection = await asyncpg.connect(server.url())
        try:
            found = {name: await connection.fetchval(f"SHOW {name}") for name in expected}
        finally:
            await connection.close()
        wrong = server.url().replace(server.password, "guessed")
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(wrong)
    assert found == expected
    assert stat.S_IMODE((server.data_dir / "superuser-password").stat().st_mode) == 0o600


async def test_a_committed_row_survives_kill_9(server: PostgresServer) -> None:
    with running(server) as process:
        connection = await asyncpg.connect(server.url())
        await connection.execute("CREATE TABLE kept (number int)")
        await connection.execute("INSERT INTO kept VALUES (41)")
        await connection.execute("BEGIN")
        await connection.execute("INSERT INTO kept VALUES (42)")
        process.kill()
        process.wait()
        connection.terminate()
    with running(server):
        connection = await asyncpg.connect(server.url())
        try:
            assert [row["number"] for row in await connection.fetch("SELECT number FROM kept")] == [
                41
            ]
        finally:
            await connection.close()


def test_a_lock_whose_number_now_belongs_to_another_program_is_no_obstacle(
    server: PostgresServer,
) -> None:
    server.prepare()
    # Of the server's own user: PostgreSQL itself takes only such a process for a living server.
    with subprocess.Popen(["/bin/sleep", "60"], user=server.user) as stranger:
        try:
            (server.cluster / "postmaster.pid").write_text(f"{stranger.pid}\n")
            with running(server) as process:
                assert process.poll() is None
            assert stranger.poll() is None
        finally:
            stranger.kill()
