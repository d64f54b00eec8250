"""An ingest password that we make: the request shows it, we keep its SHA-256 only.

Nothing in the request is signed.
"""
# ruff: noqa: ARG001 - every scheme is handed the same, whatever it signs

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, Self

from pydantic import model_validator

from producers.webhooks.verification.headers import HeaderName, plain, repeated
from producers.webhooks.verification.identity import IdOptions, reader
from producers.webhooks.verification.signature import base64_text, shown_among
from producers.webhooks.verification.verdict import Content, Forged, Genuine, Sign, Verify, as_sent

AUTHORIZATION = "authorization"
PREFIX = "hrpw_"
_OURS = re.compile(PREFIX + r"[A-Za-z0-9_-]{43}")


class PasswordOptions(IdOptions):
    """Where the password is shown: in a header of its own, as `Bearer`, or as the password of
    HTTP Basic.
    """

    shown_as: Literal["header", "bearer", "basic"] = "header"
    header: HeaderName = "x-webhook-password"

    @model_validator(mode="after")
    def _headers(self) -> Self:
        self._apart(_header(self))
        return self


def verifier(options: PasswordOptions) -> Verify:
    """The scheme as the options have it; its secrets are what `kept` made of the passwords."""
    name = _header(options)
    identify = reader(options)

    def verify(
        body: bytes,
        headers: Mapping[str, str],
        secrets: Sequence[str],
        *,
        now: datetime,
        tolerance_seconds: int,
        content: Content = as_sent,
    ) -> Genuine | Forged:
        shown = plain(headers, name)
        password = None if shown is None else _password(options, shown)
        if password is None:
            return Forged(
                f"{name} is missing, repeated or not a password shown as {options.shown_as}"
            )
        if options.id_header is not None and repeated(headers, options.id_header):
            return Forged(f"{options.id_header} is repeated")
        digest = kept(password)
        if not any(shown_among([secret], digest) for secret in secrets):
            return Forged("not the password")
        return Genuine(identify(content(body), headers), signed_id=False)

    return verify


def signer(options: PasswordOptions) -> Sign:
    """A sender that shows the password so."""

    def sign(body: bytes, secret: str, *, message_id: str, now: datetime) -> dict[str, str]:
        error = secret_error(secret)
        if error is not None:
            raise ValueError(error)
        shown = {
            "header": secret,
            "bearer": f"Bearer {secret}",
            "basic": "Basic " + base64_text(f"headrace:{secret}".encode()),
        }[options.shown_as]
        identity = {} if options.id_header is None else {options.id_header: message_id}
        return {**identity, _header(options): shown}

    return sign


def secret_from(randomness: bytes) -> str:
    """A new password, from 32 random bytes."""
    return PREFIX + base64.urlsafe_b64encode(randomness).decode().rstrip("=")


def secret_error(secret: str) -> str | None:
    """What is wrong with a password: only ours has enough chance in it to be kept as a plain
    SHA-256.
    """
    return (
        None
        if _OURS.fullmatch(secret)
        else f"Ingest passwords are made here ({PREFIX}…); leave the secret out."
    )


def kept(secret: str) -> str:
    """What is stored of a password: its SHA-256, in hexadecimal."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def kept_headers(options: PasswordOptions) -> tuple[str, ...]:
    """The id, where it is a header; never the password's."""
    return () if options.id_header is None else (options.id_header,)


def _header(options: PasswordOptions) -> str:
    return options.header if options.shown_as == "header" else AUTHORIZATION


def _password(options: PasswordOptions, shown: str) -> str | None:
    if options.shown_as == "header":
        return shown
    scheme, _, rest = shown.partition(" ")
    if scheme.lower() != options.shown_as:
        return None
    if options.shown_as == "bearer":
        return rest
    try:
        raw = base64.b64decode(rest, validate=True)
        _, colon, password = raw.decode("ascii").partition(":")
    except (binascii.Error, ValueError):
        return None
    return password if colon and shown_among([rest], base64_text(raw)) else None
