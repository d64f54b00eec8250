"""What the world raises, sorted into the failure words; anything else is a bug."""

import asyncio

import asyncpg
from aiokafka.errors import KafkaError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from compose.postgres.connections import WrongRole
from consumers.errors import Permanent, Transient
from producers.outbox.ports import NotStorable, Unavailable
from schemas.log import EventTooLarge

# SQLSTATE classes: https://www.postgresql.org/docs/18/errcodes-appendix.html connection,
# unsupported (a plan that a migration has outdated), rollback, resources, locks, operator, system
TRANSIENT_CLASSES = ("08", "0A", "40", "53", "55", "57", "58")
PERMANENT_CLASSES = ("22",)  # data that Postgres refuses, such as NUL in text
# A connection that is killed between two statements lets asyncpg say InternalClientError on the
# next one.
PASSING = (
    OSError,
    asyncio.TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    PoolTimeout,
    InterfaceError,
    KafkaError,
    WrongRole,
)


def classify(error: BaseException) -> type[Exception] | None:
    """Transient, Permanent, or None for a bug."""
    if isinstance(error, EventTooLarge):
        return Permanent
    state = _sqlstate(error)
    if state is not None and state[:2] in TRANSIENT_CLASSES:
        return Transient
    if state is not None and state[:2] in PERMANENT_CLASSES:
        return Permanent
    if state is None and isinstance(error, DBAPIError) and error.connection_invalidated:
        return Transient
    if isinstance(error, PASSING) or (state is None and isinstance(error, OperationalError)):
        return Transient
    return None


def is_transient(error: BaseException) -> bool:
    """Whether the same again can succeed."""
    if isinstance(error, BaseExceptionGroup):
        return all(is_transient(one) for one in error.exceptions)
    return isinstance(error, Transient) or classify(error) is Transient


def door_refusal(error: BaseException) -> type[Exception]:
    """The exception for a waiting client: NotStorable for content, Unavailable for all else."""
    state = _sqlstate(error)
    content = state is not None and (state[:2] == "22" or state == "23514")
    return NotStorable if content else Unavailable


def _sqlstate(error: BaseException) -> str | None:
    if isinstance(error, DBAPIError):
        return getattr(error.orig, "sqlstate", None)
    return getattr(error, "sqlstate", None) if isinstance(error, asyncpg.PostgresError) else None
