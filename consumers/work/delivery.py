"""Finished work is brought to the object store.

A store that is away for a moment costs none of it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from consumers.work.child_result import Canceled, ChildResult, Crashed, Finished, TenantRefused
from schemas.errors import Refusal

log = logging.getLogger(__name__)

DELIVER_SECONDS = 120.0
AGAIN_SECONDS = 1.0
NEVER_FITS = "larger_than_quota"


async def delivered(
    deliver: Callable[[], Awaitable[None]],
    result: Finished,
    is_transient: Callable[[BaseException], bool],
    cancelled: asyncio.Event,
) -> ChildResult:
    """The result once `deliver` succeeds, Canceled when that comes first, Crashed after
    DELIVER_SECONDS.

    Refused where the tenant has no room for them.
    """
    until = asyncio.get_running_loop().time() + DELIVER_SECONDS
    while True:
        try:
            await deliver()
        except Refusal as refusal:
            code = NEVER_FITS if refusal.details.get("never_fits") else refusal.code
            return TenantRefused("quota", code, refusal.message)
        except Exception as error:
            if not is_transient(error):
                raise
            log.warning("its files cannot be stored yet: %s", error)
            if asyncio.get_running_loop().time() > until:
                return Crashed(f"its files could not be stored: {error}", "object_store_away")
        else:
            return result
        with suppress(TimeoutError):
            await asyncio.wait_for(cancelled.wait(), AGAIN_SECONDS)
            return Canceled()
