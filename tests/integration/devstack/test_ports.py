"""Ports are chosen once, kept, and chosen again only when a stranger has one."""

import socket
from pathlib import Path

from compose.devstack.ports import choose, free_ports


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
