"""Unit tests talk to nobody: a socket that would leave the process is an error."""

import sys
from collections.abc import Iterator
from typing import Any

import pytest

LEAVING = frozenset({"socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto"})


class _Guard:
    """An audit hook stays for the life of the process, so it asks whether it is on duty."""

    def __init__(self) -> None:
        self.on_duty = False
        sys.addaudithook(self)

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.on_duty and event in LEAVING:
            raise RuntimeError(f"a unit test must not use the network: {event} {arguments[1:]!r}")


@pytest.fixture(scope="session")
def socket_guard() -> _Guard:
    """One hook for the whole run."""
    return _Guard()


@pytest.fixture(autouse=True)
def without_sockets(socket_guard: _Guard) -> Iterator[None]:
    """On duty during each unit test."""
    socket_guard.on_duty = True
    yield
    socket_guard.on_duty = False
