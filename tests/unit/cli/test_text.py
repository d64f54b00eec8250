"""What is typed and what is printed."""

import io
import subprocess
from pathlib import Path

import pytest
import typer
from pydantic import SecretStr

from compose.cli.failure import MISUSED, explain
from compose.cli.output import moment, number, sparkline
from compose.cli.process.env import exports
from compose.cli.resources.inputs import action, body_of, parsed_options, secret_of
from compose.cli.settings_origin import MASK, origins, shown
from compose.cli.unknown_settings import warnings
from compose.settings import Settings
from producers.webhooks.sources.source import NewSource


def test_option_values_are_json_where_they_can_be() -> None:
    given = ["seed=7", "profile=fast", "flag=true", "empty=", "note=a=b"]
    assert parsed_options(given) == {
        "seed": 7,
        "profile": "fast",
        "flag": True,
        "empty": "",
        "note": "a=b",
    }


@pytest.mark.parametrize("wrong", ["seed", "=7", ""])
def test_an_option_without_a_name_or_value_is_misuse(wrong: str) -> None:
    with pytest.raises(typer.BadParameter):
        parsed_options([wrong])


@pytest.mark.parametrize(
    ("values", "bars"),
    [
        ([], ""),
        ([0.5], "▄"),
        ([1.0, 1.0], "▄▄"),
        ([0.0, 1.0], "▁█"),
        ([1, 0, 0.5], "█▁▅"),
        (range(8), "▁▂▃▄▅▆▇█"),
    ],
)
def test_sparkline(values: list[float], bars: str) -> None:
    assert sparkline(values) == bars


def test_numbers_and_times() -> None:
    assert [number(one) for one in (None, 1234, 0.98765, 53.981, -0.007)] == [
        "-",
        "1,234",
        "0.9877",
        "53.98",
        "-0.0070",
    ]
    assert moment("2026-01-02T03:04:05.678901+00:00") == "2026-01-02 03:04:05Z"


def test_env_survives_a_shell() -> None:
    values = {"HEADRACE_API_URL": "http://127.0.0.1:8080", "HEADRACE_API_KEY": "a'b c$d`e"}
    script = f'{exports(values)}; printf "%s|%s" "$HEADRACE_API_URL" "$HEADRACE_API_KEY"'
    said = subprocess.run(
        ["/bin/sh", "-c", script], capture_output=True, text=True, check=True
    ).stdout
    assert said == "http://127.0.0.1:8080|a'b c$d`e"


def test_unknown_names_are_said_with_the_nearest() -> None:
    found = warnings(
        {"HEADRACE_API_KEI": "", "HEADRACE_KAFKA": "", "HEADRACE_SUPERUSER_URL": "", "PATH": ""}
    )
    assert found == [
        "headrace: there is no setting HEADRACE_API_KEI; did you mean HEADRACE_API_KEY?"
    ]


def test_a_wrong_setting_is_misuse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_LOG_FORMAT", "xml")
    with pytest.raises(ValueError, match="log_format") as caught:
        Settings()
    failure = explain(caught.value)
    assert failure is not None
    assert failure.exit_code == MISUSED
    assert failure.lines[1].startswith("  HEADRACE_LOG_FORMAT: ")


def test_a_refused_connection_is_told_but_not_in_a_process_log() -> None:
    error = RuntimeError("outer")
    error.__cause__ = ConnectionRefusedError("refused")
    assert explain(error) is not None
    assert explain(error, short=False) is None
    assert explain(KeyError("a bug")) is None


def test_secrets_are_masked() -> None:
    url = shown(SecretStr("postgresql://me:hunter2@db:5432/headrace?password=hunter2"))
    assert url == f"postgresql://me:{MASK}@db:5432/headrace?{MASK}"
    assert shown(SecretStr("hr_abcdef")) == MASK
    assert shown(None) == "-"


def test_every_setting_has_an_origin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("HEADRACE_KAFKA=broker:9092\n")
    monkeypatch.setenv("HEADRACE_LOG_LEVEL", "debug")
    for name in ("HEADRACE_KAFKA", "HEADRACE_API_URL", "HEADRACE_API_KEY", "HEADRACE_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    instead = {"api_key": ("hr_abcdef", "credentials.json")}
    found = {
        one.name: (one.value, one.origin) for one in origins(Settings(data_dir=tmp_path), instead)
    }
    assert len(found) == len(Settings.model_fields)
    assert found["HEADRACE_LOG_LEVEL"] == ("debug", "environment")
    assert found["HEADRACE_KAFKA"] == ("broker:9092", ".env")
    assert found["HEADRACE_API_URL"] == ("http://127.0.0.1:8080", "default")
    assert found["HEADRACE_API_KEY"] == (MASK, "credentials.json")
    assert found["HEADRACE_DATA_DIR"] == (str(tmp_path), "command line")


def test_the_mapping_of_a_source_is_one_that_the_api_takes() -> None:
    made = action({"dataset_id": None, "target": "'churned'", "model": None, "options": None})
    NewSource.model_validate({"name": "crm", "action": made})
    assert made["mapping"] == {
        "dataset_id": "dataset_id",
        "target": "'churned'",
        "model": "model",
        "options": "options",
    }


def test_a_body_is_given_once(tmp_path: Path) -> None:
    file = tmp_path / "body.json"
    file.write_bytes(b'{"a": 1}')
    assert body_of(str(file), None) == b'{"a": 1}'
    assert body_of(None, '{"a": 2}') == b'{"a": 2}'
    with pytest.raises(typer.BadParameter):
        body_of(str(file), "{}")
    assert body_of(None, None, io.TextIOWrapper(io.BytesIO(b"{}"))) == b"{}"


def test_a_secret_is_given_or_stands_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("whsec_abc\n")
    assert secret_of(f"@{file}") == secret_of("whsec_abc") == "whsec_abc"
