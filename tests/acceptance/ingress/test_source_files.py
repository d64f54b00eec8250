"""Sources as a file: exported, compared, applied; twice is as good as once."""

import json
import stat
from pathlib import Path
from typing import Any

from tests.acceptance.ingress.listening import Terminal
from tests.acceptance.ingress.senders import accepted, create
from tests.acceptance.world import World

FILE = """
[[sources]]
name = "shop"
scheme = "shopify"
secret = "@{secret}"

[[sources]]
name = "trainer"
paused = true
action = {{ kind = "command", mapping = {{ dataset_id = "a", target = "'y \\u007f'", model = "m" }} }}

[[sources]]
name = "erp"
scheme = "hmac"
secret = "env:ERP_SECRET"
options = {{ header = "x-signature", id_header = "x-id" }}
"""


async def names(api: World) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in (await api.get("/v1/sources"))["data"]}


def asked(terminal: Terminal, **environment: str) -> Terminal:
    return Terminal({**terminal.environment, **environment})


async def test_a_file_is_applied_once_however_often(
    api: World, terminal: Terminal, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("shopify's own secret\n")
    file, out = tmp_path / "sources.toml", tmp_path / "made.json"
    file.write_text(FILE.format(secret=tmp_path / "secret"))
    terminal = asked(terminal, ERP_SECRET="a secret of the environment")
    different = await terminal.run("sources", "diff", str(file))
    assert (different.exit_code, different.stdout.count("+ ")) == (0, 3)
    assert (await terminal.run("sources", "diff", str(file), "--exit-code")).exit_code == 1
    assert (await terminal.run("sources", "apply", str(file), "--dry-run")).exit_code == 0
    assert await names(api) == {}

    done = await terminal.json("sources", "apply", str(file), "--secrets-out", str(out))
    assert [(one["what"], one["name"]) for one in done["changes"]] == [
        ("create", "shop"),
        ("create", "trainer"),
        ("create", "erp"),
    ]
    assert "secret" not in json.dumps([one for one in done["changes"] if one["name"] != "trainer"])
    (made,) = map(json.loads, out.read_text().splitlines())
    assert (made["name"], stat.S_IMODE(out.stat().st_mode)) == ("trainer", 0o600)
    there = await names(api)
    assert there["trainer"]["paused"] is True
    await accepted(api, {**there["shop"], "secret": "shopify's own secret"}, b"{}")
    await accepted(api, {**there["erp"], "secret": "a secret of the environment"}, b"{}")

    assert (await terminal.json("sources", "apply", str(file)))["changes"] == []
    assert (await terminal.run("sources", "diff", str(file), "--exit-code")).exit_code == 0
    exported = tmp_path / "exported.toml"
    exported.write_text((await terminal.run("sources", "export")).stdout)
    assert "secret" not in exported.read_text()
    assert (await terminal.json("sources", "diff", str(exported), "--prune"))["changes"] == []
    assert await names(api) == there


async def test_changes_and_deletions(api: World, terminal: Terminal, tmp_path: Path) -> None:
    await create(api, "old")
    kept = await create(api, "kept", scheme="github")
    file = tmp_path / "sources.toml"
    file.write_text('[[sources]]\nname = "kept"\nscheme = "github"\npaused = true\n')
    shown = await terminal.run("sources", "diff", str(file), "--prune")
    assert ("~ kept" in shown.stdout, "- old" in shown.stdout, "paused" in shown.stdout) == (
        True,
        True,
        True,
    )
    refused = await terminal.run("sources", "apply", str(file), "--prune")
    assert (refused.exit_code, set(await names(api))) == (2, {"old", "kept"}), (
        "nobody is asked, nothing is done"
    )
    assert (await terminal.run("sources", "apply", str(file))).exit_code == 0
    assert set(await names(api)) == {"old", "kept"}
    pruned = await terminal.json("sources", "apply", str(file), "--prune", "--yes")
    assert [(one["what"], one["name"]) for one in pruned["changes"]] == [("delete", "old")]
    (left,) = (await names(api)).values()
    assert (left["id"], left["paused"], left["version"]) == (kept["id"], True, 2)


async def test_a_made_secret_is_shown_once(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "sources.toml"
    file.write_text('[[sources]]\nname = "one"\n')
    first, again = [(await terminal.run("sources", "apply", str(file))).stdout for _ in range(2)]
    assert ("whsec_" in first, "whsec_" in again, "Nothing is different" in again) == (
        True,
        False,
        True,
    )


async def test_a_scheme_is_not_changed_silently(
    api: World, terminal: Terminal, tmp_path: Path
) -> None:
    await create(api, "one", scheme="github")
    file = tmp_path / "sources.toml"
    file.write_text('[[sources]]\nname = "one"\n')
    for command in ("diff", "apply"):
        done = await terminal.run("sources", command, str(file))
        assert (done.exit_code, "cannot be changed" in done.stderr) == (1, True)


async def test_a_wrong_file_is_misuse_and_changes_nothing(
    api: World, terminal: Terminal, tmp_path: Path
) -> None:
    file = tmp_path / "sources.toml"
    good = '[[sources]]\nname = "good"\n'
    for bad, said in (
        ("[[sources]", "not TOML"),
        ("[sources]\n", "[[sources]]"),
        ("a = 1\n", "[[sources]]"),
        ('[[sources]]\nname = "?"\n', "name"),
        ('[[sources]]\nscheme = "github"\n', "name"),
        ('[[sources]]\nname = "a"\nscheme = "none"\n', "scheme"),
        ('[[sources]]\nname = "a"\nsecrets = "x"\n', "knows"),
        ('[[sources]]\nname = "a"\nsecret = "whsec_abc"\n', "never the secret"),
        (good, "twice"),
        ('[[sources]]\nname = "a"\nscheme = "hmac"\n', "header"),
        ('[[sources]]\nname = "a"\npaused = 1\n', "paused"),
        (
            (
                '[[sources]]\nname = "a"\naction = { kind = "command", mapping = { dataset_id = "a[" '
                "} }\n"
            ),
            "JMESPath",
        ),
    ):
        file.write_text(bad + "\n" + good if bad.startswith("[[sources]]") else bad)
        for command in ("diff", "apply"):
            done = await terminal.run("sources", command, str(file))
            assert (done.exit_code, said in done.stderr) == (2, True), (bad, done.stderr)
            assert "whsec_abc" not in done.output
    assert (await terminal.run("sources", "diff", str(tmp_path / "none.toml"))).exit_code == 2
    file.write_text(f'{good}[[sources]]\nname = "a"\nsecret = "env:NOT_THERE"\n')
    assert (await terminal.run("sources", "apply", str(file))).exit_code == 1
    (tmp_path / "taken").write_text("somebody's")
    file.write_text(good)
    assert (
        await terminal.run("sources", "apply", str(file), "--secrets-out", str(tmp_path / "taken"))
    ).exit_code == 1
    assert await names(api) == {}


async def test_pages_of_sources(api: World, terminal: Terminal) -> None:
    made = [(await create(api, f"s{number}"))["id"] for number in range(5)][::-1]
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = await api.get("/v1/sources", limit=2, **({"cursor": cursor} if cursor else {}))
        found += [one["id"] for one in page["data"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == made
    assert (await terminal.run("sources", "export")).stdout.count("[[sources]]") == 5
