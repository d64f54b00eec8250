"""A stream of rows and how batches are cut off it: pure.

Rows are numbered from 1 without gaps. `taken` came in, `cut` of them stand in batches, the rest is
open; batches are sealed one after the other. What a version holds is decided when its batch is cut,
so that a repeat writes the same.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from schemas.event import Cause, Event
from schemas.ids import derived


@dataclass(frozen=True, slots=True)
class Stream:
    """One source's rows of one data set in one shape; `cause` is the event that brought the
    newest.
    """

    tenant: UUID
    id: UUID
    source_id: UUID
    dataset: str
    shape: str
    columns: tuple[str, ...]
    seal: Mapping[str, Any]
    train: Mapping[str, Any] | None
    mapping_version: int
    cause: Cause
    is_current: bool = True
    taken: int = 0
    cut: int = 0
    kept_after: int = 0
    batches: int = 0
    sealed: int = 0
    opened_at: datetime | None = None

    @property
    def open_rows(self) -> int:
        """Rows that are in no batch yet."""
        return self.taken - self.cut

    @property
    def is_full(self) -> bool:
        """Whether as many rows are open as make a version."""
        return self.open_rows >= int(self.seal["every_rows"])

    @property
    def seal_at(self) -> datetime | None:
        """When what is open is sealed however little it is; None when nothing is."""
        return (
            None
            if self.opened_at is None
            else self.opened_at + timedelta(seconds=self.seal["every_seconds"])
        )


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows `after` < number <= `through` make one version.

    Afterwards those up to `drop_through` go.
    """

    tenant: UUID
    id: UUID
    stream_id: UUID
    number: int
    after: int
    through: int
    drop_through: int
    dataset: str
    columns: tuple[str, ...]
    train: Mapping[str, Any] | None
    mapping_version: int
    cause: Cause
    is_sealed: bool = False

    @property
    def rows(self) -> int:
        """How many rows its version has."""
        return self.through - self.after

    @property
    def dataset_id(self) -> UUID:
        """The id of its version's data set."""
        return derived(self.id, "dataset")


def columns_of(action: Mapping[str, Any]) -> tuple[str, ...]:
    """The columns by name: JSONB does not keep the order in which they were written."""
    return tuple(sorted(action["columns"]))


def shape_of(action: Mapping[str, Any]) -> str:
    """What must stay as it is for rows to stand in one table: the data set's name, and how each
    cell is found.
    """
    parts = {"dataset": action["dataset"], "each": action.get("each"), "columns": action["columns"]}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def begun(event: Event, source_id: UUID, action: Mapping[str, Any], version: int) -> Stream:
    """A new stream, empty, that begins with an event."""
    shape = shape_of(action)
    return Stream(
        event.tenantid,
        derived(event.id, "stream", source_id, shape),
        source_id,
        action["dataset"],
        shape,
        columns_of(action),
        action["seal"],
        action.get("train"),
        version,
        event.cause,
    )


def with_rows(
    stream: Stream, event: Event, rows: int, action: Mapping[str, Any], version: int, at: datetime
) -> Stream:
    """The stream with an event's rows, and with what its source says of sealing and training
    now.
    """
    return replace(
        stream,
        taken=stream.taken + rows,
        cause=event.cause,
        opened_at=stream.opened_at or at,
        seal=action["seal"],
        train=action.get("train"),
        mapping_version=version,
    )


def cut(stream: Stream) -> tuple[Stream, Batch]:
    """All that is open becomes a batch.

    With the window `all` its version also has the newest rows before it.
    """
    number = stream.batches + 1
    after, drop_through = stream.cut, stream.taken
    if stream.seal["window"] == "all":
        after = max(
            stream.kept_after, min(stream.cut, stream.taken - int(stream.seal["window_rows"]))
        )
        drop_through = after
    batch = Batch(
        stream.tenant,
        derived(stream.cause.id, "batch", stream.id, number),
        stream.id,
        number,
        after,
        stream.taken,
        drop_through,
        stream.dataset,
        stream.columns,
        stream.train,
        stream.mapping_version,
        stream.cause,
    )
    return replace(
        stream, cut=stream.taken, kept_after=drop_through, batches=number, opened_at=None
    ), batch


def closed(stream: Stream) -> tuple[Stream, Batch | None]:
    """Its source went over to another one: what is open becomes the last batch, and no row is
    kept after it.
    """
    ended = replace(stream, is_current=False)
    return cut(ended) if ended.open_rows else (ended, None)


def dropped_through(stream: Stream, batch: Batch) -> int:
    """Up to which row nothing is needed once this batch is sealed (`stream.sealed` counts it
    already).
    """
    over = not stream.is_current and stream.sealed == stream.batches
    return stream.taken if over else batch.drop_through
