"""Downloading the files of a model version."""

import hashlib
from pathlib import Path
from typing import Any

from compose.cli.client import Client
from compose.cli.failure import CommandFailure


def download_files(api: Client, version: dict[str, Any], directory: Path) -> list[Path]:
    """The files in `directory`, each complete or not there; Failure when one is not what the API
    says it is.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        return [_download(api, version, name, directory) for name in sorted(version["artifacts"])]
    except OSError as error:
        raise CommandFailure(
            f"{error.filename or directory} cannot be written: {error.strerror}"
        ) from error


def _download(api: Client, version: dict[str, Any], name: str, directory: Path) -> Path:
    stored, path = version["artifacts"][name], directory / Path(name).name
    part = path.with_name(f"{path.name}.part")
    digest = hashlib.sha256()
    try:
        source = f"/v1/models/{version['name']}/versions/{version['version']}/files/{name}"
        with api.stream(source) as answer, part.open("wb") as file:
            for chunk in answer.iter_bytes():
                digest.update(chunk)
                file.write(chunk)
        if digest.hexdigest() != stored["sha256"]:
            raise CommandFailure(
                f"{name} arrived damaged: its SHA-256 is not {stored['sha256']}",
                "download it again",
            )
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path
