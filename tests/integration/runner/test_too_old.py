"""An event older than what consumers remember is a dead letter: a copy of it would have its
effect twice.
"""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from tests.integration.consumers import rows
from tests.integration.runner.bench import Bench
from tests.integration.runner.feed import Feed


async def test_it_is_not_applied_and_what_is_beside_it_is(bench: Bench) -> None:
    tenant = uuid4()
    async with bench.pipeline.begin() as tx:
        source = await rows.given_source(tx, tenant)
    before = datetime.now(UTC) - timedelta(days=35, minutes=1)
    old = rows.webhook(tenant, source, '{"dataset_id": "x"}', before)
    young = rows.webhook(tenant, source, "{}", before + timedelta(hours=1))
    feed = Feed()

    assert await bench.runner("billing")(feed.deliver(old, young)) is True
    assert await bench.runner("billing")(feed.deliver(old)) is True

    (letter,) = await bench.ask("SELECT event_id, tenant_id, error_class, error FROM dead_letters")
    assert (letter["event_id"], letter["tenant_id"]) == (old.id, tenant)
    assert letter["error_class"] == "too_old"
    assert "no longer known" in letter["error"]
    assert await bench.value("SELECT sum(quantity) FROM usage_records") == 1
    assert await bench.value("SELECT array_agg(event_id) FROM processed") == [young.id]
