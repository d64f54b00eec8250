"""Keyed digests as text, compared in constant time."""

import base64
import hmac
from collections.abc import Callable, Sequence
from typing import Literal

Algorithm = Literal["sha1", "sha256", "sha512"]
# More than any rotation needs; without an end, one request could cost as many digests as fit into a
# header.
MOST_SIGNATURES = 20
SHORTEST_SECRET = 8
SHORTEST_GOOD_SECRET = 16
LONGEST_SECRET = 200


def hexadecimal(digest: bytes) -> str:
    """The digest in lower-case hexadecimal digits."""
    return digest.hex()


def base64_text(digest: bytes) -> str:
    """Base64 with its padding: the one way to write these bytes, so no other spelling compares
    equal.
    """
    return base64.b64encode(digest).decode()


def key_of(secret: str) -> bytes | None:
    """The characters of a secret as a key; None for an empty one, since an empty key signs for
    everybody.
    """
    try:
        return secret.encode() or None
    except UnicodeEncodeError:
        return None


def signature(
    secret: str,
    content: bytes,
    *,
    algorithm: Algorithm = "sha256",
    written: Callable[[bytes], str] = hexadecimal,
) -> str:
    """What a sender shows; raises ValueError when the secret cannot be a key."""
    key = key_of(secret)
    if key is None:
        raise ValueError("the secret is empty or not text")
    return written(hmac.digest(key, content, algorithm))


def signed_by_one(
    shown: Sequence[str],
    secrets: Sequence[str],
    content: bytes,
    *,
    algorithm: Algorithm = "sha256",
    written: Callable[[bytes], str] = hexadecimal,
) -> bool:
    """Whether one of the signatures shown is by one of the secrets."""
    for key in map(key_of, secrets):
        if key is not None:
            expected = written(hmac.digest(key, content, algorithm))
            if shown_among(shown, expected):
                return True
    return False


def shown_among(shown: Sequence[str], expected: str) -> bool:
    """Whether one of the texts shown is the expected one; the first few count."""
    awaited = expected.encode()
    for one in shown[:MOST_SIGNATURES]:  # noqa: SIM110 - the generator of any() costs more than the comparison
        if hmac.compare_digest(one.encode("utf-8", "replace"), awaited):
            return True
    return False


def text_secret_error(secret: str) -> str | None:
    """What is wrong with a secret that is used as it is written."""
    if not SHORTEST_SECRET <= len(secret) <= LONGEST_SECRET:
        return f"A secret has {SHORTEST_SECRET} to {LONGEST_SECRET} characters."
    if not secret.isprintable() or secret[0].isspace() or secret[-1].isspace():
        return "A secret is printable text without a space at either end."
    return None


def text_secret_warning(secret: str) -> str | None:
    """What to know about a secret that is accepted because a sender has it already."""
    if len(secret) >= SHORTEST_GOOD_SECRET:
        return None
    return (
        f"This secret has {len(secret)} characters and can be guessed from one delivery. Use one "
        "of at least "
        f"{SHORTEST_GOOD_SECRET} random characters as soon as the sender can be changed."
    )
