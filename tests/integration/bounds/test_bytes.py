"""Texts in scripts of three bytes a character: limits are of bytes, and what is too large is
told.
"""

import csv
import io
from collections.abc import AsyncIterator
from uuid import uuid4

from schemas.event import Event
from tests.integration.bounds.workshop import Workshop
from tests.integration.consumers import rows

CHARACTER = "\u6587"  # three bytes


def table(columns: int, name_characters: int, cell_characters: int, count: int = 12) -> bytes:
    """A CSV of text columns, each cell another one, and the column `target` of two classes."""
    names = [f"{place}{CHARACTER * name_characters}" for place in range(columns)]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*names, "target"])
    for row in range(count):
        writer.writerow(
            [*(f"{row % 3}{CHARACTER * cell_characters}" for _ in names), "ab"[row % 2]]
        )
    return out.getvalue().encode()


async def chunks(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def submitted(workshop: Workshop, content: bytes) -> Event:
    """The dataset is in the store, and ingest knows it."""
    event = rows.submission(uuid4())
    await workshop.objects.put(event.data.object_key, chunks(content))  # type: ignore[attr-defined]
    await workshop.take("ingest", event)
    return event


async def test_400_columns_of_chinese_train(workshop: Workshop) -> None:
    event = await submitted(workshop, table(400, 20, 198))
    await workshop.work("ingest", lease_seconds=1.0)
    dataset_id = event.data.dataset_id  # type: ignore[attr-defined]
    dataset = await workshop.dataset(dataset_id)
    assert (dataset["state"], dataset["reason"]) == ("validated", None)
    asked = rows.request(event.tenantid, dataset_id)
    await workshop.take("ingest", asked)
    await workshop.take("training", *await workshop.logged("job.queued"))
    await workshop.work("training", seconds=180.0)
    assert (await workshop.job(asked.data.job_id))["state"] == "finalizing"  # type: ignore[attr-defined]
