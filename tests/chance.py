"""How long tests by chance go on: a little and always the same in `make test`, long and anew in
`make fuzz`.
"""

import os

from hypothesis import settings

LONG = os.environ.get("HEADRACE_TEST_FUZZ") == "long"

settings.register_profile("short", derandomize=True, deadline=None)
settings.register_profile("long", max_examples=5000, deadline=None)


def few(examples: int = 25) -> settings:
    """Fewer examples than usual, where one costs more.

    As many as the profile has in the long form.
    """
    return settings() if LONG else settings(max_examples=examples)
