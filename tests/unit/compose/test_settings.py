"""Settings: names that no setting has are told, with the one that was meant."""

import pytest
from pydantic import ValidationError

from compose.setting_names import unknown_names
from compose.settings import Settings


def test_every_setting_is_known() -> None:
    assert unknown_names({f"HEADRACE_{name.upper()}": "" for name in Settings.model_fields}) == {}


def test_a_stranger_is_told_with_the_nearest_name() -> None:
    given = {
        "HEADRACE_KAFKAA": "",
        "HEADRACE_POSTGRES_URI": "",
        "HEADRACE_XYZ": "",
        "KAFKA": "",
        "PATH": "",
    }
    assert unknown_names(given) == {
        "HEADRACE_KAFKAA": "HEADRACE_KAFKA",
        "HEADRACE_POSTGRES_URI": "HEADRACE_POSTGRES_URL",
        "HEADRACE_XYZ": None,
    }


def test_secrets_do_not_show() -> None:
    settings = Settings.model_validate(
        {"postgres_url": "postgresql://u:hunter2@h/d", "api_key": "hr_hunter2"}
    )
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in settings.model_dump_json()


def test_settings_stay_as_they_are() -> None:
    settings = Settings()
    with pytest.raises(ValidationError):
        settings.kafka = "elsewhere:9092"  # type: ignore[misc]


def test_every_setting_says_what_it_is() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
