"""The schema of the database: upgrade it, and ask where it stands."""

from alembic import command
from alembic.config import Config

from compose.database import sqlalchemy_url


def configuration(postgres_url: str) -> Config:
    """Alembic's configuration for one database; the versions are found in the installed package."""
    config = Config()
    config.set_main_option("script_location", "migrations:")  # the colon: a package, wherever it is installed
    config.attributes["url"] = sqlalchemy_url(postgres_url)
    return config


def upgrade(postgres_url: str, revision: str = "head") -> None:
    """Bring the database to `revision`; nothing happens where it already is."""
    command.upgrade(configuration(postgres_url), revision)


def downgrade(postgres_url: str, revision: str) -> None:
    """Take the database back to `revision` (data of dropped tables is lost)."""
    command.downgrade(configuration(postgres_url), revision)
