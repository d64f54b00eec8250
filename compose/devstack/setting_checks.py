"""What `headrace doctor` says of the settings: whether a process could begin with them."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from compose.checked_settings import CHECKS, WrongSetting
from compose.devstack.status import StackStatus
from compose.settings import PREFIX, Settings


@dataclass(frozen=True)
class Check:
    """One finding; `advice` says what to do when it is not ok."""

    name: str
    ok: bool
    detail: str
    advice: str = ""


def usable(settings: Settings, status: StackStatus) -> list[Check]:
    """One check for each setting that a process cannot begin with, or one of all.

    And one of the object store.
    """
    advice = "change it where the table below says that it comes from"
    wrong = []
    for name, check in CHECKS.items():
        try:
            # The stack has keys of its own, and passes them to its processes.
            if name != "secret_keys" or settings.secret_keys is not None:
                check(settings)
        except WrongSetting as error:
            wrong.append(Check(PREFIX + name.upper(), ok=False, detail=str(error), advice=advice))
    given = ", ".join(sorted(PREFIX + name.upper() for name in settings.model_fields_set))
    usable = Check("settings", ok=True, detail=f"can be used: {given or 'all defaults'}")
    return [*(wrong or [usable]), _object_store(settings, status)]


def _object_store(settings: Settings, status: StackStatus) -> Check:
    """Whether files can be written to the object store."""
    url = (status.object_store if status.state != "stopped" else None) or settings.object_store
    advice = (
        "give this user write access to it, or choose another directory with HEADRACE_OBJECT_STORE"
    )
    parts = urlsplit(url)
    if parts.scheme != "file" or not parts.path.startswith("/"):
        return Check(
            "object store", ok=False, detail=url, advice="HEADRACE_OBJECT_STORE=file:///DIRECTORY"
        )
    place = Path(unquote(parts.path))
    nearest = next(one for one in (place, *place.parents) if one.exists())
    if not (nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)):
        return Check(
            "object store", ok=False, detail=f"{url}: {nearest} cannot be written to", advice=advice
        )
    free = shutil.disk_usage(nearest).free / (1 << 30)
    note = "" if nearest == place else ", not made yet"
    return Check("object store", ok=True, detail=f"{url}{note}, {free:.1f} GiB free")
