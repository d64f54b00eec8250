"""Secrets at rest."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compose.sealing import NoSuchKey, Sealer, new_key

ONE, TWO = UUID(int=1), UUID(int=2)
KEY = new_key("k1")


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_opens_what_it_sealed_and_nothing_shows(secret: str) -> None:
    sealer = Sealer(KEY)
    sealed = sealer.seal(secret, ONE, TWO)
    assert sealer.open(sealed, ONE, TWO) == secret
    assert sealed != sealer.seal(secret, ONE, TWO)
    assert len(secret) < 8 or secret.encode() not in sealed


def test_is_bound_to_tenant_and_source() -> None:
    sealer = Sealer(KEY)
    sealed = sealer.seal("secret", ONE, TWO)
    for tenant, source in ((TWO, ONE), (ONE, ONE), (TWO, TWO)):
        with pytest.raises(NoSuchKey):
            sealer.open(sealed, tenant, source)


@given(st.data())
def test_a_changed_byte_or_a_short_text_does_not_open(data: st.DataObject) -> None:
    sealer = Sealer(KEY)
    sealed = sealer.seal("secret", ONE, TWO)
    place = data.draw(st.integers(0, len(sealed) - 1))
    changed = (
        sealed[:place]
        + bytes([sealed[place] ^ data.draw(st.integers(1, 255))])
        + sealed[place + 1 :]
    )
    for broken in (changed, sealed[:place]):
        with pytest.raises(NoSuchKey):
            sealer.open(broken, ONE, TWO)


def test_a_new_key_seals_and_the_one_before_still_opens() -> None:
    old = Sealer(KEY).seal("secret", ONE, TWO)
    both = Sealer(f"{new_key('k2')}, {KEY}")
    assert both.open(old, ONE, TWO) == "secret"
    assert both.seal("secret", ONE, TWO).startswith(b"k2:")
    with pytest.raises(NoSuchKey, match="k1"):
        Sealer(new_key("k2")).open(old, ONE, TWO)


@pytest.mark.parametrize(
    "keys",
    [
        "",
        " , ",
        "k1",
        "k1:",
        "k1:c2hvcnQ=",
        pytest.param(":" + KEY[3:], id="no name"),
        "k1:not base64 at all!",
    ],
)
def test_keys_that_are_none_are_refused_without_being_told(keys: str) -> None:
    with pytest.raises(ValueError, match="HEADRACE_SECRET_KEYS") as refused:
        Sealer(keys)
    assert KEY[3:] not in str(refused.value)
