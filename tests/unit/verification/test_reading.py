"""How headers and times are read: one way to write each, and nothing raised for the others."""

from datetime import timedelta

import pytest

from producers.webhooks.verification.headers import LONGEST, plain
from producers.webhooks.verification.timestamp import TimeFormat, signed_at
from producers.webhooks.verification.verdict import Forged
from tests.unit.verification.cases import NOW

SECONDS = str(int(NOW.timestamp()))
FORMATS: tuple[TimeFormat, ...] = ("seconds", "milliseconds", "rfc3339")


@pytest.mark.parametrize("value", ["", "a", "a b", "~" * LONGEST])
def test_plain_headers(value: str) -> None:
    assert plain({"x-a": value}, "x-a") == value


@pytest.mark.parametrize(
    "value", ["a\nb", "\0", "\x7f", "\t", "é", "\xa0", "\ud800", "x" * (LONGEST + 1)], ids=ascii
)
def test_other_headers(value: str) -> None:
    assert plain({"x-a": value}, "x-a") is None
    assert plain({"x-a": value}, "x-b") is None


@pytest.mark.parametrize(
    ("stamp", "written"),
    [
        (SECONDS, "seconds"),
        (SECONDS + "000", "milliseconds"),
        ("2026-03-02T09:14:07Z", "rfc3339"),
        ("2026-03-02T09:14:07.000Z", "rfc3339"),
        ("2026-03-02T10:14:07.000000001+01:00", "rfc3339"),
    ],
)
def test_times(stamp: str, written: TimeFormat) -> None:
    assert (
        signed_at(
            stamp, "t", now=NOW + timedelta(minutes=5), tolerance_seconds=300, written=written
        )
        == NOW
    )


@pytest.mark.parametrize("written", FORMATS)
@pytest.mark.parametrize(
    "stamp",
    [
        "",
        "0",
        "-1",
        "+1772442847",
        " 1772442847",
        "1772442847 ",
        "1772442847.0",
        "1_772_442_847",
        "01772442847",
        "1e9",
        "0x69a55d5f",
        "nan",
        "inf",
        "9" * 5000,
        "9" * 16,
        "١٧٧٢٤٤٢٨٤٧",
        "１７７２４４２８４７",
        "1772442847\0",
        "1772442847\n",
        "\ud800",
        "2026-03-02",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "2026-03-02T09:14:07",
        "2026-03-02 09:14:07Z",
        "2026-03-02T25:14:07Z",
        "2026-03-02T09:14:07Z ",
        "2026-W10-1T09:14:07Z",
        "20260302T091407Z",
        "2026-03-02T09:14:07z",
        "２026-03-02T09:14:07Z",
    ],
    ids=ascii,
)
def test_what_is_no_time(stamp: str, written: TimeFormat) -> None:
    verdict = signed_at(stamp, "t", now=NOW, tolerance_seconds=10**30, written=written)
    assert verdict == Forged(f"t is not a time in {written}")


@pytest.mark.parametrize(
    ("stamp", "written"),
    [("9" * 11, "seconds"), ("1", "milliseconds"), ("0001-01-01T00:00:00Z", "rfc3339")],
)
def test_a_far_time_is_outside(stamp: str, written: TimeFormat) -> None:
    verdict = signed_at(stamp, "t", now=NOW, tolerance_seconds=300, written=written)
    assert verdict == Forged("t is outside the tolerance")
