"""What the world raises, in the words of those who act: by SQLSTATE, bare or through SQLAlchemy."""

import asyncpg
import pytest
from sqlalchemy.exc import (
    DBAPIError,
    IntegrityError,
    InterfaceError,
    InvalidRequestError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from compose.failures import classify, door_refusal, is_transient
from consumers.errors import Permanent, Transient
from producers.outbox.ports import NotStorable, Unavailable

TRANSIENT: list[type[asyncpg.PostgresError]] = [
    asyncpg.ConnectionDoesNotExistError,
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.TooManyConnectionsError,
    asyncpg.DiskFullError,
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
    asyncpg.AdminShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.PostgresIOError,
]
PERMANENT: list[type[asyncpg.PostgresError]] = [
    asyncpg.DataError,
    asyncpg.CharacterNotInRepertoireError,
    asyncpg.UntranslatableCharacterError,
    asyncpg.NumericValueOutOfRangeError,
    asyncpg.InvalidTextRepresentationError,
]
BUGS: list[type[asyncpg.PostgresError]] = [
    asyncpg.UniqueViolationError,
    asyncpg.CheckViolationError,
    asyncpg.NotNullViolationError,
    asyncpg.UndefinedColumnError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.RaiseError,
]


class DriverError(Exception):
    """As SQLAlchemy's asyncpg dialect hands it on: the driver's error with its SQLSTATE."""

    def __init__(self, sqlstate: str | None) -> None:
        super().__init__("told by the driver")
        self.sqlstate = sqlstate


def wrapped(
    sqlstate: str | None, kind: type[DBAPIError] = DBAPIError, *, lost: bool = False
) -> DBAPIError:
    return kind("SELECT 1", {}, DriverError(sqlstate), connection_invalidated=lost)


@pytest.mark.parametrize(
    ("kinds", "word"),
    [(TRANSIENT, Transient), (PERMANENT, Permanent), (BUGS, None)],
    ids=["again", "never", "bug"],
)
def test_an_error_is_the_same_bare_and_wrapped(
    kinds: list[type[asyncpg.PostgresError]], word: type | None
) -> None:
    for kind in kinds:
        assert classify(kind("told by the server")) is word, kind
        assert classify(wrapped(kind.sqlstate)) is word, kind
        assert is_transient(kind("told by the server")) is (word is Transient), kind


@pytest.mark.parametrize(
    "error",
    [
        OSError("down"),
        ConnectionResetError(),
        TimeoutError(),
        PoolTimeout("no connection"),
        asyncpg.InterfaceError("connection is closed"),
        wrapped(None, InterfaceError),
        wrapped(None, OperationalError),
        wrapped(None, lost=True),
        wrapped("08006", OperationalError),
    ],
    ids=repr,
)
def test_a_lost_connection_passes(error: Exception) -> None:
    assert classify(error) is Transient
    assert is_transient(error)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("x"),
        KeyError("x"),
        RecursionError(),
        InvalidRequestError("x"),
        wrapped(None),
        wrapped("23505", IntegrityError),
        wrapped("42703", OperationalError),
    ],
    ids=repr,
)
def test_anything_else_is_a_bug(error: Exception) -> None:
    assert classify(error) is None
    assert not is_transient(error)


def test_our_own_words_pass_or_not() -> None:
    assert is_transient(Transient("later"))
    assert not is_transient(Permanent("never"))


@pytest.mark.parametrize("kind", [*PERMANENT, asyncpg.CheckViolationError])
def test_content_that_the_database_refuses_is_told_so(kind: type[asyncpg.PostgresError]) -> None:
    assert door_refusal(kind("x")) is NotStorable
    assert door_refusal(wrapped(kind.sqlstate)) is NotStorable


@pytest.mark.parametrize(
    "error", [OSError(), KeyError("x"), *(kind("x") for kind in TRANSIENT)], ids=repr
)
def test_for_all_else_the_sender_tries_again(error: Exception) -> None:
    assert door_refusal(error) is Unavailable
