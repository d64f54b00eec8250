"""Ingest passwords: ours, 256 bits, kept as a digest, shown in three ways."""

import base64
import hashlib
import re

import pytest
from pydantic import ValidationError

from producers.webhooks.verification.password import (
    PasswordOptions,
    kept,
    secret_error,
    secret_from,
    verifier,
)
from producers.webhooks.verification.verdict import Forged, Genuine
from tests.unit.verification.cases import NOW

PASSWORD = secret_from(bytes(range(32)))


def judge(shown_as: str, headers: dict[str, str], secret: str | None = None) -> Genuine | Forged:
    verify = verifier(PasswordOptions.model_validate({"shown_as": shown_as}))
    return verify(b"{}", headers, [secret or kept(PASSWORD)], now=NOW, tolerance_seconds=300)


def basic(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_a_password_has_256_bits_and_is_not_kept() -> None:
    assert re.fullmatch(r"hrpw_[A-Za-z0-9_-]{43}", PASSWORD)
    assert kept(PASSWORD) == hashlib.sha256(PASSWORD.encode()).hexdigest()
    assert isinstance(judge("header", {"x-webhook-password": PASSWORD}, PASSWORD), Forged)
    assert isinstance(judge("header", {"x-webhook-password": kept(PASSWORD)}), Forged)


@pytest.mark.parametrize(
    "secret",
    ["correct horse battery staple correct horse", PASSWORD[:-1], PASSWORD + "A", kept(PASSWORD)],
)
def test_a_password_of_somebody_else_is_refused(secret: str) -> None:
    assert secret_error(secret) is not None


@pytest.mark.parametrize(
    ("shown_as", "header", "shown", "genuine"),
    [
        ("header", "x-webhook-password", PASSWORD, True),
        ("header", "x-webhook-password", f" {PASSWORD}", False),
        ("header", "x-webhook-password", f"{PASSWORD}\n{PASSWORD}", False),
        ("header", "authorization", f"Bearer {PASSWORD}", False),
        ("bearer", "authorization", f"Bearer {PASSWORD}", True),
        ("bearer", "authorization", f"bearer {PASSWORD}", True),
        ("bearer", "authorization", f"Bearer  {PASSWORD}", False),
        ("bearer", "authorization", f"Basic {basic(':' + PASSWORD)}", False),
        ("bearer", "authorization", f"Token {PASSWORD}", False),
        ("bearer", "authorization", PASSWORD, False),
        ("bearer", "authorization", "Bearer", False),
        ("bearer", "x-webhook-password", PASSWORD, False),
        ("basic", "authorization", f"Basic {basic('any:' + PASSWORD)}", True),
        ("basic", "authorization", f"BASIC {basic(':' + PASSWORD)}", True),
        ("basic", "authorization", f"Bearer {basic(':' + PASSWORD)}", False),
        ("basic", "authorization", f"Basic {basic(PASSWORD)}", False),
        ("basic", "authorization", f"Basic {basic(PASSWORD + ':')}", False),
        ("basic", "authorization", f"Basic {basic('a:b:' + PASSWORD)}", False),
        ("basic", "authorization", f"Basic {basic('é:' + PASSWORD)}", False),
        ("basic", "authorization", f"Basic {basic('any:' + PASSWORD)}=", False),
        ("basic", "authorization", f"Basic {basic('any:' + PASSWORD)} ", False),
        ("basic", "authorization", "Basic %%%", False),
        ("basic", "authorization", "Basic ", False),
        ("basic", "authorization", "", False),
    ],
)
def test_where_it_is_shown(shown_as: str, header: str, shown: str, genuine: bool) -> None:
    assert isinstance(judge(shown_as, {header: shown}), Genuine) is genuine


def test_base64_has_one_spelling() -> None:
    shown = basic("any:" + PASSWORD)
    assert shown.endswith("A==")
    other = shown.removesuffix("A==") + "B=="
    assert base64.b64decode(other) == base64.b64decode(shown)
    assert isinstance(judge("basic", {"authorization": f"Basic {other}"}), Forged)


@pytest.mark.parametrize(
    "given",
    [
        {"shown_as": "query"},
        {"header": "a b"},
        {"username": "x"},
        {"id_header": "X-Webhook-Password"},
        {"header": "X", "id_header": "x"},
        {"shown_as": "bearer", "id_header": "Authorization"},
    ],
)
def test_odd_options_are_refused(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        PasswordOptions.model_validate(given)
