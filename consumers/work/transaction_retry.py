"""Transactions that are repeated while the database is unwell."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from schemas.ports import Transactions

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection


log = logging.getLogger(__name__)
T = TypeVar("T")


async def retried(
    begin: Transactions,
    act: Callable[["AsyncConnection"], Awaitable[T]],
    is_transient: Callable[[BaseException], bool],
) -> T:
    """One transaction, repeated while the database is unwell.

    The fence makes a repetition harmless.
    """
    pause = 0.1
    while True:
        try:
            async with begin() as tx:
                return await act(tx)
        except Exception as error:
            if not is_transient(error):
                raise
            log.warning("transient, again in %.1f s: %s", pause, error)
        await asyncio.sleep(pause)
        pause = min(pause * 2, 5.0)
