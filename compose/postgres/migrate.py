"""The schema of the database: upgrade it, and read its revision."""

import logging
import time

from alembic import command
from alembic.config import Config
from sqlalchemy.exc import DBAPIError

from compose.postgres.connections import sqlalchemy_url

log = logging.getLogger(__name__)

BUSY = ("55P03", "40P01")  # a lock that is not had in time, a deadlock
TRIES, PAUSE_SECONDS = 60, 1.0


def configuration(postgres_url: str) -> Config:
    """Alembic's configuration for one database; the versions are found in the installed package."""
    config = Config()
    config.set_main_option(
        "script_location", "migrations:"
    )  # the colon: a package, wherever it is installed
    config.attributes["url"] = sqlalchemy_url(postgres_url)
    return config


def upgrade(postgres_url: str, revision: str = "head") -> None:
    """Bring the database to `revision`; nothing happens where it already is.

    A step that does not get its lock at once is tried again for some minutes: it never waits for
    long, since everybody else would wait behind it.
    """
    for left in reversed(range(TRIES)):
        try:
            return command.upgrade(configuration(postgres_url), revision)
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) not in BUSY or not left:
                raise
            log.warning("a table is in use; the migration is tried again in %.0f s", PAUSE_SECONDS)
        time.sleep(PAUSE_SECONDS)
    return None


def downgrade(postgres_url: str, revision: str) -> None:
    """Take the database back to `revision` (data of dropped tables is lost)."""
    command.downgrade(configuration(postgres_url), revision)
