"""Settings that a process cannot begin with: found before anything else, told in one line that names the setting."""

import re
import socket
from collections.abc import Callable
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from compose.settings import PREFIX, Settings

SCHEMES = ("postgresql", "postgres")
SERVER = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:,/@\[\]]+)(?::(\d{1,5}))?")
LAST_PORT = 65535
EXAMPLE = "postgresql://headrace:PASSWORD@db.example:5432/headrace"


class WrongSetting(Exception):
    """A setting is missing or wrong; the message names it and says what to do."""

    def __init__(self, name: str, what: str) -> None:
        super().__init__(f"{PREFIX}{name.upper()} {what}")
        self.name = name


class CannotListen(WrongSetting):
    """The address that a setting names cannot be listened on."""


def require(settings: Settings, *names: str) -> None:
    """Raise WrongSetting for the first of these settings that a process cannot work with."""
    for name in names:
        CHECKS[name](settings)


def postgres_url(settings: Settings) -> None:
    """Raise WrongSetting for what asyncpg cannot connect to."""
    given = settings.postgres_url.get_secret_value()
    parts = _split("postgres_url", given, f"use {EXAMPLE}")
    if parts.scheme not in SCHEMES:
        what = f"begins with {parts.scheme}://" if parts.scheme else "is no URL"
        raise WrongSetting("postgres_url", f"{what}; Headrace needs PostgreSQL: {EXAMPLE}")


def kafka(settings: Settings) -> None:
    """Raise WrongSetting for what is no list of servers."""
    for one in settings.kafka.split(","):
        found = SERVER.fullmatch(one.strip())
        if found is None or not 0 < int(found[2] or 9092) <= LAST_PORT:
            what = f"has {one.strip()!r} in it; it is a list of HOST:PORT, separated by commas"
            raise WrongSetting("kafka", what)


def api_url(settings: Settings) -> None:
    """Raise WrongSetting for what is no address to listen on."""
    _http("api_url", settings.api_url)


def public_url(settings: Settings) -> None:
    """Raise WrongSetting for what others cannot call."""
    if settings.public_url is not None:
        _http("public_url", settings.public_url)


def object_store(settings: Settings) -> None:
    """Raise WrongSetting for what is no absolute directory."""
    parts = _split("object_store", settings.object_store, "use file:///DIRECTORY")
    if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
        what = f"is {parts.scheme or 'without a scheme'}"
        if parts.scheme not in ("", "file"):
            what = f"begins with {parts.scheme}://, which this version does not support"
        elif parts.netloc:
            what = "names a host"
        raise WrongSetting("object_store", f"{what}; use a directory: file:///DIRECTORY")
    path = Path(unquote(parts.path))
    if not path.is_absolute():
        what = f"is a relative path, which depends on where a process is started; use {path.absolute().as_uri()}"
        raise WrongSetting("object_store", what)


def secret_keys(settings: Settings) -> None:
    """Raise WrongSetting where signing secrets could not be sealed."""
    from compose.adapters.sealing import Sealer

    make = "make a key with `headrace admin new-secret-key`"
    if settings.secret_keys is None:
        raise WrongSetting("secret_keys", f"is not set; {make}")
    try:
        Sealer(settings.secret_keys.get_secret_value())
    except ValueError:
        what = "is not a list of name:key pairs, a key being 32 bytes as base64"
        raise WrongSetting("secret_keys", f"{what}; {make}") from None


CHECKS: dict[str, Callable[[Settings], None]] = {
    one.__name__: one for one in (postgres_url, kafka, api_url, public_url, object_store, secret_keys)
}
"""What can be said of a setting without asking anybody."""


def port_of(url: str) -> int:
    """The port of a URL of ours, that of its scheme where it names none."""
    parts = urlsplit(url)
    return parts.port or (443 if parts.scheme == "https" else 80)


def can_listen(settings: Settings) -> None:
    """Raise CannotListen where the API's address is another program's, or not this machine's."""
    host, port = urlsplit(settings.api_url).hostname, port_of(settings.api_url)
    try:
        for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
    except OSError as error:
        cause = "there is no such host" if isinstance(error, socket.gaierror) else error.strerror
        what = f"is {settings.api_url}, where the API cannot listen: {cause}; name another port or address"
        raise CannotListen("api_url", what) from None


def _http(name: str, given: str) -> None:
    advice = "use http://HOST:PORT" if name == "api_url" else "use https://HOST"
    parts = _split(name, given, advice)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise WrongSetting(name, f"is {given!r}; {advice}")
    if parts.query or parts.fragment or parts.username:
        raise WrongSetting(name, f"has more in it than an address; {advice}")


def _split(name: str, given: str, advice: str) -> SplitResult:
    try:
        parts = urlsplit(given)
        _ = parts.port, parts.hostname
    except ValueError as error:
        raise WrongSetting(name, f"is malformed ({error}); {advice}") from None
    return parts
