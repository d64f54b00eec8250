"""How cells are read, from the upload to the model: what the rules decide, and what an upload
says.
"""

from collections.abc import Sequence
from typing import Any

from tests.acceptance.world import World
from tests.eventually import eventually

REGIONS = ("EU", "NA", "APAC")


def csv_of(header: str, rows: Sequence[str]) -> bytes:
    return "\n".join([header, *rows, ""]).encode()


SALES = csv_of(
    "basket,*,region", [f"{n % 3 * 20 + n % 7},{n % 5},{REGIONS[n % 3]}" for n in range(60)]
)
OFFICES = csv_of(
    "calls\u00a0in,office",
    [f"{n % 3 * 20 + n % 5},{('007', '010', '-')[n % 3]}" for n in range(60)],
)


def rules(dataset: dict[str, Any]) -> dict[str, int]:
    return {one["rule"]: one["count"] for one in dataset["report"]}


async def upload(world: World, content: bytes, name: str, **said: Any) -> dict[str, Any]:
    answer = await world.client.post(
        "/v1/datasets",
        params={"name": name, **said},
        content=content,
        headers={"content-type": "text/csv"},
    )
    assert answer.status_code == 202, answer.text
    return await world.decided(answer.json()["id"])


async def test_the_cells_of_a_file_from_upload_to_model(world: World) -> None:
    offices = await upload(world, OFFICES, "offices")
    assert [one["name"] for one in offices["columns"]] == ["calls in", "office"]
    assert rules(offices) == {"header_normalized": 1, "missing_words": 20, "leading_zeros": 40}
    assert (offices["version"], offices["reader"], offices["reading"]) == (1, 2, None)
    # The target as it stands in the file.
    job = await world.start_job(offices["id"], "calls", "calls\u00a0in", profile="fast")

    said = await upload(world, OFFICES, "offices", types="office:text")
    assert (said["version"], said["columns"][1]["missing"]) == (2, [])
    assert said["reading"] == {"missing": None, "types": {"office": "text"}, "typed": False}
    again = await upload(world, OFFICES, "offices")
    assert (again["version"], again["reading"]) == (2, said["reading"])
    forgotten = await upload(world, OFFICES, "offices", forget="true")
    assert (forgotten["version"], forgotten["reading"]) == (1, None)
    wrong = await upload(world, SALES, "sales", types="region:number")
    assert (wrong["state"], rules(wrong)) == (
        "rejected",
        {"type_mismatch": 40, "missing_words": 20},
    )

    assert (await world.ended(job))["state"] == "succeeded"


async def test_texts_of_json_stay_texts_in_the_version_of_their_rows(world: World) -> None:
    columns = {"code": "code", "size": "size"}
    seal = {"every_rows": 12, "every_seconds": 3600, "window": "batch"}
    action = {"kind": "rows", "dataset": "codes", "columns": columns, "seal": seal}
    source = await world.source("codes", action)
    rows = ",".join(
        f'{{"code": {code}, "size": {n}}}' for n, code in enumerate(['"NULL"', '"7"', "null"] * 4)
    )
    answer = await world.send(source, f"[{rows}]".encode(), "one")
    assert answer.status_code == 202
    listed = await eventually(
        lambda: world.get("/v1/datasets", name="codes"),
        lambda found: bool(found["data"]) and found["data"][0]["state"] != "submitted",
    )
    dataset = await world.get(f"/v1/datasets/{listed['data'][0]['id']}")
    assert dataset["reading"] == {"missing": None, "types": {"code": "text"}, "typed": True}
    code, size = dataset["profile"]
    assert (code["type"], code["empty"], size["type"]) == ("text", 4, "integer")
    assert {one["value"] for one in code["top"]} == {"NULL", "7"}
