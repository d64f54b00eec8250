"""The tenant's training options: known names, known values, or a refusal that lists them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast, get_args

from consumers.training.plan import Profile, Task
from consumers.work.child import Refusal

KNOWN = ("profile", "seed", "task")
MAX_SEED = 2**32


@dataclass(frozen=True, slots=True)
class Options:
    task: Task | None
    profile: Profile | None
    seed: int


def read_options(options: Mapping[str, Any], default_seed: int) -> Options:
    """Refuses with `unknown_option` or `invalid_option`."""
    if unknown := sorted(set(options) - set(KNOWN)):
        text = f"unknown option {', '.join(map(repr, unknown))}; known are {', '.join(KNOWN)}"
        raise Refusal("user_config", "unknown_option", text)
    seed = options.get("seed", default_seed)
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < MAX_SEED:
        raise Refusal("user_config", "invalid_option", f"seed must be an integer from 0 to {MAX_SEED - 1}")
    return Options(
        task=cast("Task | None", _one_of(options, "task", get_args(Task))),
        profile=cast("Profile | None", _one_of(options, "profile", get_args(Profile))),
        seed=seed,
    )


def _one_of(options: Mapping[str, Any], name: str, allowed: tuple[str, ...]) -> str | None:
    value = options.get(name)
    if value is not None and value not in allowed:
        raise Refusal("user_config", "invalid_option", f"{name} must be one of {', '.join(allowed)}, not {value!r}")
    return cast("str | None", value)
