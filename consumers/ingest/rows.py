"""A webhook's payload becomes rows of a streaming data set, by the columns of its source: pure."""

import math
from collections.abc import Iterable
from typing import Any

from consumers.ingest.expression import Evaluation, TooCostly
from consumers.ingest.mapping import Unmappable, not_storable, payload_of, search, shortened, shown
from schemas.webhooks import JSON

Scalar = str | int | float | bool | None
Row = dict[str, Scalar]
"""A value for each column."""

# A payload is taken apart on the consumer's event loop, and a row must fit into a line that
# validation reads.
MOST_CELLS = 20_000
MOST_ROW_BYTES = 256 << 10
MOST_ROW_LINES = 5_000
KINDS = {str: "t", int: "n", float: "n", bool: "b", type(None): "-"}


def rows(body: bytes, action: dict[str, Any], version: int, content_type: str = JSON) -> list[Row]:
    """The rows that a payload has under `each`, those without any value left out.

    Raises Unmappable.
    """
    evaluation = Evaluation(len(body))
    each = action.get("each")
    try:
        payload = payload_of(body, content_type)
        found = payload if each is None else search("each", each, payload, evaluation)
        listed = found if isinstance(found, list) else [] if found is None else [found]
        if len(listed) * len(action["columns"]) > MOST_CELLS:
            raise Unmappable(
                f"{len(listed)} rows of {len(action['columns'])} columns; {MOST_CELLS} cells are "
                "allowed"
            )
        made = [
            _row(place, one, action["columns"], evaluation) for place, one in enumerate(listed, 1)
        ]
    except Unmappable as error:
        raise Unmappable(f"{error} (mapping version {version})") from None
    return [row for row in made if any(value is not None for value in row.values())]


def cell_of(value: Scalar) -> str | None:
    """A value as its cell has it: text as it is, a number as JSON has it, null as nothing."""
    if value is None or isinstance(value, str):
        return value
    return ("true" if value else "false") if isinstance(value, bool) else repr(value)


def kinds_of(values: Iterable[Scalar]) -> str:
    """What the cells of a row were, a letter each: text, number, boolean, or - for null."""
    return "".join([KINDS.get(type(value), "t") for value in values])


def _row(place: int, found: Any, columns: dict[str, str], evaluation: Evaluation) -> Row:
    if not isinstance(found, dict):
        raise Unmappable(f"row {place} is {shown(found)}, not an object")
    row = {
        name: _value(place, name, one, search(f"columns.{name}", one, found, evaluation))
        for name, one in columns.items()
    }
    texts = [value for value in row.values() if isinstance(value, str)]
    _spend(place, sum(len(one) for one in texts) >> 5, evaluation)
    if sum(len(one.encode()) for one in texts) > MOST_ROW_BYTES:
        raise Unmappable(f"row {place} is longer than {MOST_ROW_BYTES} bytes")
    if sum(one.count("\n") for one in texts) > MOST_ROW_LINES:
        raise Unmappable(f"row {place} has more than {MOST_ROW_LINES} line ends")
    return row


def _spend(place: int, units: int, evaluation: Evaluation) -> None:
    """What the cells hold is paid for: `each` can give one object of the payload a thousand
    times.
    """
    try:
        evaluation.budget.spend(units)
    except TooCostly as error:
        raise Unmappable(f"row {place} cannot be made: {error}") from None


def _value(place: int, column: str, expression: str, value: Any) -> Scalar:
    """Checked for what the table could not hold: validation would refuse every version with it."""
    wrong = None
    if isinstance(value, list | dict):
        wrong = "expected a text, a number, true, false or null"
    elif isinstance(value, float) and not math.isfinite(value):
        wrong = "which is no number"
    elif isinstance(value, int) and value.bit_length() > 1024:
        wrong = "a number has 300 digits at most"
    elif isinstance(value, str):
        if not_storable(value):
            wrong = (
                "it has a character that cannot be stored (NUL, half a surrogate pair or no UTF-8)"
            )
        elif "\r" in value.replace("\r\n", ""):
            wrong = "it has a carriage return without a line feed"
    if wrong is not None:
        gave = f"`columns.{column}`: `{shortened(expression)}` gave {shown(value)} in row {place}"
        raise Unmappable(f"{gave}; {wrong}")
    return value  # type: ignore[no-any-return]
