"""How large a record may be: checked before a statement, where one too many costs only itself."""

from producers.outbox.ports import TooLarge
from schemas.log import LogEntry

MOST_VALUE_BYTES = 921_600
"""What the table's CHECK allows; Kafka takes 1 MiB with the key and the headers."""


def check_size(entry: LogEntry) -> None:
    """Raise TooLarge when the table would refuse the record for its size."""
    if entry.value is not None and len(entry.value) > MOST_VALUE_BYTES:
        raise TooLarge(f"An event of {len(entry.value)} bytes; at most {MOST_VALUE_BYTES} fit into a record.")
