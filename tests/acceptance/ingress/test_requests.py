"""What can be read of deliveries: accepted, repeated, rejected.

And bodies too large for a record.
"""

import hashlib
import json
import time
from pathlib import Path
from urllib.parse import urlsplit

from producers.webhooks.normalize import INLINE_BYTES
from tests.acceptance.ingress.senders import accepted, count, create, deliver, deliveries, sql
from tests.acceptance.world import World
from tests.eventually import eventually

LARGE = json.dumps({"pad": "x" * INLINE_BYTES}).encode()
FORGED = "whsec_" + "A" * 43 + "="
ESCAPED = json.dumps(
    {"pad": "\\" * (INLINE_BYTES // 3)}
).encode()  # doubles when it is quoted once more


def objects(world: World) -> list[Path]:
    root = Path(urlsplit(world.settings.object_store).path)
    return [path for path in root.glob("tenants/**/*") if path.is_file()]


async def test_another_body_under_a_known_id_is_told_and_shown(api: World) -> None:
    source = await create(api, "shop")
    first = await accepted(api, source, b'{"a": 1}')
    other = await accepted(api, source, b'{"a": 2}')
    assert other == {**first, "duplicate": True, "body_mismatch": True}
    await accepted(api, source, b'{"a": 1}')
    seen = [(row["outcome"], row["same_body"]) for row in await deliveries(api, source)]
    assert seen == [("duplicate", True), ("duplicate", False), ("accepted", None)]
    assert {row["id"] for row in await deliveries(api, source)} == {first["request_id"]}
    stored = (await api.get(f"/v1/requests/{first['request_id']}"))["body_hash"]
    assert stored == hashlib.sha256(b'{"a": 1}').hexdigest()
    assert await count(api, "events") == 1


async def test_the_same_id_at_another_source_is_another_delivery(api: World) -> None:
    one, two = await create(api, "one"), await create(api, "two")
    assert (await accepted(api, one, b"{}"))["duplicate"] is False
    assert (await accepted(api, two, b"{}"))["duplicate"] is False


async def test_a_request_shows_what_came_and_no_secret(api: World) -> None:
    source = await create(api, "shop")
    made = await accepted(api, source, b'{"a": 1}', "msg_7")
    shown = await api.get(f"/v1/requests/{made['request_id']}")
    assert (shown["external_id"], shown["event_id"], shown["size_bytes"]) == (
        "msg_7",
        made["event_id"],
        8,
    )
    assert shown["headers"]["webhook-id"] == "msg_7"
    assert "webhook-signature" not in shown["headers"]
    assert not {"tenant_id", "body_key"} & set(shown)


async def test_rejected_ones_are_listed_with_the_reason_and_bounded(api: World) -> None:
    source, after = await create(api, "shop"), await create(api, "after")
    began = time.monotonic()
    for number in range(80):
        answer = await deliver(api, source, b"{}", f"id-{number}", secret=FORGED)
        assert answer.status_code == 401
    seconds = time.monotonic() - began
    assert (await deliver(api, after, b"{}", secret=FORGED)).status_code == 401
    await eventually(
        lambda: deliveries(api, after, "rejected")
    )  # what was refused before it is written, too
    rows = await deliveries(api, source, "rejected")
    assert rows[0]["reason"] == "401 unauthorized: no signature matches"
    assert (rows[0]["event_id"], rows[0]["size_bytes"]) == (None, 2)
    noted = await sql(
        api, "SELECT count(*) FROM rejected_requests WHERE source_id = $1", source["id"]
    )
    assert 60 <= noted <= 61 + seconds
    assert await deliveries(api, source, "accepted") == []


async def test_a_large_body_goes_to_the_object_store(api: World) -> None:
    source = await create(api, "shop")
    for place, body in enumerate((LARGE, ESCAPED), 1):
        made = await accepted(api, source, body, f"id-{place}")
        assert len(objects(api)) == place
        again = await accepted(api, source, body, f"id-{place}")
        assert again == {**made, "duplicate": True}
        (path,) = [one for one in objects(api) if one.name == made["request_id"]]
        assert path.read_bytes() == body
        assert len(objects(api)) == place, "the copy of a repetition is taken away"
        value = await sql(
            api, "SELECT convert_from(value, 'UTF8') FROM events WHERE id = $1", made["event_id"]
        )
        data = json.loads(value)["data"]
        assert (data["body_encoding"], data["body"], data["size_bytes"]) == (
            "reference",
            None,
            len(body),
        )
        assert data["sha256"] == hashlib.sha256(body).hexdigest()


async def test_just_small_enough_stays_in_the_record(api: World) -> None:
    source = await create(api, "shop")
    await accepted(api, source, json.dumps({"pad": "x" * (INLINE_BYTES - 2000)}).encode())
    assert objects(api) == []


async def test_ingest_reads_a_large_body(world: World) -> None:
    mapping = {"dataset_id": "set", "target": "target", "model": "model", "options": "options"}
    source = await create(world, "ci", action={"kind": "command", "mapping": mapping})
    unknown = "00000000-0000-7000-8000-000000000001"
    payload = {
        "set": unknown,
        "target": "y",
        "model": "large",
        "options": {"seed": 7},
        "pad": "x" * INLINE_BYTES,
    }
    made = await accepted(world, source, json.dumps(payload).encode())
    jobs = await eventually(lambda: world.get("/v1/jobs"), lambda page: page["data"], seconds=60)
    (job,) = jobs["data"]
    assert (job["correlation_id"], job["model"]["name"], job["origin"]) == (
        made["event_id"],
        "large",
        "webhook",
    )
