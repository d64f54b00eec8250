"""Where everything of one stack is, and what it hands to its processes."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from compose.devstack.ports import HOST, Ports, choose, remembered
from compose.devstack.secrets_file import kept_secret, write_private
from compose.devstack.status import StackStatus
from compose.sealing import new_key
from compose.settings import PREFIX, Settings

LOGIN = "headrace"
DATABASE = "headrace"


@dataclass(frozen=True)
class Addresses:
    """The addresses of a stack; `embedded_*` says whether it runs that server itself."""

    data_dir: Path
    ports: Ports
    postgres_url: str
    kafka: str
    object_store: str
    api_url: str
    embedded_postgres: bool
    embedded_kafka: bool
    metrics_port: int = 0
    log_bytes: int = 64 << 20

    def environment(
        self, current: Mapping[str, str] = os.environ, *, place: int = 0
    ) -> dict[str, str]:
        """The caller's environment with these addresses in it.

        The process in this place has a port for its metrics.
        """
        ours = {
            "DATA_DIR": str(self.data_dir),
            "POSTGRES_URL": self.postgres_url,
            "KAFKA": self.kafka,
            "OBJECT_STORE": self.object_store,
            "API_URL": self.api_url,
            **(
                {"POSTGRES_DATA_DIR": str(self.data_dir / "postgres")}
                if self.embedded_postgres
                else {}
            ),
            "METRICS_PORT": str(self.metrics_port and self.metrics_port + place),
            "SECRET_KEYS": current.get(PREFIX + "SECRET_KEYS") or _secret_keys(self.data_dir),
        }
        return {
            **current,
            "PYTHONUNBUFFERED": "1",
            **{PREFIX + name: value for name, value in ours.items()},
        }

    def status(self) -> StackStatus:
        """The beginning of status.json."""
        return StackStatus(
            "starting",
            os.getpid(),
            self.api_url,
            self.kafka,
            self.postgres_url,
            self.object_store,
            str(self.data_dir),
        )


def find(settings: Settings) -> Addresses:
    """Choose the ports and build the addresses.

    A server whose address the user gave is not embedded, except when it is the one that this data
    directory remembers: `eval "$(headrace env)"` must not turn the next `up` against itself.
    """
    data_dir = settings.data_dir.absolute()
    file = data_dir / "ports.json"
    known = remembered(file)
    url = settings.postgres_url.get_secret_value()
    embedded_postgres = not _given(settings, "postgres_url") or (
        known is not None and _host_and_port(url) == (HOST, known.postgres)
    )
    embedded_kafka = not _given(settings, "kafka") or (
        known is not None and settings.kafka == f"{HOST}:{known.kafka}"
    )
    ports = choose(
        file, {"api": _host_and_port(settings.api_url)[1]} if _given(settings, "api_url") else None
    )
    password = quote(kept_secret(data_dir / "headrace-password"), safe="")
    objects = data_dir / "objects"
    return Addresses(
        data_dir=data_dir,
        ports=ports,
        postgres_url=f"postgresql://{LOGIN}:{password}@{HOST}:{ports.postgres}/{DATABASE}"
        if embedded_postgres
        else url,
        kafka=f"{HOST}:{ports.kafka}" if embedded_kafka else settings.kafka,
        object_store=settings.object_store
        if _given(settings, "object_store")
        else objects.as_uri(),
        api_url=settings.api_url if _given(settings, "api_url") else f"http://{HOST}:{ports.api}",
        embedded_postgres=embedded_postgres,
        embedded_kafka=embedded_kafka,
        metrics_port=settings.metrics_port,
        log_bytes=settings.log_bytes,
    )


def _given(settings: Settings, name: str) -> bool:
    return name in settings.model_fields_set


def _host_and_port(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    usual = {"https": 443, "http": 80}.get(parts.scheme, 5432)
    return parts.hostname or HOST, parts.port or usual


def _secret_keys(data_dir: Path) -> str:
    """The stack's own key for signing secrets, made once."""
    path = data_dir / "secret-keys"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_private(path, new_key("k1"))
    return path.read_text(encoding="utf-8")
