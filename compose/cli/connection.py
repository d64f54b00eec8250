"""Where the API is and with which key: from the settings, else from the stack that runs in the
data directory.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

from pydantic import SecretStr

from compose.cli.failure import CommandFailure
from compose.devstack.status import RunFiles, StackStatus
from compose.settings import Settings

LOOPBACK = ("127.0.0.1", "localhost", "::1")
STACK = "the running stack"
CREDENTIALS = "credentials.json"


@dataclass(frozen=True)
class Connection:
    """What a client needs; `origins` says for each value that no setting gave where it came from
    instead.
    """

    api_url: str
    api_key: str | None
    kafka: str
    stack: StackStatus
    origins: dict[str, str]
    given: bool

    @property
    def known(self) -> bool:
        """Whether anybody said where the API is: a setting, or a running stack."""
        return self.given or "api_url" in self.origins


def settings_of(data_dir: Path | None) -> Settings:
    """The settings, with another data directory when one is given."""
    return Settings() if data_dir is None else Settings(data_dir=data_dir)


def operated(data_dir: Path | None = None) -> Settings:
    """The settings of who operates: a database, store or Kafka that they do not name is the running
    stack's.

    Raises WrongSetting where they cannot be used.
    """
    from compose.checked_settings import require

    settings = settings_of(data_dir)
    stack = RunFiles(settings.data_dir.absolute()).status()
    running = {
        "postgres_url": stack.postgres_url and SecretStr(stack.postgres_url),
        "object_store": stack.object_store,
        "kafka": stack.kafka,
    }
    found = settings.model_copy(
        update={
            name: value
            for name, value in running.items()
            if value and name not in settings.model_fields_set
        }
    )
    require(found, "postgres_url", "kafka", "object_store")
    return found


def find(settings: Settings) -> Connection:
    """Settings first, then the running stack, then the defaults."""
    stack = RunFiles(settings.data_dir.absolute()).status()
    origins: dict[str, str] = {}
    given = settings.model_fields_set

    def value(name: str, default: str, of_stack: str | None) -> str:
        if name in given or stack.state == "stopped" or of_stack is None:
            return default
        origins[name] = STACK
        return of_stack

    api_url = value("api_url", settings.api_url, stack.api_url).rstrip("/")
    kafka = value("kafka", settings.kafka, stack.kafka)
    api_key = None if settings.api_key is None else settings.api_key.get_secret_value()
    if api_key is None and _ours(settings, api_url, stack):
        api_key = _kept_key(settings.data_dir / CREDENTIALS)
        if api_key is not None:
            origins["api_key"] = CREDENTIALS
    return Connection(api_url, api_key, kafka, stack, origins, "api_url" in given)


def reachable(data_dir: Path | None = None) -> Connection:
    """The same where it is known; Failure else: a key is not shown to whoever listens on the
    default port.
    """
    from compose.checked_settings import require

    settings = settings_of(data_dir)
    require(settings, "api_url")
    found = find(settings)
    if not found.known:
        raise CommandFailure(
            f"no stack is running in {found.stack.data_dir}",
            "start one: headrace up --detach",
            "or name an API: HEADRACE_API_URL and HEADRACE_API_KEY",
        )
    return found


def without_password(url: str) -> str:
    """A URL of a database without its password, wherever that is in it."""
    scheme, slashes, rest = url.partition("://")
    login, at, place = rest.rpartition(
        "@"
    )  # before it is parsed: a password may have any character
    masked = f"{scheme}{slashes}{login.partition(':')[0]}{at}{place}"
    try:
        parts = urlsplit(masked)
    except ValueError:
        return masked
    options = [(name, value) for name, value in parse_qsl(parts.query) if "password" not in name]
    return parts._replace(query=urlencode(options), fragment="").geturl()


def is_loopback(url: str) -> bool:
    """Whether a URL leads to this machine."""
    try:
        return urlsplit(url).hostname in LOOPBACK
    except ValueError:
        return False


def _ours(settings: Settings, api_url: str, stack: StackStatus) -> bool:
    # The stack's key is not shown to a foreign host that somebody put into HEADRACE_API_URL.
    return (
        "api_url" not in settings.model_fields_set
        or api_url == stack.api_url
        or is_loopback(api_url)
    )


def _kept_key(path: Path) -> str | None:
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["api_key"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
