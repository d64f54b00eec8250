"""`GET /metrics`, after a webhook, its repetition, one that is refused and one that no consumer can handle."""

from prometheus_client.parser import text_string_to_metric_families

from tests.acceptance.world import World
from tests.eventually import eventually

Figures = dict[tuple[str, frozenset[tuple[str, str]]], float]


def figures(text: str) -> Figures:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_what_webhooks_and_a_poison_leave_in_the_metrics(world: World) -> None:
    anonymous = {"authorization": ""}

    async def read() -> Figures:
        answer = await world.client.get("/metrics", headers=anonymous)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/plain")
        return figures(answer.text)

    before = await read()

    def grown(now: Figures, name: str, **labels: str) -> float:
        key = (name, frozenset((f"headrace_{label}" if label != "error_type" else label, value)
               for label, value in labels.items()))  # fmt: skip
        return now.get(key, 0.0) - before.get(key, 0.0)

    forwarding = await world.source("forwarding", {"kind": "forward"})
    mapping = {"dataset_id": "a", "target": "b", "model": "c"}
    training = await world.source("training", {"kind": "command", "command": "train", "mapping": mapping})
    assert (await world.send(forwarding, b'{"a": 1}', "msg_1")).status_code == 202
    assert (await world.send(forwarding, b'{"a": 1}', "msg_1")).json()["duplicate"] is True
    forged = await world.send({**forwarding, "secret": training["secret"]}, b'{"a": 2}', "msg_2")
    assert forged.status_code == 401
    assert (await world.send(training, b'{"no data set": true}', "msg_3")).status_code == 202

    letters = ("headrace_consumer_dead_letters_total",)
    now = await eventually(
        read,
        lambda one: grown(one, *letters, consumer="ingest", error_type="user_config") == 1
        and sum(grown(one, "headrace_consumer_events_total", consumer="billing", outcome=what)
                for what in ("applied", "ignored")) >= 2,
    )  # fmt: skip

    duration = "headrace_webhook_duration_seconds"
    for outcome, times in (("accepted", 2), ("duplicate", 1), ("unauthorized", 1)):
        assert grown(now, f"{duration}_count", outcome=outcome) == times
        assert 0 < grown(now, f"{duration}_sum", outcome=outcome) < 30
    assert grown(now, "headrace_consumer_events_total", consumer="ingest", outcome="dead_letter") == 1
    assert grown(now, *letters, consumer="billing", error_type="user_config") == 0
