"""The tenant's training options: known names, known values, or a refusal that lists them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from consumers.work.child import ChildRefusal
from schemas.training_options import Profile, Task, problem


@dataclass(frozen=True, slots=True)
class Options:
    task: Task | None
    profile: Profile | None
    seed: int


def read_options(options: Mapping[str, Any], default_seed: int) -> Options:
    """Refuses with `unknown_option` or `invalid_option`."""
    if found := problem(options):
        raise ChildRefusal("user_config", *found)
    return Options(options.get("task"), options.get("profile"), options.get("seed", default_seed))
