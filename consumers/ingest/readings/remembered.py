"""What an upload says of how it is read, and what earlier uploads of its name said: pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from schemas.datasets import DatasetSubmitted, Reading
from schemas.event import Event

Name = tuple[UUID, str]
"""(tenant, dataset's name)"""
NOTHING = Reading()


@dataclass(slots=True)
class Readings:
    """The readings of the names of a batch: what was said last, and when; `changed` are to be
    written.
    """

    known: dict[Name, tuple[Reading, datetime]] = field(default_factory=dict)
    changed: set[Name] = field(default_factory=set)

    def take(self, event: Event, data: DatasetSubmitted) -> tuple[Reading | None, bool]:
        """How this file is read, and whether only earlier uploads say so; None where nobody does.

        Each of `missing` and `types` that it does not say is as it was said last. What it says is
        remembered, unless a later upload was taken in before it.
        """
        said = data.reading or NOTHING
        if said.typed:
            return said, False
        name = (event.tenantid, data.name)
        before, at = self.known.get(name, (NOTHING, None))
        whole = _whole(said, NOTHING if said.alone else before)
        if (said.alone or said != NOTHING) and (at is None or event.time >= at):
            self.known[name] = (whole, event.time)
            self.changed.add(name)
        return (None if whole == NOTHING else whole), said.types is None


def names_in(events: Iterable[Event]) -> dict[Name, bool]:
    """The names of the files that events submit, and whether any says how it is read."""
    found: dict[Name, bool] = {}
    for event in events:
        if isinstance(event.data, DatasetSubmitted):
            name = (event.tenantid, event.data.name)
            says = event.data.reading is not None and not event.data.reading.typed
            found[name] = found.get(name, False) or says
    return found


def _whole(said: Reading, before: Reading) -> Reading:
    missing = before.missing if said.missing is None else said.missing
    types = before.types if said.types is None else said.types
    return Reading(missing=missing, types=types or None)
