"""Names in the environment that look like a setting and are none."""

import difflib
import os

from compose.settings import PREFIX, Settings


def unknown_names(environment: dict[str, str] | None = None) -> dict[str, str | None]:
    """Every HEADRACE_ name that no setting has, with the nearest known name (None when nothing
    is near).
    """
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    found = os.environ if environment is None else environment
    strangers = [name for name in found if name.startswith(PREFIX) and name not in known]
    return {name: _nearest(name, known) for name in strangers}


def _nearest(name: str, known: set[str]) -> str | None:
    """The known name that is most like it, the prefix that all share not counted."""
    short = difflib.get_close_matches(
        name.removeprefix(PREFIX), [one.removeprefix(PREFIX) for one in known], 1
    )
    return PREFIX + short[0] if short else None
