"""The commands that change a stack while it runs."""

import httpx
import pytest

from tests.acceptance.terminal import Terminal

pytestmark = pytest.mark.xdist_group("command line")


def test_a_consumer_is_paused_and_resumed(terminal: Terminal) -> None:
    here = ("--data-dir", str(terminal.data_dir))
    listed = {one["name"]: one for one in terminal.json("consumers", "list", *here)["data"]}
    assert listed.keys() == {
        "ingest",
        "training",
        "finalization",
        "billing",
        "projection.jobs",
        "projection.metric_trends",
        "projection.usage",
    }
    assert {one["state"] for one in listed.values()} == {"running"}
    paused = terminal.json("consumers", "pause", "billing", "--reason", "maintenance", *here)
    assert paused == {"consumer": "billing", "state": "paused", "changed": True}
    shown = terminal.json("consumers", "show", "billing", *here)
    assert (shown["state"], shown["reason"], len(shown["partitions"])) == (
        "paused",
        "maintenance",
        6,
    )
    doctor = terminal.run("doctor")
    assert doctor.returncode == 1
    assert "billing is paused: maintenance" in doctor.stdout
    view = "projection.jobs"
    assert (
        terminal.json("consumers", "pause", view, "--reason", "a bad view", *here)["changed"]
        is True
    )
    assert "projection.jobs is paused: a bad view" in terminal.run("doctor").stdout
    told = terminal.json("status")["paused"]
    assert [(one["consumer"], one["reason"]) for one in told] == [
        ("billing", "maintenance"),
        (view, "a bad view"),
    ]
    assert "billing is paused since" in terminal.run("status").stdout
    assert len(terminal.json("consumers", "show", view, *here)["partitions"]) == 6
    assert (
        terminal.json("consumers", "resume", view, "--reason", "mended", *here)["changed"] is True
    )
    assert (
        httpx.get(terminal.json("status")["api_url"] + "/readyz", trust_env=False).status_code
        == 200
    )
    assert (
        terminal.json("consumers", "resume", "billing", "--reason", "done", *here)["changed"]
        is True
    )
    assert terminal.run("doctor").returncode == 0
    assert terminal.run("consumers", "show", "nobody", *here).returncode == 1
    assert terminal.run("consumers", "pause", "billing", *here).returncode == 2


def test_a_topic_is_grown_while_it_is_used(terminal: Terminal) -> None:
    here = ("--data-dir", str(terminal.data_dir))
    source = terminal.json("sources", "create", "grows")
    secret = ("send", "--source", source["id"], "--secret", source["secret"], "--data", "{}")
    assert terminal.run(*secret, "--repeat", "5").returncode == 0
    dry = terminal.json("topics", "grow", "headrace.webhooks", "9", "--dry-run", *here)
    assert (dry["partitions"], dry["spread_over"], dry["held_since"]) == (6, 6, None)
    grown = terminal.run("topics", "grow", "headrace.webhooks", "9", "--timeout", "60", *here)
    assert (grown.returncode, "keys use 9: in use" in grown.stdout) == (0, True), (
        grown.stdout + grown.stderr
    )
    listed = {one["topic"]: one for one in terminal.json("topics", "list", *here)["data"]}
    assert {name: one["partitions"] for name, one in listed.items() if one["partitions"] != 6} == {
        "headrace.webhooks": 9,
        "headrace.dead-letters": 1,
    }
    assert terminal.run(*secret).returncode == 0
    fewer = terminal.run("topics", "grow", "headrace.webhooks", "6", *here)
    assert (fewer.returncode, "Kafka takes none away" in fewer.stderr) == (1, True)
    unknown = terminal.run("topics", "grow", "nothing", "9", *here)
    assert (unknown.returncode, "known: headrace.webhooks" in unknown.stderr) == (1, True)
    assert terminal.run("topics", "grow", "headrace.webhooks", *here).returncode == 2
