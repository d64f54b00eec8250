"""Every address comes from settings; what the user gives is not embedded."""

from pathlib import Path

import pytest

from compose.devstack.addresses import find
from compose.devstack.stack import SetUpError, Stack
from compose.settings import Settings


@pytest.fixture(autouse=True)
def nothing_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No HEADRACE_ variable and no .env file."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"HEADRACE_{name.upper()}", raising=False)
    monkeypatch.chdir(tmp_path)


def test_with_nothing_given_everything_is_embedded_and_stays_where_it_is(tmp_path: Path) -> None:
    first = find(Settings(data_dir=tmp_path / "data"))
    assert first.embedded_postgres
    assert first.embedded_kafka
    assert first.object_store == (tmp_path / "data" / "objects").as_uri()
    assert find(Settings(data_dir=tmp_path / "data")) == first


def test_metrics_need_a_port_for_each_process(tmp_path: Path) -> None:
    with pytest.raises(SetUpError, match="65530 leaves no ports for 8 processes"):
        Stack(find(Settings(data_dir=tmp_path, metrics_port=65530)))
    Stack(find(Settings(data_dir=tmp_path, metrics_port=65528)))


def test_servers_of_the_users_own_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_KAFKA", "kafka.example:9092")
    monkeypatch.setenv("HEADRACE_POSTGRES_URL", "postgresql://me:secret@db.example/app")
    monkeypatch.setenv("HEADRACE_API_URL", "http://127.0.0.1:18080")
    found = find(Settings(data_dir=tmp_path))
    assert not found.embedded_kafka
    assert not found.embedded_postgres
    environment = found.environment({})
    assert environment["HEADRACE_KAFKA"] == "kafka.example:9092"
    assert environment["HEADRACE_POSTGRES_URL"] == "postgresql://me:secret@db.example/app"
    assert environment["HEADRACE_API_URL"] == "http://127.0.0.1:18080"
    assert found.ports.api == 18080


def test_its_own_addresses_given_back_do_not_turn_it_against_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = find(Settings(data_dir=tmp_path))
    for name, value in first.environment({}).items():
        monkeypatch.setenv(name, value)
    assert find(Settings()) == first
