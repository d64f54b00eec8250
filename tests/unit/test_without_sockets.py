"""The guard itself: no unit test can reach a server by accident."""

import socket

import pytest


def test_a_connection_is_refused_before_it_is_tried() -> None:
    with socket.socket() as one, pytest.raises(RuntimeError, match="must not use the network"):
        one.connect(("127.0.0.1", 9))


def test_a_server_cannot_be_started() -> None:
    with socket.socket() as one, pytest.raises(RuntimeError, match="must not use the network"):
        one.bind(("127.0.0.1", 0))
