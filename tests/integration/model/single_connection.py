"""A pool where a test needs every statement on one connection."""

from typing import Any


class SingleConnection:
    """A pool of one connection."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def acquire(self) -> "SingleConnection":
        """The connection, for the time of a block."""
        return self

    async def __aenter__(self) -> Any:
        return self._connection

    async def __aexit__(self, *_: object) -> None:
        """It stays."""
