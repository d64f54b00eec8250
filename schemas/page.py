"""What a list answers: a page of it, and where the next one begins. Pure."""

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from schemas.cursor import encoded_place

Item = TypeVar("Item")


class Page(BaseModel, Generic[Item]):
    """A page of a list.

    `next_cursor` is null at the end, `position` that of the projection the list is read from.
    """

    data: list[Item]
    next_cursor: str | None
    position: str | None

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """Return the title of a page of one kind in the OpenAPI document: `JobSummaryPage`."""
        return f"{params[0].__name__}Page"


def page(
    rows: Sequence[Any],
    *,
    limit: int | None = None,
    sorted_by: tuple[str, str] | None = None,
    position: str | None = None,
) -> dict[str, Any]:
    """Return the answer of a list; `rows` has more than `limit` where another page follows.

    `sorted_by` names the time and the id by which rows are sorted; a list without
    cursors has neither.
    """
    data, more = rows if limit is None else rows[:limit], None
    if sorted_by is not None and len(rows) > len(data):
        time, place = sorted_by
        more = encoded_place(data[-1][time], data[-1][place])
    return {"data": data, "next_cursor": more, "position": position}


def binary(what: str) -> dict[str, Any]:
    """Return how the OpenAPI document describes an answer that is bytes of any type.

    `*/*` is the whole truth; the other one is for generators of clients, which do not read it.
    """
    schema = {"schema": {"type": "string", "format": "binary"}}
    return {"description": what, "content": {"application/octet-stream": schema, "*/*": schema}}
