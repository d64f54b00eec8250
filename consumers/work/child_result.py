"""What an attempt in a child process is asked, says on the way, and ends with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

LimitCode = Literal["memory_limit", "cpu_limit", "process_limit", "file_limit", "deadline"]


@dataclass(frozen=True, slots=True)
class ChildRequest:
    """`payload` is JSON; `directory` is the child's own (see `working_directory`), where it
    leaves its files.
    """

    kind: str
    payload: Mapping[str, Any]
    directory: Path


@dataclass(frozen=True, slots=True)
class Progress:
    stage: str
    fraction: float


@dataclass(frozen=True, slots=True)
class Finished:
    result: Mapping[str, Any]
    peak_rss_bytes: int
    seconds: float
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class TenantRefused:
    """The tenant's data or configuration is unusable; a retry gives the same."""

    failure_class: Literal["user_data", "user_config", "quota"]
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class LimitExceeded:
    code: LimitCode
    message: str


@dataclass(frozen=True, slots=True)
class Broken:
    """An exception in the child that is no refusal: our bug, failure class internal."""

    error_type: str
    message: str
    traceback: str


@dataclass(frozen=True, slots=True)
class Crashed:
    """The process died or spoke nonsense, or what it needs is away: infrastructure, worth
    another attempt.
    """

    message: str
    code: str = "worker_crashed"


@dataclass(frozen=True, slots=True)
class Canceled:
    pass


ChildResult = Finished | TenantRefused | LimitExceeded | Broken | Crashed | Canceled
OnProgress = Callable[[Progress], Awaitable[None] | None]
