"""Kafka's jars: resolved by jgo as jgo.lock.toml has them, checked by SHA-256, cached for the
user.
"""

import argparse
import dataclasses
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from jgo.config import GlobalSettings
from jgo.constants import MAVEN_CENTRAL_URL
from jgo.env import EnvironmentSpec, LockedDependency, LockFile
from jgo.maven import MavenContext
from jgo.parse import Coordinate

SPEC_FILE = Path(__file__).parent / "jgo.toml"
LOCK_FILE = Path(__file__).parent / "jgo.lock.toml"
DOWNLOADS_AT_ONCE = 8
TIMEOUT_SECONDS = 60


class WrongJarError(Exception):
    """A jar is not the one in jgo.lock.toml."""


class MissingJarError(Exception):
    """A jar could not be fetched."""


@dataclasses.dataclass(frozen=True)
class Jar:
    """One locked jar; `sha256` in lower-case hexadecimal."""

    coordinate: str
    sha256: str

    @property
    def file_name(self) -> str:
        """Its name in the cache."""
        _, artifact, version = self.coordinate.split(":")
        return f"{artifact}-{version}.jar"


def locked_jars(lock_file: Path = LOCK_FILE) -> tuple[Jar, ...]:
    """Every jar of the lock file; ValueError when one has no checksum."""
    jars = []
    for entry in LockFile.load(lock_file).dependencies:
        coordinate = f"{entry.groupId}:{entry.artifactId}:{entry.version}"
        if not entry.sha256:
            raise ValueError(f"{lock_file.name} has no sha256 for {coordinate}")
        jars.append(Jar(coordinate, entry.sha256))
    return tuple(jars)


def default_cache() -> Path:
    """Where the jars are kept for this user: `$XDG_CACHE_HOME/headrace/jars`, or under
    `~/.cache`.
    """
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "headrace" / "jars"


def installed(jars: tuple[Jar, ...], cache: Path) -> tuple[Path, ...]:
    """Paths of all `jars` in `cache`, each read and checked; MissingJarError, WrongJarError."""
    paths = []
    for jar in jars:
        path = cache / jar.file_name
        if not path.is_file():
            raise MissingJarError(f"{jar.coordinate} is not in {cache}")
        _check(jar, path, advice=f"delete {path} and start again")
        paths.append(path)
    return tuple(paths)


def install(
    lock_file: Path = LOCK_FILE,
    cache: Path | None = None,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> tuple[Path, ...]:
    """Fetch what `cache` lacks and return the class path; without anything to fetch, no network is
    touched.

    `on_progress(done, total)` counts fetched jars. A jar enters the cache only after its SHA-256
    was checked: an interrupted or a wrong download leaves nothing there.
    """
    cache = cache or default_cache()
    jars = locked_jars(lock_file)
    missing = [jar for jar in jars if not (cache / jar.file_name).is_file()]
    if missing:
        cache.mkdir(parents=True, exist_ok=True)
        # Beside the cache, so that the last step is a rename on one file system.
        with tempfile.TemporaryDirectory(prefix="fetch-", dir=cache) as directory:
            context = _context(Path(directory))
            with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
                for done, _ in enumerate(
                    pool.map(lambda jar: _fetch(context, jar, cache), missing), start=1
                ):
                    on_progress(done, len(missing))
    return installed(jars, cache)


def _fetch(context: MavenContext, jar: Jar, cache: Path) -> None:
    group, artifact, version = jar.coordinate.split(":")
    try:
        path = (
            context.project(group, artifact).at_version(version).artifact(packaging="jar").resolve()
        )
    except (OSError, RuntimeError) as error:
        raise MissingJarError(
            f"{jar.coordinate} could not be fetched: {error}. Repositories come from the "
            "[repositories] "
            "section of jgo's configuration file (JGO_CONFIG_FILE, ~/.config/jgo.conf), else "
            "Maven Central."
        ) from error
    _check(jar, path, advice="it was thrown away; the repository or the lock file is wrong")
    path.replace(cache / jar.file_name)


def _check(jar: Jar, path: Path, advice: str) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != jar.sha256:
        raise WrongJarError(
            f"{jar.coordinate} has SHA-256 {found}, but jgo.lock.toml says {jar.sha256}; "
            f"refused, {advice}"
        )


def _context(repository: Path) -> MavenContext:
    """jgo's resolver over `repository`, with the user's repositories, or else Maven Central."""
    remote = {"central": MAVEN_CENTRAL_URL} | GlobalSettings.load().repositories
    return MavenContext(
        repo_cache=repository, local_repos=[], remote_repos=remote, timeout=TIMEOUT_SECONDS
    )


def lock(spec_file: Path = SPEC_FILE, lock_file: Path = LOCK_FILE) -> int:
    """Resolve `spec_file` anew, write `lock_file` with the SHA-256 of every jar, and return
    their number.
    """
    with _scratch() as repository:
        context = _context(repository)
        spec = EnvironmentSpec.load(spec_file)
        wanted = [
            context.create_dependency(dataclasses.replace(Coordinate.parse(text), scope="compile"))
            for text in spec.coordinates
        ]
        inputs, transitive = context.resolver.resolve(wanted)
        found = inputs + [
            dependency for dependency in transitive if dependency.scope in {"compile", "runtime"}
        ]
        with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
            entries = list(pool.map(LockedDependency.from_dependency, found))
    entries.sort(key=lambda entry: (entry.groupId, entry.artifactId))
    LockFile(entries, environment_name=spec.name, java_version=spec.java_version).save(lock_file)
    return len(entries)


@contextmanager
def _scratch() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="headrace-lock-"))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def main() -> None:
    """`python -m compose.devstack.jars [--lock]`."""
    parser = argparse.ArgumentParser(prog="python -m compose.devstack.jars", description=__doc__)
    parser.add_argument(
        "--lock", action="store_true", help="resolve jgo.toml anew and write jgo.lock.toml"
    )
    if parser.parse_args().lock:
        print(f"{lock()} jars written to {LOCK_FILE.name}")
        return
    try:
        print(f"{len(install())} jars in {default_cache()}")
    except (MissingJarError, WrongJarError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
