"""Data that cannot be used: rejected with what was found, or a failed job with class and reason.

Nothing is stuck.
"""

from tests.acceptance.world import World
from tests.eventually import eventually
from tests.factories import shipped_csv

ROWS = "".join(f"{row},{row * 7 % 5}\n" for row in range(20))
GOOD = "a,b\n" + ROWS
MALFORMED: dict[str, tuple[bytes, str]] = {
    "not text": (bytes(range(256)) * 20, "nul_byte"),
    "UTF-16": (GOOD.encode("utf-16"), "not_csv"),
    "Latin-1": (("a,b\n" + "é,1\n" * 20).encode("latin-1"), "not_utf8"),
    "NUL bytes": (("a,b\n" + "1\x00,2\n" * 20).encode(), "nul_byte"),
    "ragged rows": ((GOOD + "1,2,3\n").encode(), "ragged_row"),
    "short rows": ((GOOD + "1\n").encode(), "ragged_row"),
    "an open quote": ((GOOD + '"1,2\n' + ROWS).encode(), "malformed"),
    "a quote inside": ((GOOD + '1"2,3\n').encode(), "quote"),
    "two columns of one name": (("a,a\n" + ROWS).encode(), "header_duplicate_name"),
    "a column without a name": (("a,\n" + ROWS).encode(), "header_empty_name"),
    "no header": (ROWS.encode(), "header_missing"),
    "one column": (("a\n" + "1\n" * 20).encode(), "too_few_columns"),
    "too few rows": (b"a,b\n1,2\n3,4\n", "too_few_rows"),
    "a header only": (b"a,b\n", "too_few_rows"),
    "only line ends": (b"\n\n\n", "header_missing"),
    "lone carriage returns": (GOOD.replace("\n", "\r").encode(), "line_ending"),
    "thousands of columns": (
        ",".join(f"c{column}" for column in range(5000)).encode() + b"\n",
        "too_many_columns",
    ),
    "one endless line": (b"a,b\n" + b"x" * (2 << 20) + b"\n", "line_too_long"),
    "mostly nothing": (("a,b,c\n" + "1,,\n" * 20).encode(), "too_many_empty"),
    "JSON": (b'{"a": [1, 2, 3]}\n' * 20, "not_csv"),
}


async def test_malformed_files_are_rejected_with_what_was_found(world: World) -> None:
    ids = {case: await world.upload("data", content) for case, (content, _) in MALFORMED.items()}
    good = await world.upload("data", GOOD.encode())
    for case, (_, rule) in MALFORMED.items():
        dataset = await world.decided(ids[case])
        assert dataset["state"] == "rejected", case
        assert dataset["reason"], case
        assert rule in {one["rule"] for one in dataset["report"] if one["severity"] == "error"}, (
            case,
            dataset["report"],
        )
        assert dataset["version"] is None, case
        report = await world.get(f"/v1/datasets/{ids[case]}/report")
        assert report == {
            "state": "rejected",
            "reason": dataset["reason"],
            "findings": dataset["report"],
            "reader": None,
            "reading": None,
        }
    dataset = await world.decided(good)
    assert (dataset["state"], dataset["rows"], dataset["version"]) == ("validated", 20, 1), dataset[
        "report"
    ]
    used = await eventually(lambda: world.get("/v1/usage"), lambda page: page["data"])
    assert [(row["meter"], row["value"]) for row in used["data"]] == [("dataset_rows", 20)]
    assert (await world.get("/v1/dead-letters"))["data"] == []


async def test_jobs_that_cannot_be_done_fail_with_class_and_reason(world: World) -> None:
    iris = await world.upload("iris", shipped_csv("iris"))
    constant = await world.upload(
        "constant", ("a,b,target\n" + "".join(f"{n},{n * 3 % 7},x\n" for n in range(40))).encode()
    )
    bad = await world.upload("bad", b"a,b\n1\n")
    failing = {
        await world.start_job(iris, "m", target="no such column"): (
            "user_config",
            "target_not_found",
        ),
        await world.start_job(iris, "m", target="Target"): ("user_config", "target_not_found"),
        await world.start_job(constant, "m"): ("user_data", "target_unusable"),
        await world.start_job(bad, "m"): ("user_data", "dataset_rejected"),
    }
    good = await world.start_job(iris, "m")
    for job_id, expected in failing.items():
        job = await world.ended(job_id)
        assert job["state"] == "failed", job
        assert (job["failure"]["class"], job["failure"]["code"]) == expected, job["failure"]
        assert job["failure"]["message"], job["failure"]
        assert job["timeline"][-1]["type"] == "job.failed"
        assert "metrics" not in job or not job["metrics"]
    assert (await world.ended(good))["state"] == "succeeded"
    assert (await world.get("/v1/models/m"))["versions"] == 1
    used = await eventually(
        lambda: world.get("/v1/usage"),
        lambda page: {"jobs", "training_seconds"} <= {row["meter"] for row in page["data"]},
    )
    assert {row["meter"]: row["value"] for row in used["data"]}["jobs"] == 1


async def test_a_job_waits_for_its_data_set_and_a_late_one_is_failed_at_once(world: World) -> None:
    waiting = await world.upload("iris", shipped_csv("iris"))
    early = await world.start_job(waiting, "m")
    bad = await world.upload("bad", b"a,b\n1\n")
    await world.decided(bad)
    late = await world.ended(await world.start_job(bad, "m"))
    assert (late["failure"]["class"], late["failure"]["code"]) == ("user_data", "dataset_rejected")
    assert (await world.ended(early))["state"] == "succeeded"
