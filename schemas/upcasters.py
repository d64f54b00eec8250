"""Versions of events that are read and no longer written: each is lifted to the next by a pure
function.

To publish a new version: keep the old class here as it was, write the step from it, and give the
new class its `version=`. Old records stay on the topics and in the log for good, so nothing is ever
taken out.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from schemas.payload import Payload

Old = TypeVar("Old", bound=Payload)


@dataclass(frozen=True, slots=True)
class Former(Generic[Old]):
    """One former version: its model, and the data of the version after it."""

    payload: type[Old]
    lift: Callable[[Old], Payload]


Formers = Mapping[tuple[str, int], Former[Any]]
"""By type and version."""


def formers(*known: Former[Any]) -> Formers:
    """The former versions, as they are looked up."""
    return {(one.payload.TYPE, one.payload.VERSION): one for one in known}


FORMERS = formers()
"""Every version ever published but the current ones; there is only one of each so far."""


def lifted(data: Payload, known: Formers) -> Payload:
    """The same in the current version."""
    while (former := known.get((data.TYPE, data.VERSION))) is not None:
        data = former.lift(data)
    return data
