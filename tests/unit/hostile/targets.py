"""Whatever decodes bytes from outside, with the refusals that each may answer by.

All else is a defect.
"""

import json
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from pydantic import ValidationError

from compose.sealing import NoSuchKey, Sealer
from consumers.ingest.csv_structure import check_structure
from consumers.ingest.findings import Findings
from consumers.ingest.mapping import Unmappable, command
from consumers.ingest.protocol import CsvLimits
from producers.webhooks.depth import deeper_than
from producers.webhooks.normalize import acceptance
from producers.webhooks.sources.source import (
    ChangedSource,
    DryRun,
    KnownSource,
    NewSource,
    Rotation,
    checked_options,
    checked_secret,
)
from producers.webhooks.verification.headers import gathered
from producers.webhooks.verification.schemes import BY_NAME, options_of
from producers.webhooks.verification.verdict import Forged, Genuine
from schemas.decode import read
from schemas.errors import Refusal
from schemas.event_decode import Undecodable
from schemas.jobs import JobRequested
from schemas.record import Record
from schemas.trace import trace_id, traceparent_of
from tests.factories import door_event, record_of
from tests.unit.verification.cases import BODY, CASES, NOW, TOLERANCE_SECONDS

ID = UUID(int=7)
EVENT = door_event(
    JobRequested(
        job_id=ID, kind="train", dataset_id=ID, target="y", model="wine", options={"seed": 7}
    ),
    ID,
)
GOOD = record_of(EVENT)
SEALER = Sealer("one:" + "A" * 43 + "=")
SECRET = bytes(range(32))


def record(data: bytes) -> None:
    """A record's value, and a header of it."""
    with suppress(Undecodable):
        read(Record(GOOD.topic, 0, 0, GOOD.key, data, (("ce_id", data[:40]),), 0))


def delivery(data: bytes) -> None:
    """Header lines and a body at the verifier of every scheme.

    What is genuine becomes a record that can be read.
    """
    head, _, body = data.partition(b"\n\n")
    lines = [line.partition(b":") for line in head.split(b"\n")]
    sent = gathered((name, value.strip()) for name, _, value in lines)
    assert len(trace_id(traceparent_of(sent.get("traceparent"), bytes(24)))) == 32
    for case in CASES.values():
        for headers, said in (
            (sent, body),
            ({**case.sign(), **sent}, BODY),
            (case.sign(data), data),
        ):
            verdict = case.judge(said, headers)
            assert isinstance(verdict, Genuine | Forged)
            if isinstance(verdict, Genuine):
                _stored(case.scheme, said, verdict, sent.get("content-type", ""))
    deeper_than(data, 3)


def _stored(scheme: str, body: bytes, verdict: Genuine, content_type: str) -> None:
    source = KnownSource(ID, ID, "a source", scheme, (), CASES["github"].judge)  # type: ignore[arg-type]
    one = acceptance(
        source,
        body,
        content_type,
        verdict,
        request_id=ID,
        event_id=ID,
        now=NOW,
        traceparent=traceparent_of(None, bytes(24)),
    ).entry
    read(Record(one.topic, 0, 0, one.key, one.value, (), 0))


def configuration(data: bytes) -> None:
    """A source as it is posted; one that is taken can sign and judge."""
    for model in (ChangedSource, DryRun, Rotation):
        with suppress(ValidationError):
            model.model_validate_json(data)
    try:
        new = NewSource.model_validate_json(data)
        options = options_of(new.scheme, checked_options(new.scheme, new.options))
        secret, kept = checked_secret(new.scheme, new.secret, SECRET)
    except (ValidationError, Refusal):
        return
    scheme = BY_NAME[new.scheme]
    assert SEALER.open(SEALER.seal(kept, ID, ID), ID, ID) == kept
    if not (new.secret or "").startswith("whpk_"):
        headers = scheme.signer(options)(data, secret, message_id="m", now=NOW)
        verdict = scheme.verifier(options)(
            data, headers, [kept], now=NOW, tolerance_seconds=TOLERANCE_SECONDS
        )
        assert isinstance(verdict, Genuine), "what the source's own sender signs is genuine"


def mapping(data: bytes) -> None:
    """An expression and, behind a line feed, a payload."""
    expression, _, payload = data.partition(b"\n")
    action = {
        "kind": "command",
        "mapping": dict.fromkeys(("dataset_id", "target", "model"), expression.decode("latin-1")),
    }
    try:
        new = NewSource.model_validate({"name": "a", "action": action})
    except ValidationError:
        return
    with suppress(Unmappable):
        job = command(payload, new.action.model_dump(exclude_none=True), 1, ID).job(ID)
        json.dumps(job.model_dump(mode="json"), allow_nan=False).encode()


def table(data: bytes) -> None:
    """A CSV file."""
    findings = Findings()
    with tempfile.NamedTemporaryFile(prefix="headrace-", suffix=".csv") as file:
        Path(file.name).write_bytes(data)
        names = check_structure(
            Path(file.name), CsvLimits(max_line_bytes=1000, max_columns=20), findings
        ).names
    assert all(name.isprintable() for name in names) or findings.errors
    json.dumps([one.model_dump(mode="json") for one in findings.report()]).encode()


def sealed(data: bytes) -> None:
    """What stands in the database as a secret."""
    for stored in (data, b"one:" + data):
        with suppress(NoSuchKey):
            SEALER.open(stored, ID, ID)


_SOURCE = {
    "name": "a",
    "scheme": "hmac",
    "options": {"header": "x-s", "id_path": "a.b[0]"},
    "action": {"kind": "forward"},
}
_TIMED = {"header": "x", "timestamp_header": "t", "signed": "{timestamp}.{body}"}
_SOURCES = (
    _SOURCE,
    _SOURCE | {"options": _TIMED},
    {"name": "b", "scheme": "password", "options": {"shown_as": "basic"}},
    {"name": "c", "secret": "whsec_" + "A" * 43 + "="},
    {"name": "d", "scheme": "slack", "secret": "0123456789abcdef"},
)
_SENT = tuple(
    "\n".join(f"{name}: {value}" for name, value in case.sign().items()).encode() + b"\n\n" + BODY
    for case in CASES.values()
)
_MAPPED = (
    b'a.b[?c > `1`] | [0]\n{"a": {"b": [{"c": 2}]}}',
    b"to_string({a: @, b: [*]})\n[1]",
    b"join('', a)\n{}",
)
TARGETS: dict[str, tuple[Callable[[bytes], None], tuple[bytes, ...]]] = {
    "record": (record, (EVENT.encode(),)),
    "delivery": (delivery, _SENT),
    "configuration": (configuration, tuple(json.dumps(one).encode() for one in _SOURCES)),
    "mapping": (mapping, _MAPPED),
    "table": (table, (b"a,b\n1,2\n", b'a,"b ""q"""\r\n1,\r\n')),
    "sealed": (sealed, (SEALER.seal("secret", ID, ID),)),
}
"""What takes the bytes, and good examples to begin with."""
