"""Ports are chosen once, kept, and chosen again only when a stranger has one."""

import json
import socket
import subprocess
import sys
from pathlib import Path

from compose.devstack.ports import choose, free_ports
from tests.contract.house import ROOT

CHOOSE = """
import sys
from pathlib import Path
from compose.devstack.ports import choose
print(choose(Path(sys.argv[1])), flush=True)
sys.stdin.read()
"""


def test_ports_are_remembered(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    first = choose(file)
    assert choose(file) == first
    assert len({first.postgres, first.kafka, first.controller, first.api}) == 4


def test_a_port_taken_by_a_stranger_is_chosen_again(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    first = choose(file)
    with socket.create_server(("127.0.0.1", first.kafka)):
        second = choose(file)
    assert second.kafka != first.kafka
    assert second.postgres == first.postgres
    assert choose(file) == second


def test_a_given_port_is_taken_as_it_is(tmp_path: Path) -> None:
    (wanted,) = free_ports(1)
    ports = choose(tmp_path / "ports.json", {"api": wanted})
    assert ports.api == wanted
    assert wanted not in (ports.postgres, ports.kafka, ports.controller)


def test_two_stacks_that_start_at_once_share_no_port(tmp_path: Path) -> None:
    """Nobody listens yet when the second chooses."""
    starts = [
        subprocess.Popen(
            [sys.executable, "-c", CHOOSE, str(tmp_path / name)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("one.json", "two.json")
    ]
    for start in starts:
        assert start.stdout is not None
        assert start.stdout.readline().startswith("Ports(")
    one, two = (
        set(json.loads((tmp_path / name).read_text()).values()) for name in ("one.json", "two.json")
    )
    for start in starts:
        start.communicate(timeout=120)
    assert (len(one), len(two), one & two) == (4, 4, set())
