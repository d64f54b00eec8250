"""Values of JSON keep their types on their way into a version: a text is a text, whatever it
looks like.
"""

import json
from typing import Any
from uuid import UUID, uuid4

from schemas.event import Event
from schemas.webhooks import FORM
from tests.factories import door_event
from tests.integration.consumers import rows
from tests.integration.streams.gathering import Gathering, action

COLUMNS = {"code": "code", "n": "n", "yes": "yes"}
TYPED: list[dict[str, Any]] = [
    {"code": "NULL", "n": 7, "yes": True},
    {"code": "007", "n": 1.5, "yes": None},
    {"code": None, "n": None, "yes": False},
]


def payload(tenant: UUID, source: UUID, *values: dict[str, Any]) -> Event:
    return rows.webhook(tenant, source, json.dumps(values))


def form(tenant: UUID, source: UUID, body: str) -> Event:
    event = rows.webhook(tenant, source, body)
    data = event.data.model_copy(update={"content_type": FORM})
    return door_event(data, source, tenant)


async def readings(gathering: Gathering, count: int) -> list[dict[str, Any] | None]:
    await gathering.sealed(count)
    return [data["reading"] for data in await gathering.said("dataset.submitted")]


async def test_the_version_says_which_columns_are_texts(gathering: Gathering) -> None:
    tenant = uuid4()
    source = await gathering.source(tenant, action(COLUMNS, window="batch"))
    await gathering.take(
        payload(tenant, source, *TYPED),
        payload(tenant, source, *[{"code": 1, "n": place, "yes": "no"} for place in range(3)]),
        payload(tenant, source, *[{"n": place, "yes": None} for place in range(3)]),
    )
    said = await readings(gathering, 3)
    typed = {"missing": None, "typed": True, "alone": False}
    assert said == [
        {**typed, "types": {"code": "text"}},
        {**typed, "types": {"yes": "text"}},
        {**typed, "types": None},
    ]
    (first, *_) = await gathering.versions()
    assert first.content == b"code,n,yes\r\nNULL,7,true\r\n007,1.5,\r\n,,false\r\n"


async def test_the_texts_of_a_form_have_no_types(gathering: Gathering) -> None:
    tenant = uuid4()
    source = await gathering.source(tenant, action(COLUMNS, window="batch"))
    await gathering.take(
        payload(tenant, source, TYPED[0], TYPED[1]), form(tenant, source, "code=7&n=NA&yes=true")
    )
    assert await readings(gathering, 1) == [None]


async def test_json_in_a_form_has_types(gathering: Gathering) -> None:
    tenant = uuid4()
    source = await gathering.source(tenant, action(COLUMNS, window="batch", every_rows=1))
    await gathering.take(form(tenant, source, "payload=%7B%22code%22%3A%227%22%2C%22n%22%3A7%7D"))
    (said,) = await readings(gathering, 1)
    assert said is not None
    assert said["types"] == {"code": "text"}


async def test_rows_of_an_older_release_have_no_types(gathering: Gathering) -> None:
    tenant = uuid4()
    source = await gathering.source(tenant, action(COLUMNS))
    await gathering.take(payload(tenant, source, TYPED[0]))
    async with gathering.bench.pipeline.begin() as tx:
        await tx.exec_driver_sql("UPDATE stream_rows SET kinds = NULL")
    await gathering.take(payload(tenant, source, TYPED[1], TYPED[2]))
    assert await readings(gathering, 1) == [None]
