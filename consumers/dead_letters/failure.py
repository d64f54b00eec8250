"""What is kept of an error: its class, its words, and the stack apart from them."""

import traceback
from typing import NamedTuple

from schemas.log import EventTooLarge

MOST_FRAMES = 6
MOST_STACK_CHARACTERS = 3000


class Failure(NamedTuple):
    """Why a message was not handled; `stack` is a bug's."""

    error_class: str
    error: str
    stack: str | None = None


def failure_of(error: Exception, *, permanent: bool) -> Failure:
    """Of what is permanent the words are enough; of a bug the innermost frames are kept too."""
    if isinstance(error, EventTooLarge):
        return Failure("user_config", str(error))
    if permanent:
        return Failure("permanent", str(error))
    stack = "".join(traceback.format_tb(error.__traceback__)[-MOST_FRAMES:])[
        -MOST_STACK_CHARACTERS:
    ]
    return Failure("bug", f"{type(error).__name__}: {error}", stack)
