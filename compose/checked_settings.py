"""Checks of settings before a process begins: a wrong one ends it with one line that names the
setting.
"""

import re
import socket
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from compose.settings import PREFIX, Settings

SCHEMES = ("postgresql", "postgres")
SERVER = re.compile(r"(\[[0-9A-Fa-f:.]+(?:%\w+)?\]|[^\s:,/@\[\]]+)(?::(\d{1,5}))?")
LAST_PORT = 65535
EXAMPLE = "postgresql://headrace:PASSWORD@db.example:5432/headrace"
ENCODE = "with / ? # @ [ ] % in the password percent-encoded"


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
    parts = _split("postgres_url", given, f"use {EXAMPLE}, {ENCODE}")
    if parts.scheme not in SCHEMES:
        what = f"begins with {parts.scheme}://" if parts.scheme else "is no URL"
        raise WrongSetting("postgres_url", f"{what}; Headrace needs PostgreSQL: {EXAMPLE}")


def kafka(settings: Settings) -> None:
    """Raise WrongSetting for what is no list of servers."""
    servers = [one.strip() for one in settings.kafka.split(",") if one.strip()]
    if not servers:
        raise WrongSetting(
            "kafka", "names no server; it is a list of HOST:PORT, separated by commas"
        )
    for one in servers:
        found = SERVER.fullmatch(one)
        is_server = found is not None and 0 < int(found[2] or 9092) <= LAST_PORT
        if not is_server and not _is_ip(one):
            what = f"has {one!r} in it; it is a list of HOST:PORT, separated by commas"
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
        what = (
            "is a relative path, which depends on where a process is started; use "
            f"{path.absolute().as_uri()}"
        )
        raise WrongSetting("object_store", what)


def secret_keys(settings: Settings) -> None:
    """Raise WrongSetting where signing secrets could not be sealed."""
    from compose.sealing import Sealer

    make = "make a key with `headrace admin new-secret-key`"
    if settings.secret_keys is None:
        raise WrongSetting("secret_keys", f"is not set; {make}")
    try:
        Sealer(settings.secret_keys.get_secret_value())
    except ValueError:
        what = "is not a list of name:key pairs, a key being 32 bytes as base64"
        raise WrongSetting("secret_keys", f"{what}; {make}") from None


CHECKS: dict[str, Callable[[Settings], None]] = {
    one.__name__: one
    for one in (postgres_url, kafka, api_url, public_url, object_store, secret_keys)
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
        for family, kind, protocol, _, address in socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        ):
            try:
                probe = socket.socket(family, kind, protocol)
            except OSError:  # the kernel has no IPv6: the server passes that address over too
                continue
            with probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
    except OSError as error:
        cause = "there is no such host" if isinstance(error, socket.gaierror) else error.strerror
        what = (
            f"is {settings.api_url}, where the API cannot listen: {cause}; name another port "
            "or address"
        )
        raise CannotListen("api_url", what) from None


def _is_ip(given: str) -> bool:
    try:
        ip_address(given)
    except ValueError:
        return False
    return True


def _http(name: str, given: str) -> None:
    advice = "use http://HOST:PORT" if name == "api_url" else "use https://HOST"
    parts = _split(name, given, advice)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise WrongSetting(name, f"does not begin with http:// and a host; {advice}")
    if parts.query or parts.fragment or parts.username:
        raise WrongSetting(name, f"has more in it than an address; {advice}")


def _split(name: str, given: str, advice: str) -> SplitResult:
    try:
        parts = urlsplit(given)
        _ = parts.port, parts.hostname
    except ValueError:  # its text may hold a part of the password
        raise WrongSetting(name, f"is malformed; {advice}") from None
    return parts
