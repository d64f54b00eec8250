"""The options of a training job, as the API, the training and their documents name them."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Literal, get_args

Task = Literal["classification", "regression"]
Profile = Literal["fast", "standard"]

CHOICES: Mapping[str, tuple[str, ...]] = {"profile": get_args(Profile), "task": get_args(Task)}
NAMES = ("profile", "seed", "task")
MAX_SEED = 2**32


def problem(options: Mapping[str, Any]) -> tuple[str, str] | None:
    """Code and message of what is wrong with the options; None when nothing is."""
    if unknown := sorted(set(options) - set(NAMES)):
        nearest = get_close_matches(unknown[0].lower(), NAMES, n=1)
        meant = f"; did you mean {nearest[0]!r}?" if nearest else ""
        listed = ", ".join(repr(name[:80]) for name in unknown[:5])
        return "unknown_option", f"unknown option {listed}; known are {', '.join(NAMES)}{meant}"
    seed = options.get("seed", 0)
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < MAX_SEED:
        return "invalid_option", f"seed must be an integer from 0 to {MAX_SEED - 1}"
    for name, allowed in CHOICES.items():
        value = options.get(name)
        if value is not None and value not in allowed:
            said = repr(value)[:80]
            return "invalid_option", f"{name} must be one of {', '.join(allowed)}, not {said}"
    return None
