"""Senders of signed webhooks on raw connections, and the record of what they were told."""

import asyncio
import hashlib
import itertools
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from producers.webhooks.verification.schemes import BY_NAME, options_of
from producers.webhooks.verification.verdict import Sign
from tests.chaos.storm_checker import Sent
from tests.eventually import eventually

AGAIN = 0.10  # share of messages that are sent twice, half of them at the same moment
GIVE_UP = 0.2  # share of cut deliveries after which the sender never asks again
LARGE, LARGE_BYTES = (
    range(40, 100_000, 1000),
    800 << 10,
)  # kept in the object store, not in the record
BINARY_EVERY = 97  # not UTF-8: kept as base64, where the id is not in the body
ANSWER_SECONDS = 15.0
PATIENCE_SECONDS = 120.0
SCHEMES: dict[str, dict[str, str]] = {
    "standard_webhooks": {},
    "github": {},
    "stripe": {},
    "shopify": {},
    "slack": {},
    "hmac": {"header": "x-signature", "id_path": "id"},
    "password": {"id_header": "x-delivery-id"},
}
ID_IN_HEADER = {"standard_webhooks", "github", "shopify", "password"}


class Cut(Exception):
    """No whole answer came: it may be stored, or not."""


@dataclass(frozen=True, slots=True)
class Source:
    """One source, and how its provider signs."""

    id: str
    scheme: str
    secret: str
    sign: Sign

    @classmethod
    def of(cls, created: dict[str, str]) -> "Source":
        """From what its creation answered."""
        scheme = BY_NAME[created["scheme"]]  # type: ignore[index]
        sign = scheme.signer(options_of(created["scheme"], created["options"]))  # type: ignore[arg-type]
        return cls(created["id"], created["scheme"], created["secret"], sign)

    def body(self, number: int) -> bytes:
        """The body of a message: the same however often it is asked for, and no other has it."""
        name = f"{self.id}-{number}"
        dice = random.Random(name)
        if self.scheme in ID_IN_HEADER and number % BINARY_EVERY == BINARY_EVERY - 1:
            return b"\xff\xfe" + name.encode() + dice.randbytes(200)
        size = LARGE_BYTES if number in LARGE else dice.randrange(50, 1500)
        text = 'ü"\\\u2028 ' + "x" * size
        return json.dumps(
            {"id": name, "event_id": name, "text": text}, ensure_ascii=bool(number % 2)
        ).encode()

    def request(self, number: int, body: bytes) -> bytes:
        """One delivery as it goes over the wire, signed now."""
        headers = self.sign(
            body, self.secret, message_id=f"{self.id}-{number}", now=datetime.now(UTC)
        )
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = (
            f"POST /hooks/{self.id} HTTP/1.1\r\nhost: x\r\ncontent-type: "
            f"application/json\r\n{lines}"
        )
        return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


class Wire:
    """One keep-alive connection, made again when it is gone."""

    def __init__(self, port: Callable[[], int]) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, request: bytes) -> tuple[int, bytes]:
        """Status and body; ConnectionRefusedError when nothing was sent, Cut when nobody knows."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port())
        reader, writer = self._streams
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                writer.write(request)
                await writer.drain()
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                answer = await reader.readexactly(
                    int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
                )
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            self.close()
            raise Cut(type(error).__name__) from None
        if b"connection: close" in head:
            self.close()
        return int(head[9:12]), answer

    def close(self) -> None:
        """Drop the connection."""
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None


@dataclass
class Storm:
    """All senders of one run: `total` messages, more until `enough` is set, at most `per_second`
    on average.
    """

    sources: Sequence[Source]
    seed: int
    total: int
    per_second: float
    sent: list[Sent] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    surprises: list[str] = field(default_factory=list)
    accepted: int = 0
    enough: asyncio.Event = field(default_factory=asyncio.Event)
    longest_wait_seconds: float = 0.0
    seconds: float = 0.0
    _clock: "itertools.count[int]" = field(default_factory=itertools.count)
    _numbers: Counter[str] = field(default_factory=Counter)
    _left: int = field(init=False)
    _began: float = field(init=False)

    def __post_init__(self) -> None:
        self._left = self.total

    async def run(self, straight: Callable[[], int], crooked: Callable[[], int]) -> None:
        """Send all. Of every three sources one has four lanes at once.

        A quarter of the lanes takes the crooked way.
        """
        self._began = time.monotonic()
        lanes = [
            source
            for place, source in enumerate(self.sources)
            for _ in range(4 if place % 3 == 2 else 1)
        ]
        async with asyncio.TaskGroup() as group:
            for place, source in enumerate(lanes):
                port = crooked if place % 4 == 1 else straight
                group.create_task(self._lane(source, port, random.Random(f"{self.seed}-{place}")))
        self.seconds = time.monotonic() - self._began

    async def _lane(self, source: Source, port: Callable[[], int], dice: random.Random) -> None:
        wires = Wire(port), Wire(port)
        mine: list[Sent] = []  # the last ones, some of which are sent again later
        try:
            while self._left > 0 or not self.enough.is_set():
                self._left -= 1
                due = self._began + len(self.sent) / self.per_second
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                number = self._numbers[source.id]
                self._numbers[source.id] += 1
                body = source.body(number)
                one = Sent(source.id, number, hashlib.sha256(body).digest(), next(self._clock))
                self.sent.append(one)
                mine = [*mine[-20:], one]
                again = dice.random()
                if again < AGAIN / 2:
                    await asyncio.gather(
                        *(self._deliver(source, one, body, wire, dice) for wire in wires)
                    )
                    continue
                await self._deliver(source, one, body, wires[0], dice)
                if again < AGAIN:
                    earlier = dice.choice(mine)
                    await self._deliver(
                        source, earlier, source.body(earlier.number), wires[1], dice
                    )
        finally:
            for wire in wires:
                wire.close()

    async def _deliver(
        self, source: Source, one: Sent, body: bytes, wire: Wire, dice: random.Random
    ) -> None:
        """Send until it is answered 202, or given up after a cut."""
        began = time.monotonic()
        while time.monotonic() - began < PATIENCE_SECONDS:
            try:
                status, answer = await wire.post(source.request(one.number, body))
            except Cut as cut:
                self.outcomes[f"cut ({cut})"] += 1
                if dice.random() < GIVE_UP:
                    return
            except OSError:
                self.outcomes["not connected"] += 1
            else:
                self.outcomes[f"{status}"] += 1
                if status == 202:
                    self._told(one, json.loads(answer), began)
                    return
                if status != 503:
                    self.surprises.append(f"{status} {answer[:300]!r}")
                    return
            await asyncio.sleep(0.05)
        self.surprises.append(
            f"message {one.number} of {one.source} was not accepted in {PATIENCE_SECONDS:.0f} s"
        )

    def _told(self, one: Sent, answer: dict[str, object], began: float) -> None:
        if one.answered is None:
            one.answered = next(self._clock)
            self.accepted += 1
        self.outcomes["of them duplicates"] += answer["duplicate"] is True
        if answer.get("body_mismatch"):
            self.surprises.append(f"message {one.number} of {one.source}: another body")
        event = str(answer["event_id"])
        if event not in one.events:
            one.events = (*one.events, event)
        self.longest_wait_seconds = max(self.longest_wait_seconds, time.monotonic() - began)

    async def reaches(self, accepted: int) -> None:
        """Wait until so many were accepted, or all was sent."""

        async def there() -> bool:
            return self.accepted >= accepted or self._left <= 0

        await eventually(there, seconds=3600)
