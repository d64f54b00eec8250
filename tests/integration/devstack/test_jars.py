"""Only the jars of the lock file run: a wrong or missing one is refused."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from compose.devstack.jars import (
    Jar,
    MissingJarError,
    WrongJarError,
    default_cache,
    install,
    installed,
    locked_jars,
)

JAR = "org.example:thing:1.0"
LOCK = """
[[dependencies]]
groupId = "org.example"
artifactId = "thing"
version = "1.0"
packaging = "jar"
sha256 = "{sha256}"
"""


@contextmanager
def repository(root: Path) -> Iterator[str]:
    """A Maven repository on loopback that serves `root`."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(root))  # type: ignore[arg-type]

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The cache directory of a user whose only repository has one small jar."""
    place = tmp_path / "maven" / "org" / "example" / "thing" / "1.0"
    place.mkdir(parents=True)
    (place / "thing-1.0.jar").write_bytes(b"the contents")
    with repository(tmp_path / "maven") as url:
        configuration = tmp_path / "jgo.conf"
        configuration.write_text(f"[repositories]\ncentral = {url}\n")
        monkeypatch.setenv("JGO_CONFIG_FILE", str(configuration))
        yield tmp_path / "cache"


def _lock(tmp_path: Path, sha256: str) -> Path:
    file = tmp_path / "jgo.lock.toml"
    file.write_text(LOCK.format(sha256=sha256))
    return file


THE_CONTENTS = "c1c41331050556ca47b2a36555740b07c67144ee25ecc21217edfc248e722561"


def test_a_downloaded_jar_with_another_sha256_is_refused_and_not_kept(
    served: Path, tmp_path: Path
) -> None:
    with pytest.raises(WrongJarError, match=f"{JAR} has SHA-256"):
        install(_lock(tmp_path, "0" * 64), served)
    assert list(served.iterdir()) == []


def test_a_right_jar_is_fetched_once_and_then_needs_no_repository(
    served: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = _lock(tmp_path, THE_CONTENTS)
    assert install(lock, served) == (served / "thing-1.0.jar",)
    nowhere = tmp_path / "nowhere.conf"
    nowhere.write_text("[repositories]\ncentral = http://127.0.0.1:9\n")
    monkeypatch.setenv("JGO_CONFIG_FILE", str(nowhere))
    assert install(lock, served) == (served / "thing-1.0.jar",)


def test_a_cached_jar_that_was_changed_is_refused(served: Path, tmp_path: Path) -> None:
    lock = _lock(tmp_path, THE_CONTENTS)
    (jar,) = install(lock, served)
    jar.write_bytes(b"other contents")
    with pytest.raises(WrongJarError, match=r"delete .*thing-1\.0\.jar"):
        install(lock, served)


def test_an_unreachable_repository_is_named_as_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = tmp_path / "nowhere.conf"
    nowhere.write_text("[repositories]\ncentral = http://127.0.0.1:9\n")
    monkeypatch.setenv("JGO_CONFIG_FILE", str(nowhere))
    with pytest.raises(MissingJarError, match=f"{JAR} could not be fetched"):
        install(_lock(tmp_path, "0" * 64), tmp_path / "cache")


def test_a_lock_without_a_checksum_is_no_lock(tmp_path: Path) -> None:
    lock = _lock(tmp_path, "x")
    lock.write_text(lock.read_text().replace('sha256 = "x"\n', ""))
    with pytest.raises(ValueError, match=f"no sha256 for {JAR}"):
        locked_jars(lock)


def test_every_kafka_jar_is_locked_and_its_files_differ_in_name() -> None:
    jars = locked_jars()
    assert (
        Jar(
            "org.apache.kafka:kafka_2.13:4.3.0",
            next(jar.sha256 for jar in jars if "kafka_2.13" in jar.coordinate),
        )
        in jars
    )
    assert len({jar.file_name for jar in jars}) == len(jars)
    install()
    assert len(installed(jars, default_cache())) == len(jars)
