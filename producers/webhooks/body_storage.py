"""Bodies that are too large for a record: kept in the object store before they are accepted."""

from collections.abc import AsyncIterator
from contextlib import suppress

from producers.outbox.accept import Accept, Acceptance, Accepted
from producers.outbox.ports import NotStorable, Unavailable
from producers.ports import Objects
from producers.webhooks.endpoint_responses import DeliveryRefused
from schemas.errors import Refusal
from schemas.ports import Failpoint


async def accept_with_body(
    one: Acceptance, body: bytes, accept: Accept, objects: Objects, failpoint: Failpoint
) -> Accepted:
    """Accept a webhook, its body stored first where it is too large for a record."""
    key = one.claim.body_key if one.claim else None
    if key is None:
        return await accept(one)
    # Too large for a record: stored first, so that no accepted event refers to nothing.
    try:
        await objects.put(key, _whole(body), len(body))
    except Refusal as refusal:
        raise DeliveryRefused(
            429, refusal.code, str(refusal), reason=str(refusal), headers=(), **refusal.details
        ) from None
    except Exception as error:
        raise Unavailable(f"the object store: {error}") from error
    failpoint("door.body_kept")
    try:
        accepted = await accept(one)
    except NotStorable:
        await _drop(objects, key)
        raise
    if accepted.duplicate:
        await _drop(objects, key)
    return accepted


async def _drop(objects: Objects, key: str) -> None:
    """Remove a body that no request names.

    Whatever fails, the answer is decided, and the sweeper removes the body.
    """
    with suppress(Exception):
        await objects.delete(key)


async def _whole(body: bytes) -> AsyncIterator[bytes]:
    yield body
