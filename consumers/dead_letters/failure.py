"""What is kept of an error: its class, its words, and the stack apart from them."""

import traceback
from typing import NamedTuple

from schemas.log import EventTooLarge

MOST_FRAMES = 6
MOST_STACK_CHARACTERS = 3000


class HandlingFailure(NamedTuple):
    """Why a message was not handled; `stack` is a bug's."""

    error_class: str
    error: str
    stack: str | None = None


def failure_of(error: Exception, *, permanent: bool) -> HandlingFailure:
    """Of what is permanent the words are enough; of a bug the innermost frames are kept too."""
    if isinstance(error, EventTooLarge):
        return HandlingFailure("user_config", str(error))
    if permanent:
        return HandlingFailure("permanent", str(error))
    stack = "".join(traceback.format_tb(error.__traceback__)[-MOST_FRAMES:])[
        -MOST_STACK_CHARACTERS:
    ]
    return HandlingFailure("bug", f"{type(error).__name__}: {error}", stack)
