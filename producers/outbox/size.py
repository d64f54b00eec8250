"""How large a record may be: checked before a statement, where one too many costs only itself."""

from producers.outbox.ports import TooLarge
from schemas.bounds import MOST_EVENT_BYTES
from schemas.log import LogEntry


def check_size(entry: LogEntry) -> None:
    """Raise TooLarge when the table would refuse the record for its size."""
    if entry.value is not None and len(entry.value) > MOST_EVENT_BYTES:
        raise TooLarge(
            f"An event of {len(entry.value)} bytes; at most {MOST_EVENT_BYTES} fit into a record."
        )
