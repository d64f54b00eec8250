"""Every setting with its value and where that came from, secrets masked."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from dotenv import dotenv_values
from pydantic import SecretStr

from compose.settings import PREFIX, Settings

MASK = "••••"


@dataclass(frozen=True)
class Origin:
    """The value of a setting, and where it comes from."""

    name: str
    value: str
    origin: str
    description: str


def origins(settings: Settings, instead: Mapping[str, tuple[str, str]]) -> list[Origin]:
    """All settings in their order; `instead` has (value, origin) of those that come from
    elsewhere when not set.
    """
    in_environment = {name.upper() for name in os.environ}
    in_file = {name.upper() for name in dotenv_values(".env")}
    found = []
    for field, about in Settings.model_fields.items():
        name = PREFIX + field.upper()
        value = getattr(settings, field)
        if name in in_environment:
            origin = "environment"
        elif name in in_file:
            origin = ".env"
        elif field in instead:
            value, origin = instead[field]
            value = (
                SecretStr(value)
                if isinstance(getattr(settings, field), SecretStr | None)
                else value
            )
        else:
            origin = "command line" if field in settings.model_fields_set else "default"
        found.append(Origin(name, shown(value), origin, about.description or ""))
    return found


def shown(value: Any) -> str:
    """A value as it may be printed: of a URL with a login all but the password, of another
    secret nothing.
    """
    if value is None:
        return "-"
    if not isinstance(value, SecretStr):
        return str(value) or "(empty)"
    parts = urlsplit(value.get_secret_value())
    if not (parts.scheme and parts.hostname):
        return MASK
    login, at, place = parts.netloc.rpartition("@")
    user, colon, _ = login.partition(":")
    masked = f"{user}{colon}{MASK if colon else ''}{at}{place}"
    # A libpq URL may hold the password in its query, too.
    return urlunsplit((parts.scheme, masked, parts.path, MASK if parts.query else "", ""))
