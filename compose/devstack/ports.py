"""Loopback ports: free ones are chosen once and remembered, so that addresses survive `down` and
`up`.
"""

import fcntl
import json
import os
import socket
from contextlib import ExitStack
from dataclasses import asdict, dataclass, fields
from functools import cache
from pathlib import Path

from compose.devstack.jars import default_cache
from compose.devstack.secrets_file import write_private

HOST = "127.0.0.1"
# Tried first, in this order of fields, so that a lone stack has the well-known addresses.
USUAL = {"postgres": 5432, "kafka": 9092, "controller": 9093, "api": 8080}


class PortTakenError(Exception):
    """A port that the user gave is not to be had."""


@dataclass(frozen=True)
class Ports:
    """One port for each listener of the stack."""

    postgres: int
    kafka: int
    controller: int
    api: int


def is_free(port: int) -> bool:
    """Whether nobody listens on this loopback port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # else a closed connection's TIME_WAIT counts
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def claim(port: int) -> bool:
    """Keep a port for this process until it ends; False while another stack of this user has it.

    Between choosing one and listening there pass seconds, in which a second stack would find it
    free.
    """
    try:
        fcntl.lockf(_claims(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except (BlockingIOError, PermissionError):
        return False
    return True


@cache
def _claims() -> int:
    # Opened once and never closed: that would let go of every claim of this process. In a directory
    # of the user's own.
    path = default_cache().parent / "ports.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def free_ports(count: int) -> tuple[int, ...]:
    """`count` different free ports, as the kernel hands them out."""
    with ExitStack() as held:
        probes = [
            held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            for _ in range(count)
        ]
        for probe in probes:
            probe.bind((HOST, 0))
        return tuple(probe.getsockname()[1] for probe in probes)


def remembered(file: Path) -> Ports | None:
    """The ports of an earlier start, None when there was none."""
    try:
        return Ports(**json.loads(file.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def choose(file: Path, given: dict[str, int] | None = None) -> Ports:
    """The ports to use now, remembered in `file`.

    A `given` port is taken as it is; PortTakenError when somebody listens there, who would answer
    in its stead and be taken for ours. Another one is the remembered one if it is free, else the
    usual one, else any. Call it when nothing of ours is running any more.
    """
    known = remembered(file)
    chosen = dict(given or {})
    for name, port in chosen.items():
        if not (is_free(port) and claim(port)):
            raise PortTakenError(f"port {port}, given for {name}, is in use by another process")
    for field in fields(Ports):
        if field.name in chosen:
            continue
        candidates = (
            [USUAL[field.name]]
            if known is None
            else [int(getattr(known, field.name)), USUAL[field.name]]
        )
        free = (
            port
            for port in candidates
            if port not in chosen.values() and is_free(port) and claim(port)
        )
        chosen[field.name] = next(free, None) or _other(set(chosen.values()))
    ports = Ports(**chosen)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_private(file, json.dumps(asdict(ports)))
    return ports


def _other(taken: set[int]) -> int:
    while True:
        (port,) = free_ports(1)
        if port not in taken and claim(port):
            return port
