"""Signing secrets at rest: AES-256-GCM, bound to their tenant and source, under keys that can be
changed.
"""

import base64
import binascii
import os
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12


class NoSuchKey(Exception):
    """A secret was sealed under a key that HEADRACE_SECRET_KEYS does not have, or it was
    tampered with.
    """


class Sealer:
    """Seals under the first key, opens under any: `name:base64 of 32 bytes`, comma separated."""

    def __init__(self, keys: str) -> None:
        self._keys = dict(_parse(part) for part in keys.split(",") if part.strip())
        if not self._keys:
            raise ValueError(
                "HEADRACE_SECRET_KEYS is empty: make a key with `headrace admin new-secret-key`"
            )
        self._first = next(iter(self._keys))

    def seal(self, secret: str, tenant: UUID, source: UUID) -> bytes:
        """The secret, as it is stored."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._keys[self._first].encrypt(
            nonce, secret.encode(), tenant.bytes + source.bytes
        )
        return self._first.encode() + b":" + nonce + sealed

    def open(self, stored: bytes, tenant: UUID, source: UUID) -> str:
        """The secret in what is stored; raises NoSuchKey."""
        name, _, rest = stored.partition(b":")
        key = self._keys.get(name.decode(errors="replace"))
        if key is None:
            raise NoSuchKey(
                f"a secret of source {source} was sealed under the key {name!r}, which is not set"
            )
        try:
            return key.decrypt(
                rest[:NONCE_BYTES], rest[NONCE_BYTES:], tenant.bytes + source.bytes
            ).decode()
        except (InvalidTag, ValueError):
            raise NoSuchKey(f"a secret of source {source} does not open under its key") from None


def new_key(name: str) -> str:
    """A new key in the form that the setting takes."""
    return f"{name}:{base64.b64encode(os.urandom(32)).decode()}"


def _parse(text: str) -> tuple[str, AESGCM]:
    name, _, encoded = text.strip().partition(":")
    try:
        key = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        key = b""
    if not name or len(key) != 32:
        raise ValueError(
            "HEADRACE_SECRET_KEYS has name:key pairs, a key being the base64 of 32 bytes"
        )
    return name, AESGCM(key)
