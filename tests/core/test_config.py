"""Configuration: what the environment says, keys that are made once, and the refusal of unsafe production."""

import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from rgapp.config import ConfigError, instance_path, load
from rgapp.sealing import Sealer, UnsealError

PRODUCTION = {
    "RGAPP_ENV": "production",
    "RGAPP_BASE_URL": "https://rewards.example",
    "RGAPP_SECRET_KEY": "s" * 32,
    "RGAPP_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
    "RGAPP_SMTP_URL": "smtp://mail.example",
}


def refused(instance: Path, **environment: str) -> str:
    """Return the sentence with which a start is refused."""
    with pytest.raises(ConfigError) as error:
        load(instance, environment)
    return str(error.value)


def test_development_needs_nothing_and_keeps_its_keys(tmp_path: Path) -> None:
    first, second = load(tmp_path, {}), load(tmp_path, {})
    assert (first["ENVIRONMENT"], first["BASE_URL"]) == ("development", "http://127.0.0.1:8000")
    assert first["SECRET_KEY"] == second["SECRET_KEY"]
    assert first["ENCRYPTION_KEYS"] == second["ENCRYPTION_KEYS"]
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600
    assert sorted(file.name for file in tmp_path.iterdir()) == ["encryption_keys", "secret_key"]


def test_processes_that_start_at_once_agree_on_the_keys(tmp_path: Path) -> None:
    start, found = threading.Barrier(8), []

    def begin() -> None:
        start.wait()
        found.append(load(tmp_path, {})["SECRET_KEY"])

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_complete_production_starts_and_makes_no_keys(tmp_path: Path) -> None:
    config = load(tmp_path, PRODUCTION)
    assert (config["ENVIRONMENT"], config["HTTPS"], config["SESSION_COOKIE_SECURE"]) == ("production", True, True)
    assert config["SESSION_COOKIE_NAME"].startswith("__Host-")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"RGAPP_SECRET_KEY": ""}, "RGAPP_SECRET_KEY must be set."),
        ({"RGAPP_ENCRYPTION_KEYS": " "}, "RGAPP_ENCRYPTION_KEYS must be set."),
        ({"RGAPP_SMTP_URL": ""}, "RGAPP_SMTP_URL must be set"),
        ({"RGAPP_SECRET_KEY": "short"}, "RGAPP_SECRET_KEY must have 32 characters or more."),
        ({"RGAPP_BASE_URL": ""}, "RGAPP_BASE_URL must be the public https:// address"),
        ({"RGAPP_BASE_URL": "http://rewards.example"}, "RGAPP_BASE_URL must be the public https:// address"),
        ({"RGAPP_DEMO": "1"}, "RGAPP_DEMO=1 is for a loopback address only"),
        ({"RGAPP_ENCRYPTION_KEYS": "not-a-key"}, "RGAPP_ENCRYPTION_KEYS must hold Fernet keys"),
    ],
)
def test_unsafe_production_is_refused(tmp_path: Path, changes: dict[str, str], sentence: str) -> None:
    assert sentence in refused(tmp_path, **(PRODUCTION | changes))


def test_a_public_address_is_production_whatever_it_is_called(tmp_path: Path) -> None:
    sentence = refused(tmp_path, RGAPP_BASE_URL="http://rewards.example", RGAPP_DEMO="1")
    for part in ("RGAPP_DEMO", "RGAPP_BASE_URL", "RGAPP_SECRET_KEY", "RGAPP_ENCRYPTION_KEYS"):
        assert part in sentence


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"RGAPP_ENV": "staging"}, "RGAPP_ENV must be one of"),
        ({"RGAPP_BASE_URL": "rewards.example"}, "RGAPP_BASE_URL must look like"),
        ({"RGAPP_BASE_URL": "http://127.0.0.1:8000/app"}, "RGAPP_BASE_URL must look like"),
        ({"RGAPP_TRUSTED_PROXIES": "two"}, "RGAPP_TRUSTED_PROXIES must be a whole number"),
        ({"PORT": "http"}, "PORT must be a whole number"),
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path: Path, environment: dict[str, str], sentence: str) -> None:
    assert sentence in refused(tmp_path, **environment)


@pytest.mark.parametrize(
    ("environment", "kept", "expected"),
    [
        (
            {"RGAPP_BASE_URL": "http://localhost:9000/", "PORT": "8001"},
            "http://127.0.0.1:7000",
            "http://localhost:9000",
        ),
        ({"PORT": "8001"}, "http://127.0.0.1:7000", "http://127.0.0.1:8001"),
        ({}, "http://127.0.0.1:7000\n", "http://127.0.0.1:7000"),
        ({}, "", "http://127.0.0.1:8000"),
        ({"RGAPP_BASE_URL": "http://[::1]:9000"}, "", "http://[::1]:9000"),
    ],
)
def test_our_own_address_comes_from_the_environment_or_the_running_server(
    tmp_path: Path, environment: dict[str, str], kept: str, expected: str
) -> None:
    (tmp_path / "base_url").write_text(kept)
    assert load(tmp_path, environment)["BASE_URL"] == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgres://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgresql://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgresql+psycopg://u@h/d", "postgresql+psycopg://u@h/d"),
        ("sqlite:////x.db", "sqlite:////x.db"),
    ],
)
def test_the_usual_spellings_of_a_database_are_taken(tmp_path: Path, url: str, expected: str) -> None:
    assert load(tmp_path, {"RGAPP_DATABASE_URL": url})["SQLALCHEMY_DATABASE_URI"] == expected


def test_lists_and_switches(tmp_path: Path) -> None:
    config = load(tmp_path, {"RGAPP_OUTBOUND_ALLOW": "http://a.test/, http://b.test ,", "RGAPP_DEMO": "yes"})
    assert (config["OUTBOUND_ALLOW"], config["DEMO"]) == (frozenset({"http://a.test", "http://b.test"}), True)


def test_the_instance_folder_is_where_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert instance_path({"INSTANCE": "my data"}) == tmp_path / "my data"
    assert instance_path({}).name == "instance"


def test_keys_can_be_rotated(tmp_path: Path) -> None:
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    sealed = Sealer([old]).seal("secret")
    assert b"secret" not in sealed
    assert Sealer([new, old]).unseal(sealed) == "secret"
    with pytest.raises(UnsealError):
        Sealer([new]).unseal(sealed)


def test_a_demo_knows_its_identity_provider(tmp_path: Path) -> None:
    (tmp_path / "demo-idp").mkdir()
    (tmp_path / "demo-idp" / "url").write_text("http://localhost:9\n")
    settings: dict[str, Any] = load(tmp_path, {"RGAPP_DEMO": "1"})
    assert settings["DEMO_IDP_URL"] == "http://localhost:9"
    assert load(tmp_path, {})["DEMO_IDP_URL"] == ""


def test_production_may_keep_mails_as_files_if_it_says_so(tmp_path: Path) -> None:
    assert load(tmp_path, PRODUCTION | {"RGAPP_SMTP_URL": "folder"})["SMTP_URL"] == ""


def test_what_an_older_version_left_open_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    folder.mkdir(mode=0o755)
    files = [tmp_path / "rgapp.db", tmp_path / "rgapp.db-wal", folder / "1.eml"]
    for file in files:
        file.touch(mode=0o644)
    load(tmp_path, {})
    assert [path.stat().st_mode & 0o777 for path in (*files, folder)] == [0o600] * 3 + [0o700]


def test_a_new_instance_folder_is_private(tmp_path: Path) -> None:
    load(tmp_path / "new", {})
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
