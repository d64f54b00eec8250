"""A setting that a process cannot begin with is told in one line that names it."""

from pathlib import Path
from typing import Any

import pytest

from compose.checked_settings import CHECKS, WrongSetting, require
from compose.cli.connection import without_password
from compose.settings import Settings

GOOD = "postgresql://headrace:secret@127.0.0.1:5432/headrace"


def of(**given: Any) -> Settings:
    return Settings.model_validate(given)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        (
            "postgres_url",
            "mysql://root@db/x",
            "begins with mysql://; Headrace needs PostgreSQL: postgresql://",
        ),
        ("postgres_url", "db.example:5432/headrace", "begins with db.example://"),
        ("postgres_url", "headrace", "is no URL; Headrace needs PostgreSQL"),
        ("postgres_url", "postgresql://u:p@db:54x2/h", "is malformed; use postgresql://"),
        ("postgres_url", "postgresql://[::1/h", "is malformed; use postgresql://"),
        (
            "kafka",
            "PLAINTEXT://kafka:9092",
            "has 'PLAINTEXT://kafka:9092' in it; it is a list of HOST:PORT",
        ),
        ("postgres_url", "postgresql://u:S3c/ret@h:5432/db", "is malformed; use postgresql://"),
        ("kafka", " , ", "names no server"),
        ("kafka", "one:99999", "has 'one:99999' in it"),
        (
            "object_store",
            "s3://bucket/prefix",
            "begins with s3://, which this version does not support; use a directory",
        ),
        (
            "object_store",
            "file:objects",
            "is a relative path, which depends on where a process is started; use file:///",
        ),
        ("object_store", "objects", "is without a scheme; use a directory: file:///DIRECTORY"),
        ("object_store", "file://host/objects", "names a host; use a directory"),
        (
            "api_url",
            "127.0.0.1:8080",
            "does not begin with http:// and a host; use http://HOST:PORT",
        ),
        ("api_url", "http://127.0.0.1:port", "is malformed"),
        ("api_url", "http://127.0.0.1:8080?x=1", "has more in it than an address"),
        ("public_url", "hooks.example", "does not begin with http:// and a host; use https://HOST"),
        (
            "secret_keys",
            "nonsense",
            "is not a list of name:key pairs, a key being 32 bytes as base64; make a key with",
        ),
        ("secret_keys", "", "is not a list of name:key pairs"),
        ("secret_keys", None, "is not set; make a key with `headrace admin new-secret-key`"),
    ],
)
def test_a_wrong_setting_is_named_with_what_to_do(name: str, value: str | None, said: str) -> None:
    with pytest.raises(WrongSetting) as caught:
        require(of(**{name: value}), name)
    message = str(caught.value)
    assert message.startswith(f"HEADRACE_{name.upper()} {said}")
    assert "\n" not in message
    assert ":p@" not in message
    assert "S3c" not in message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("postgres_url", GOOD),
        ("postgres_url", "postgres:///headrace?host=/run/postgresql"),
        ("postgres_url", "postgresql://db"),
        ("kafka", "one:9092, two:9092,[::1]:9092"),
        ("kafka", "broker"),
        ("kafka", "one:9092,"),
        ("kafka", "::1"),
        ("kafka", "[fe80::1%eth0]:9092"),
        ("object_store", "file:///srv/objects"),
        ("object_store", "file:/srv/objects"),
        ("api_url", "http://[::]:80/"),
        ("public_url", "https://hooks.example/headrace"),
        ("public_url", None),
        ("secret_keys", "k1:" + "A" * 43 + "="),
    ],
)
def test_a_setting_that_can_be_used_is_taken(name: str, value: str | None) -> None:
    require(of(**{name: value}), name)


@pytest.mark.parametrize("secret", ["S3cret", "S3c/ret", "S3c@ret", "S3c#ret", "S3c?ret"])
def test_an_address_is_shown_without_its_password(secret: str) -> None:
    for url in (f"postgresql://u:{secret}@h:5432/db", f"postgresql://u@h/db?password={secret}"):
        shown = without_password(url)
        assert "S3c" not in shown
        assert "ret" not in shown
        assert shown.startswith("postgresql://u")


def test_the_defaults_can_be_used_but_for_the_keys() -> None:
    require(Settings(), *(name for name in CHECKS if name != "secret_keys"))


def test_the_object_store_is_below_the_data_directory_and_absolute() -> None:
    assert of(data_dir="data").object_store == (Path.cwd() / "data" / "objects").as_uri()
    assert of(data_dir="data", object_store="file:///srv").object_store == "file:///srv"


def test_others_call_what_they_are_told() -> None:
    assert of(api_url="http://0.0.0.0:80/").called_at == "http://0.0.0.0:80"
    assert (
        of(api_url="http://0.0.0.0:80", public_url="https://hooks.example/").called_at
        == "https://hooks.example"
    )
