"""A stop at any moment of the start: it ends, and leaves nothing behind."""

import asyncio
from contextlib import suppress

from aiokafka.admin import AIOKafkaAdminClient

from compose.kafka.subscription.log import require_cluster


async def test_a_look_up_is_cancelled_at_any_moment(kafka: str, admin: AIOKafkaAdminClient) -> None:
    """Nobody loses the cancellation (pytest would tell of a lost connection): a stop that waits
    for it would hang.
    """
    cluster = (await admin.describe_cluster())["cluster_id"]
    took: list[float] = []
    for _ in range(3):
        began = asyncio.get_running_loop().time()
        await require_cluster(kafka, cluster)
        took.append(asyncio.get_running_loop().time() - began)
    cut_off = 0
    for step in range(200):
        asking = asyncio.create_task(require_cluster(kafka, cluster))
        await asyncio.sleep(step / 200 * min(took))
        cancelled = asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking
        assert asking.cancelled() == cancelled
        cut_off += cancelled
    assert cut_off > 10
