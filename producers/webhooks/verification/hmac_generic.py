"""Any HMAC over the body, or over a template of it and a time: everything about it is the
source's to say.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import StringConstraints, model_validator

from producers.webhooks.verification.headers import HeaderName, plain, repeated
from producers.webhooks.verification.identity import IdOptions, reader
from producers.webhooks.verification.signature import (
    Algorithm,
    base64_text,
    hexadecimal,
    signature,
    signed_by_one,
)
from producers.webhooks.verification.timestamp import TimeFormat, signed_in
from producers.webhooks.verification.verdict import Content, Forged, Genuine, Sign, Verify, as_sent

_PLACES = re.compile(r"(\{timestamp\}|\{body\})")
_BETWEEN = re.compile(r", ?")


class HmacOptions(IdOptions):
    """How a sender signs.

    `signed` is what the digest is over: text with `{body}` and, if a time is signed, `{timestamp}`,
    as in `{timestamp}.{body}`. The header may hold several signatures with a comma between them.
    """

    header: HeaderName
    algorithm: Algorithm = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: Annotated[str, StringConstraints(max_length=50, pattern=r"^[\x20-\x2b\x2d-\x7e]*$")] = (
        ""
    )
    timestamp_header: HeaderName | None = None
    timestamp_format: TimeFormat = "seconds"
    signed: Annotated[str, StringConstraints(max_length=200, pattern=r"^[\x20-\x7e]*$")] = "{body}"

    @model_validator(mode="after")
    def _template(self) -> Self:
        if self.signed.count("{body}") != 1 or self.signed.count("{timestamp}") > 1:
            raise ValueError("signed has {body} once, and {timestamp} at most once")
        if any(brace in _PLACES.sub("", self.signed) for brace in "{}"):
            raise ValueError("signed knows {body} and {timestamp} only")
        if ("{timestamp}" in self.signed) != (self.timestamp_header is not None):
            raise ValueError(
                "timestamp_header and {timestamp} in signed go together: a time that is not "
                "signed is no proof"
            )
        self._apart(self.header, self.timestamp_header)
        return self


def verifier(options: HmacOptions) -> Verify:
    """The scheme as the options have it."""
    fragments = _fragments(options)
    written = _written(options)
    identify = reader(options)

    def verify(
        body: bytes,
        headers: Mapping[str, str],
        secrets: Sequence[str],
        *,
        now: datetime,
        tolerance_seconds: int,
        content: Content = as_sent,
    ) -> Genuine | Forged:
        stamp, at = "", None
        if options.timestamp_header is not None:
            timed = signed_in(
                headers,
                options.timestamp_header,
                now=now,
                tolerance_seconds=tolerance_seconds,
                written=options.timestamp_format,
            )
            if isinstance(timed, Forged):
                return timed
            stamp, at = timed
        shown = plain(headers, options.header)
        if shown is None:
            return Forged(f"{options.header} is missing, repeated or not printable ASCII")
        if options.id_header is not None and repeated(headers, options.id_header):
            return Forged(f"{options.id_header} is repeated")
        signed = _content(fragments, stamp, body)
        if not signed_by_one(
            _shown(options, shown), secrets, signed, algorithm=options.algorithm, written=written
        ):
            return Forged("no signature matches")
        return Genuine(
            identify(content(body), headers), signed_id=options.id_path is not None, signed_at=at
        )

    return verify


def signer(options: HmacOptions) -> Sign:
    """A sender that signs so."""
    fragments = _fragments(options)
    written = _written(options)

    def sign(body: bytes, secret: str, *, message_id: str, now: datetime) -> dict[str, str]:
        headers: dict[str, str] = {}
        stamp = ""
        if options.id_header is not None:
            headers[options.id_header] = message_id
        if options.timestamp_header is not None:
            stamp = headers[options.timestamp_header] = _stamp(now, options.timestamp_format)
        content = _content(fragments, stamp, body)
        shown = signature(secret, content, algorithm=options.algorithm, written=written)
        return {**headers, options.header: options.prefix + shown}

    return sign


def kept_headers(options: HmacOptions) -> tuple[str, ...]:
    """The id and the time, where they are headers."""
    return tuple(name for name in (options.id_header, options.timestamp_header) if name is not None)


def _fragments(options: HmacOptions) -> list[bytes]:
    return [fragment.encode() for fragment in _PLACES.split(options.signed) if fragment]


def _content(fragments: list[bytes], stamp: str, body: bytes) -> bytes:
    places = {b"{body}": body, b"{timestamp}": stamp.encode()}
    return b"".join([places.get(fragment, fragment) for fragment in fragments])


def _written(options: HmacOptions) -> Callable[[bytes], str]:
    return hexadecimal if options.encoding == "hex" else base64_text


def _shown(options: HmacOptions, shown: str) -> list[str]:
    found = [
        part.removeprefix(options.prefix)
        for part in _BETWEEN.split(shown)
        if part.startswith(options.prefix)
    ]
    # Some senders write hexadecimal in capitals; a mixture is nobody's.
    return (
        [part.lower() if part.isupper() else part for part in found]
        if options.encoding == "hex"
        else found
    )


def _stamp(now: datetime, written: TimeFormat) -> str:
    if written == "rfc3339":
        return now.isoformat(timespec="milliseconds")
    return str(int(now.timestamp() * (1000 if written == "milliseconds" else 1)))
