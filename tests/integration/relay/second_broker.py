"""A second broker of a Kafka that runs, so that partitions can lose their only replica."""

import shutil
from dataclasses import dataclass

from compose.devstack.servers.kafka import HOST, NODE, KafkaServer

OTHER = NODE + 1


@dataclass(frozen=True)
class SecondBroker(KafkaServer):
    """A broker that is no controller, formatted for the cluster of `first`."""

    first: KafkaServer | None = None

    def prepare(self) -> None:
        """Write the first one's properties with another node, another log and no controller of
        its own.
        """
        assert self.first is not None
        if self.data_dir.exists():
            return
        shutil.copytree(
            self.first.data_dir, self.data_dir, ignore=shutil.ignore_patterns("records", "*.log")
        )
        self.log_dir.mkdir()
        found = (self.first.log_dir / "meta.properties").read_text(encoding="utf-8").splitlines()
        own = [line for line in found if not line.startswith(("node.id", "directory.id"))]
        (self.log_dir / "meta.properties").write_text(
            "\n".join([*own, f"node.id={OTHER}"]), encoding="utf-8"
        )
        with self._properties.open("a", encoding="utf-8") as properties:
            properties.write(
                f"process.roles=broker\nnode.id={OTHER}\nlisteners=PLAINTEXT://{self.bootstrap}\n"
                f"advertised.listeners=PLAINTEXT://{self.bootstrap}\nlog.dirs={self.log_dir.as_posix()}\n"
                f"controller.quorum.voters={NODE}@{HOST}:{self.first.controller_port}\n"
            )
