"""Sources, requests and senders from a terminal, against an API that listens."""

import asyncio
import json
from pathlib import Path

from tests.acceptance.github_issues import ACTION, PING, issue
from tests.acceptance.ingress.listening import Terminal
from tests.acceptance.ingress.senders import sql
from tests.acceptance.world import World

DATASET = "00000000-0000-7000-8000-000000000001"


async def test_a_source_of_each_scheme_takes_what_send_signs(
    terminal: Terminal, tmp_path: Path
) -> None:
    body = tmp_path / "body.json"
    body.write_text('{"id": "evt_1", "event_id": "Ev1"}')
    for scheme, options in (
        ("standard_webhooks", []),
        ("github", []),
        ("stripe", []),
        ("shopify", []),
        ("slack", []),
        (
            "hmac",
            [
                "header=x-signature",
                "timestamp_header=x-time",
                "signed={timestamp}.{body}",
                "id_header=x-id",
            ],
        ),
        ("password", ["shown_as=bearer", "id_header=x-id"]),
    ):
        given = ["--scheme", scheme, *(word for one in options for word in ("--option", one))]
        made = await terminal.json("sources", "create", f"{scheme} one", *given)
        file = tmp_path / scheme
        file.write_text(made["secret"] + "\n")
        sent = ["send", "--source", made["id"], *given, "--secret", f"@{file}", "--id", "id-1"]
        twice = await terminal.run(*sent, str(body), "--repeat", "2", "--json")
        answers = [json.loads(line) for line in twice.stdout.splitlines()]
        assert [one["duplicate"] for one in answers] == [False, True], (scheme, twice.output)
        piped = await terminal.run(*sent, "-", stdin='{"id": "evt_2", "event_id": "Ev2"}')
        assert piped.exit_code == 0, piped.output
    listed = await terminal.json("requests", "list", "--outcome", "duplicate")
    assert len(listed["data"]) >= 7
    shown = await terminal.run("requests", "show", listed["data"][0]["id"])
    assert shown.exit_code == 0
    assert listed["data"][0]["event_id"] in shown.stdout
    seen = (await terminal.run("requests", "list")).stdout
    assert "duplicate" in seen
    assert listed["data"][0]["source_name"] in seen
    came = await terminal.run("requests", "body", listed["data"][0]["id"])
    assert (came.exit_code, came.stdout_bytes) == (0, body.read_bytes())
    into = tmp_path / "came.json"
    assert (
        await terminal.run("requests", "body", listed["data"][0]["id"], "--out", str(into))
    ).exit_code == 0
    assert into.read_bytes() == body.read_bytes()


async def test_repeats_with_new_ids_keep_the_rate(terminal: Terminal) -> None:
    made = await terminal.json("sources", "create", "one")
    loop = asyncio.get_running_loop()
    began = loop.time()
    result = await terminal.run(
        "send",
        "--source",
        made["id"],
        "--secret",
        made["secret"],
        "--data",
        "{}",
        "--repeat",
        "5",
        "--new-ids",
        "--rate",
        "10",
        "--json",
    )
    assert loop.time() - began >= 0.4
    assert [json.loads(line)["duplicate"] for line in result.stdout.splitlines()] == [False] * 5


async def test_a_source_is_changed_paused_and_deleted(terminal: Terminal) -> None:
    made = await terminal.json(
        "sources", "create", "one", "--scheme", "github", "--secret", "a secret of github's"
    )
    assert made["secret"] == "a secret of github's"
    changed = await terminal.json(
        "sources", "update", made["id"], "--train", "--target", "'y'", "--if-version", "1"
    )
    assert (changed["version"], changed["mapping_version"], changed["action"]["command"]) == (
        2,
        2,
        "train",
    )
    late = await terminal.run("sources", "update", made["id"], "--name", "two", "--if-version", "1")
    assert (late.exit_code, "changed_meanwhile" in late.stderr) == (1, True)
    payload = json.dumps({"dataset_id": DATASET, "model": "wine"})
    becomes = (await terminal.json("sources", "dry-run", made["id"], "--data", payload))["becomes"]
    assert (becomes["target"], becomes["model"]) == ("y", "wine")
    unfit = await terminal.run("sources", "dry-run", made["id"], "--data", "{}")
    assert (unfit.exit_code, "unmappable" in unfit.stderr) == (1, True)
    assert (await terminal.json("sources", "pause", made["id"]))["paused"] is True
    assert "paused" in (await terminal.run("sources", "list")).stdout
    assert (await terminal.json("sources", "resume", made["id"]))["paused"] is False
    part = await terminal.run("sources", "update", made["id"], "--train", "--dataset-id", "'wine'")
    assert "action.mapping.dataset_id: dataset_id → 'wine'" in part.stdout
    assert part.stdout.count("→") == 1
    mapping = (await terminal.json("sources", "show", made["id"]))["action"]["mapping"]
    wanted = {"dataset_id": "'wine'", "target": "'y'", "model": "model", "options": "options"}
    assert mapping == wanted
    turned = await terminal.json("sources", "rotate-secret", made["id"], "--grace-seconds", "60")
    assert turned["secret"] not in (await terminal.run("sources", "show", made["id"])).stdout
    asked = await terminal.run("sources", "delete", made["id"], stdin="n\n")
    assert asked.exit_code == 1
    assert (await terminal.run("sources", "delete", made["id"], "--yes")).exit_code == 0
    assert (await terminal.run("sources", "show", made["id"])).exit_code == 1


async def test_an_option_of_a_scheme_is_changed_alone(terminal: Terminal) -> None:
    options = ("--option", "header=x-sign", "--option", "prefix=v1=", "--option", "id_header=x-id")
    made = await terminal.json("sources", "create", "one", "--scheme", "hmac", *options)
    changing = ("--option", "prefix=v2=", "--option", "id_header=null")
    changed = await terminal.run("sources", "update", "one", *changing)
    assert "options.prefix: v1= → v2=" in changed.stdout
    assert "options.id_header: x-id → -" in changed.stdout
    after = (await terminal.json("sources", "show", made["id"]))["options"]
    assert after == {
        **{k: v for k, v in made["options"].items() if k != "id_header"},
        "prefix": "v2=",
    }


async def test_a_short_secret_that_a_sender_has_already_is_taken_with_a_warning(
    terminal: Terminal,
) -> None:
    made = await terminal.run(
        "sources", "create", "one", "--scheme", "github", "--secret", "12345678"
    )
    assert made.exit_code == 0, made.stderr
    assert "warning: This secret has 8 characters" in made.stderr
    (row,) = (await terminal.json("sources", "list"))["data"]
    long = await terminal.json("sources", "rotate-secret", "one", "--secret", "0123456789abcdef")
    assert "warnings" not in long
    short = await terminal.json("sources", "rotate-secret", "one", "--secret", "0123456789abcde")
    assert ["15 characters" in one for one in short["warnings"]] == [True]
    sent = ("send", "--source", row["id"], "--scheme", "github", "--secret", "0123456789abcde")
    assert (await terminal.run(*sent, "--data", "{}")).exit_code == 0
    refused = await terminal.run("sources", "rotate-secret", "one", "--secret", "1234567")
    assert (refused.exit_code, "8 to 200 characters" in refused.stderr) == (1, True)


async def test_a_source_gathers_rows(terminal: Terminal, api: World, tmp_path: Path) -> None:
    file = tmp_path / "action.json"
    file.write_text(json.dumps(ACTION))
    assert "No source gathers rows" in (await terminal.run("sources", "streams")).stdout
    made = await terminal.json(
        "sources", "create", "repo", "--scheme", "github", "--action", f"@{file}"
    )
    assert made["action"] == {
        **ACTION,
        "seal": {**ACTION["seal"], "window": "all", "window_rows": 100_000},
    }
    shown = await terminal.run("sources", "show", made["id"])
    assert "labels[0].name" in shown.stdout
    tried = await terminal.run("sources", "dry-run", made["id"], "-", stdin=issue(4).decode())
    assert (tried.exit_code, 'Spelling error no. 4, "again"' in tried.stdout) == (0, True)
    nothing = await terminal.run("sources", "dry-run", made["id"], "--data", PING.decode())
    assert (nothing.exit_code, "nothing in it has a value" in nothing.stdout) == (0, True)
    other = json.dumps({**ACTION, "columns": {"labels": "labels", "kind": "state"}})
    unfit = await terminal.run(
        "sources", "dry-run", made["id"], "-", "--action", other, stdin=issue(4).decode()
    )
    assert (
        unfit.exit_code,
        "`columns.labels`: `labels` gave a list of 1 in row 1" in unfit.stderr,
    ) == (1, True)
    changed = await terminal.json(
        "sources", "update", made["id"], "--action", json.dumps({"kind": "forward"})
    )
    assert (changed["action"], changed["mapping_version"]) == ({"kind": "forward"}, 2)
    await sql(
        api,
        """INSERT INTO streams (tenant_id, id, source_id, dataset, shape, columns, seal,
            mapping_version, is_current,
                                taken, cut, kept_after, batches, sealed, cause_id, correlation_id)
           SELECT tenant_id, id, id, 'issues', 'x', '[]', '{}', 1, true, 32, 30, 0, 1, 0, id, id
               FROM sources""",
    )
    assert (await terminal.json("sources", "streams"))["data"][0]["open_rows"] == 2
    listed = (await terminal.run("sources", "streams")).stdout
    assert all(word in listed for word in ("issues", made["id"], "current", "32"))


async def test_misuse_is_told_before_anything_is_sent(terminal: Terminal) -> None:
    for arguments in (
        ["send", "--source", DATASET, "--secret", "x", "--scheme", "nosuch", "--data", "{}"],
        ["send", "--source", DATASET, "--secret", "x", "--scheme", "hmac", "--data", "{}"],
        ["send", "--source", DATASET, "--secret", "x", "--data", "{}"],
        ["sources", "update", DATASET],
        ["sources", "update", DATASET, "--target", "y"],
        ["sources", "dry-run", DATASET, "--data", "{"],
        ["sources", "dry-run", DATASET, "--data", "{}", "--action", "{"],
        ["sources", "create", "one", "--action", "[]"],
        ["sources", "create", "one", "--action", "{}", "--train"],
        ["sources", "update", DATASET, "--action", "{}", "--forward"],
    ):
        assert (await terminal.run(*arguments)).exit_code == 2, arguments
