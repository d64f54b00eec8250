"""API keys: `hr_` and 256 random bits; the database keeps their SHA-256 only."""

import base64
import hashlib
import re

PREFIX = "hr_"
KEY = re.compile(PREFIX + r"[A-Za-z0-9_-]{43}")


def key_from(randomness: bytes) -> str:
    """The key that is shown once, from 32 random bytes."""
    return PREFIX + base64.urlsafe_b64encode(randomness).rstrip(b"=").decode()


def hash_of(key: str) -> bytes:
    """What is stored and looked up; a key of 256 random bits needs no slow hash."""
    return hashlib.sha256(key.encode()).digest()
