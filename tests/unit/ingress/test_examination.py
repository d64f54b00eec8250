"""A genuine body that nests too deep is not read: not for its id, whatever coding it came in."""

import gzip
import time
from uuid import uuid4

import pytest

from producers.webhooks.examination import Examined, examine
from producers.webhooks.limits.limit import SourceLimits
from producers.webhooks.rates import Rate
from producers.webhooks.sources.source import KnownSource
from producers.webhooks.verification import slack
from producers.webhooks.verification.verdict import Genuine
from tests.unit.verification.cases import NOW

SECRET = "a secret of some length"
SOURCE = KnownSource(uuid4(), uuid4(), "chat", "slack", (SECRET,), slack.verify)
OWN = SourceLimits(1 << 20, 100, Rate(1, 1), Rate(1, 1))


def examined(body: bytes, **headers: str) -> Examined:
    """What is found of a body that Slack signed."""
    signed = slack.sign(body, SECRET, message_id="", now=NOW)
    return examine(SOURCE, body, {**signed, **headers}, OWN, now=NOW, tolerance_seconds=300)


def nested(depth: int, times: int = 1) -> bytes:
    """An event that holds arrays of this depth."""
    return (
        b'{"event_id": 1.5, "a": ['
        + b",".join([b"[" * (depth - 2) + b"]" * (depth - 2)] * times)
        + b"]}"
    )


@pytest.mark.parametrize("coding", [None, "gzip"])
def test_the_id_of_a_body_that_is_too_deep_is_not_read(coding: str | None) -> None:
    for depth, too_deep in ((100, False), (101, True), (300, True)):
        body = nested(depth)
        found = (
            examined(body)
            if coding is None
            else examined(gzip.compress(body), **{"content-encoding": coding})
        )
        assert (found.verdict, found.too_deep) == (Genuine(None if too_deep else "1.5"), too_deep)
        assert found.refused is None


def test_a_body_that_is_too_deep_takes_no_longer_than_its_depth() -> None:
    body = nested(300, 1700)
    began = time.thread_time()
    assert examined(body).too_deep
    assert time.thread_time() - began < 2
