"""Dead letters and replays from a terminal; the operator's straight from the database."""

import json
from collections.abc import AsyncIterator

import pytest

from consumers.dead_letters.dead_letter import OPERATOR
from tests.acceptance.ingress.listening import Terminal, listening
from tests.factories import record_of
from tests.integration.consumers import rows
from tests.integration.replays.field import Field


@pytest.fixture
async def terminal(field: Field) -> AsyncIterator[Terminal]:
    """Somebody with the tenant's key and the database's address."""
    async with listening(field.world) as found:
        url = field.world.settings.postgres_url.get_secret_value()
        yield Terminal({**found.environment, "HEADRACE_POSTGRES_URL": url})


async def test_from_the_group_to_the_outcome(field: Field, terminal: Terminal) -> None:
    source, letters, _ = await field.dead(3)
    (group,) = (await terminal.json("dead-letters", "groups", "--state", "parked"))["data"]
    assert group["count"] == 3
    listed = await terminal.json("dead-letters", "list", "--class", "user_config")
    assert {one["id"] for one in listed["data"]} == set(letters)
    shown = await terminal.run("dead-letters", "show", letters[0])
    assert (
        "user_config: `dataset_id`: `data.set` gave null; expected a dataset's id or name"
        in shown.stdout
    )
    assert '"type": "webhook.received"' in shown.stdout

    await field.mend(source)
    starting = ("replays", "start", "--fingerprint", group["fingerprint"], "--reason", "mended")
    assert (await terminal.json(*starting, "--dry-run"))["matched"] == 3
    unasked = await terminal.run(*starting)
    assert (unasked.exit_code, unasked.stdout) == (2, "")
    assert "--expected 3" in unasked.stderr
    refused = await terminal.run(*starting, "--expected", "2")
    assert refused.exit_code == 1
    assert "more_matched" in refused.stderr
    replay = (await terminal.json(*starting, "--yes"))["id"]
    assert (await terminal.json("replays", "cancel", replay))["counts"]["skipped"] == 3
    replay = (await terminal.json(*starting, "--expected", "3"))["id"]
    await field.drain()
    watched = await terminal.run("replays", "watch", replay)
    assert watched.exit_code == 0
    assert "3 applied" in watched.stdout
    assert (await terminal.json("replays", "show", replay, "--state", "applied"))["counts"][
        "applied"
    ] == 3
    assert [one["state"] for one in (await terminal.json("replays", "list"))["data"]] == [
        "finished",
        "canceled",
    ]


async def test_requests_once_more(field: Field, terminal: Terminal) -> None:
    source, _, _ = await field.dead(2)
    asked = ("requests", "replay", "--source", source["id"], "--reason", "again")
    assert (await terminal.json(*asked, "--dry-run"))["matched"] == 2
    replay = (await terminal.json(*asked, "--yes"))["id"]
    await field.drain()
    failed = await terminal.run("replays", "watch", replay, "--json")
    assert failed.exit_code == 1  # the mapping is still wrong
    assert json.loads(failed.stdout)["counts"]["failed_again"] == 2
    request = json.loads(failed.stdout)["items"][0]["subject_id"]
    one = await terminal.json("requests", "replay", request)
    assert (one["matched"], one["kind"]) == (1, "requests")
    assert "failed_again" in (await terminal.run("requests", "show", request)).stdout
    assert (await terminal.run("requests", "replay")).exit_code == 2


async def test_discard_needs_a_reason(field: Field, terminal: Terminal) -> None:
    _, letters, _ = await field.dead(2)
    assert (await terminal.run("dead-letters", "discard", letters[0])).exit_code == 2
    assert (await terminal.run("dead-letters", "discard", "--reason", "r")).exit_code == 2
    one = await terminal.json("dead-letters", "discard", letters[0], "--reason", "a test")
    assert (one["state"], one["discard_reason"]) == ("discarded", "a test")
    group = await terminal.json(
        "dead-letters", "discard", "--fingerprint", one["fingerprint"], "--reason", "all"
    )
    assert group["discarded"] == 1


async def test_the_operators_letters_are_nobody_elses(field: Field, terminal: Terminal) -> None:
    await field.dead()
    event = rows.request(field.tenant, field.tenant)
    assert await field.bench.runner("ingest")(field.feed.deliver(record_of(event, prefix="other.")))
    (mine,) = (await terminal.json("dead-letters", "list"))["data"]
    (theirs,) = (await terminal.json("dead-letters", "list", "--operator"))["data"]
    assert (mine["error_class"], theirs["error_class"]) == ("user_config", "undecodable")
    shown = await terminal.json("dead-letters", "show", theirs["id"], "--operator")
    assert (shown["decoded"], bool(shown["undecodable"])) == (None, True)
    assert (await terminal.run("dead-letters", "show", theirs["id"])).exit_code == 1
    replay = await terminal.json(
        "replays", "start", "--operator", "--yes", "--reason", "it reads other.* now"
    )
    assert replay["matched"] == 1
    assert replay["created_by"].count("at the database") == 1
    await field.drain()
    assert (await terminal.json("replays", "show", replay["id"], "--operator"))["counts"][
        "failed_again"
    ] == 1
    given_up = await terminal.json(
        "dead-letters", "discard", theirs["id"], "--operator", "--reason", "foreign"
    )
    assert given_up["state"] == "discarded"
    owners = await field.bench.ask("SELECT tenant_id FROM dead_letters WHERE state = 'discarded'")
    assert [one["tenant_id"] for one in owners] == [OPERATOR]
