"""Honest work that is heavy: no turn of the event loop takes long, whatever a poll brings or a
list holds.
"""

import json
from uuid import uuid4

from sqlalchemy import text

from compose.settings import Settings
from tests.acceptance.world import api_only
from tests.integration.bounds.stalls import stalls
from tests.integration.bounds.wide import engine_of, wide_datasets, wide_jobs, wide_versions
from tests.integration.consumers import rows
from tests.integration.runner.bench import Bench
from tests.integration.runner.feed import Feed

MOST_SECONDS = 0.25
WIDTH = 100


def gathering(columns: int = WIDTH) -> dict[str, object]:
    seal = {"every_rows": 100_000, "every_seconds": 3600, "window": "all", "window_rows": 100}
    return {
        "kind": "rows",
        "dataset": "d",
        "columns": {f"c{n}": f"c{n}" for n in range(columns)},
        "seal": seal,
    }


async def test_500_wide_rows_in_one_poll(bench: Bench) -> None:
    tenant = uuid4()
    async with bench.pipeline.begin() as tx:
        source = await rows.given_source(tx, tenant, action=gathering())
    body = json.dumps({f"c{n}": f"{n}" * 200 for n in range(WIDTH)})
    delivery = Feed().deliver(*(rows.webhook(tenant, source, body) for _ in range(500)))
    async with stalls() as found:
        assert await bench.runner("ingest")(delivery) is True
    assert await bench.value("SELECT taken FROM streams") == 500
    assert await bench.value("SELECT count(*) FROM stream_rows") == 500
    assert found.longest < MOST_SECONDS


async def test_many_cells_in_small_bodies(bench: Bench) -> None:
    """Each body is of 20,000 cells, most of them empty."""
    tenant = uuid4()
    async with bench.pipeline.begin() as tx:
        source = await rows.given_source(tx, tenant, action=gathering())
    body = json.dumps([{"c1": 1}] * 200)
    delivery = Feed().deliver(*(rows.webhook(tenant, source, body) for _ in range(15)))
    async with stalls() as found:
        assert await bench.runner("ingest")(delivery) is True
    assert await bench.value("SELECT taken FROM streams") == 3000
    assert found.longest < MOST_SECONDS


async def test_wide_documents_are_listed_without_them(database_settings: Settings) -> None:
    """25 datasets of 2000 columns, sixty jobs and versions whose targets have 200 classes."""
    async with api_only(database_settings) as world:
        async with engine_of(database_settings) as pipeline, pipeline.begin() as tx:
            tenant = (await tx.execute(text("SELECT tenant_id FROM api_keys LIMIT 1"))).scalar_one()
            dataset_ids = await wide_datasets(tx, tenant, 25)
            await wide_jobs(tx, tenant, 60)
            await wide_versions(tx, tenant, 60)
        lists = [
            f"/v1/{one}?limit=200" for one in ("datasets", "jobs", "models", "models/wide/versions")
        ]
        paths = [*lists, f"/v1/datasets/{dataset_ids[0]}"]
        longest = {}
        world.client.event_hooks = {}  # comparing a megabyte would stall the loop that is measured
        for path in paths:
            async with stalls() as found:
                answer = await world.client.get(path)
            longest[path] = found.longest
            assert answer.status_code == 200
    assert {path: seconds for path, seconds in longest.items() if seconds >= MOST_SECONDS} == {}
