"""`GET /metrics`, after a webhook, its repetition, one that is refused and one that no consumer
can handle.
"""

from tests.acceptance.world import World
from tests.eventually import eventually
from tests.figures import Figures, figures, grown


async def test_what_webhooks_and_a_poison_leave_in_the_metrics(world: World) -> None:
    anonymous = {"authorization": ""}

    async def read() -> Figures:
        answer = await world.client.get("/metrics", headers=anonymous)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/plain")
        return figures(answer.text)

    before = await read()

    forwarding = await world.source("forwarding", {"kind": "forward"})
    mapping = {"dataset_id": "a", "target": "b", "model": "c"}
    training = await world.source(
        "training", {"kind": "command", "command": "train", "mapping": mapping}
    )
    assert (await world.send(forwarding, b'{"a": 1}', "msg_1")).status_code == 202
    assert (await world.send(forwarding, b'{"a": 1}', "msg_1")).json()["duplicate"] is True
    forged = await world.send({**forwarding, "secret": training["secret"]}, b'{"a": 2}', "msg_2")
    assert forged.status_code == 401
    assert (await world.send(training, b'{"no data set": true}', "msg_3")).status_code == 202

    letters, events = "consumer_dead_letters_total", "consumer_events_total"
    now = await eventually(
        read,
        lambda one: (
            grown(before, one, letters, consumer="ingest", error_type="user_config") == 1
            and grown(before, one, events, consumer="billing", outcome="applied") == 2
        ),
    )

    for outcome, times in (("accepted", 2), ("duplicate", 1), ("unauthorized", 1)):
        assert grown(before, now, "webhooks_total", outcome=outcome) == times
        assert grown(before, now, "webhook_duration_seconds_count", outcome=outcome) == times
        assert 0 < grown(before, now, "webhook_duration_seconds_sum", outcome=outcome) < 30
    assert grown(before, now, events, consumer="ingest", outcome="dead_letter") == 1
    assert grown(before, now, letters, consumer="billing", error_type="user_config") == 0
