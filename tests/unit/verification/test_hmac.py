"""The generic scheme against digests made by the standard library, and the options that it
refuses.
"""

import base64
import hashlib
import hmac
from typing import Any

import pytest
from pydantic import ValidationError

from producers.webhooks.verification.hmac_generic import HmacOptions, signer, verifier
from producers.webhooks.verification.verdict import Forged, Genuine
from tests.unit.verification.cases import BODY, NOW

SECRET = "a secret that was agreed on"
SECONDS = str(int(NOW.timestamp()))


def judge(headers: dict[str, str], **given: Any) -> Genuine | Forged:
    verify = verifier(HmacOptions(header="X-Signature", **given))
    return verify(BODY, headers, [SECRET], now=NOW, tolerance_seconds=300)


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha512"])
@pytest.mark.parametrize("encoding", ["hex", "base64"])
@pytest.mark.parametrize("prefix", ["", "sha=", "HMAC "])
def test_algorithm_encoding_and_prefix(algorithm: str, encoding: str, prefix: str) -> None:
    digest = hmac.new(SECRET.encode(), BODY, getattr(hashlib, algorithm)).digest()
    written = digest.hex() if encoding == "hex" else base64.b64encode(digest).decode()
    given = {"algorithm": algorithm, "encoding": encoding, "prefix": prefix}
    assert isinstance(judge({"x-signature": prefix + written}, **given), Genuine)
    assert isinstance(judge({"x-signature": f"{prefix}00, {prefix}{written}"}, **given), Genuine)
    assert isinstance(judge({"x-signature": f"{prefix}00,{prefix}{written}"}, **given), Genuine)
    for spoiled in (
        written,
        f" {prefix}{written}",
        f"{prefix}{written} ",
        f"{prefix}{written}\n",
        f"x{prefix}{written}",
    ):
        assert isinstance(judge({"x-signature": spoiled}, **given), Genuine) is (
            spoiled == prefix + written
        )


def test_capitals_are_hexadecimal_and_a_mixture_is_not() -> None:
    written = hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest()
    mixed = "".join(letter.upper() if at % 2 else letter for at, letter in enumerate(written))
    assert isinstance(judge({"x-signature": written.upper()}), Genuine)
    assert isinstance(judge({"x-signature": mixed}), Forged)


@pytest.mark.parametrize(
    ("stamp", "written"),
    [
        (SECONDS, "seconds"),
        (SECONDS + "250", "milliseconds"),
        ("2026-03-02T09:14:07Z", "rfc3339"),
        ("2026-03-02T10:14:07.123456+01:00", "rfc3339"),
    ],
)
@pytest.mark.parametrize(
    "signed",
    ["{timestamp}.{body}", "v0:{timestamp}:{body}", "{body}{timestamp}", "{timestamp}\\{body}"],
)
def test_what_is_signed(stamp: str, written: str, signed: str) -> None:
    content = signed.encode().replace(b"{timestamp}", stamp.encode()).replace(b"{body}", BODY)
    shown = hmac.new(SECRET.encode(), content, hashlib.sha256).hexdigest()
    given = {"timestamp_header": "X-Time", "timestamp_format": written, "signed": signed}
    verdict = judge({"x-signature": shown, "x-time": stamp}, **given)
    assert isinstance(verdict, Genuine)
    assert verdict.signed_at is not None
    assert abs((verdict.signed_at - NOW).total_seconds()) < 1


def test_a_zero_cannot_move_from_the_body_into_the_time() -> None:
    options = HmacOptions(
        header="X-Signature", timestamp_header="X-Time", signed="{body}{timestamp}"
    )
    headers = signer(options)(b"x0", SECRET, message_id="", now=NOW)
    moved = {**headers, "x-time": "0" + headers["x-time"]}
    assert isinstance(
        verifier(options)(b"x", moved, [SECRET], now=NOW, tolerance_seconds=300), Forged
    )


def test_the_body_is_no_template() -> None:
    options = HmacOptions(
        header="X-Signature", timestamp_header="X-Time", signed="{timestamp}.{body}"
    )
    for body in (b"{timestamp}", b"{body}", b"", b"\0\xff"):
        headers = signer(options)(body, SECRET, message_id="", now=NOW)
        assert isinstance(
            verifier(options)(body, headers, [SECRET], now=NOW, tolerance_seconds=300), Genuine
        )


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"header": ""},
        {"header": "two words"},
        {"header": "é"},
        {"header": "a\n"},
        {"header": "X" * 101},
        {"header": "X", "algorithm": "md5"},
        {"header": "X", "encoding": "base32"},
        {"header": "X", "prefix": "a,b"},
        {"header": "X", "prefix": "é"},
        {"header": "X", "prefix": "a\n"},
        {"header": "X", "signed": ""},
        {"header": "X", "signed": "{timestamp}"},
        {"header": "X", "signed": "{body}{body}"},
        {"header": "X", "signed": "{timestamp}.{body}"},
        {"header": "X", "signed": "{id}.{body}"},
        {"header": "X", "signed": "{{body}}"},
        {"header": "X", "timestamp_header": "X-Time"},
        {"header": "X", "timestamp_header": "X-Time", "signed": "{timestamp}{timestamp}{body}"},
        {"header": "X", "id_header": "X-Id", "id_path": "id"},
        {"header": "X", "id_header": "x"},
        {"header": "X", "timestamp_header": "x", "signed": "{timestamp}.{body}"},
        {"header": "X", "timestamp_header": "T", "id_header": "t", "signed": "{timestamp}.{body}"},
        {"header": "X", "id_path": "a ||"},
        {"header": "X", "id_path": "(" * 199},
        {"header": "X", "id_path": "'the same for all'"},
        {"header": "X", "id_path": "`1`"},
        {"header": "X", "id_path": "to_string(id)"},
        {"header": "X", "id_path": "items[*].id"},
        {"header": "X", "id_path": "[@,@]|[@,@]"},
        {"header": "X", "id_path": "a." * 200 + "a"},
    ],
)
def test_options_that_prove_nothing_are_refused(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        HmacOptions.model_validate(given)
