"""API keys: 256 bits behind a prefix; what is stored cannot be shown."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from producers.access.keys import hash_of, key_from


def test_a_key_by_hand() -> None:
    assert key_from(b"\x00" * 32) == "hr_" + "A" * 43
    assert key_from(b"\xff" * 32) == "hr_" + "_" * 42 + "8"


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_every_bit_counts_and_travels_in_a_header(one: bytes, other: bytes) -> None:
    key = key_from(one)
    assert key.isascii()
    assert key.replace("_", "").replace("-", "").isalnum()
    assert (key == key_from(other)) == (one == other)
    assert (hash_of(key) == hash_of(key_from(other))) == (one == other)


def test_the_sha256_of_the_whole_key_is_kept() -> None:
    key = key_from(bytes(range(32)))
    assert hash_of(key) == hashlib.sha256(key.encode()).digest()
