"""The access log: paths without queries and without one-time tokens."""

import os
import runpy
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from gunicorn.config import Config

from tests.journeys.live import ROOT


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """Return what the configuration file sets."""
    monkeypatch.setenv("INSTANCE", str(tmp_path))
    monkeypatch.setattr(os, "umask", lambda mask: mask)  # The file sets that of its process.
    return runpy.run_path(str(ROOT / "gunicorn.conf.py"))


@pytest.mark.parametrize(
    ("path", "logged"),
    [
        ("/p/acme/login", "/p/acme/login"),
        ("/manager/password/" + "a" * 43, "/manager/password/***"),
        ("/users/acme/0198f0c2-7c1b-7aaa-8888-0123456789ab", "/users/acme/0198f0c2-7c1b-7aaa-8888-0123456789ab"),
        ("/p/acme\n127.0.0.1", "/p/acme?127.0.0.1"),
        ("/sso/zJdHjnBxtqBXo4r97mTo_z3O/acs", "/sso/zJdHjnBxtqBXo4r97mTo_z3O/acs"),
    ],
)
def test_one_time_tokens_are_not_logged(settings: dict[str, object], path: str, logged: str) -> None:
    logger = settings["logger_class"](Config())
    environ = {
        "PATH_INFO": path,
        "RAW_URI": path,
        "QUERY_STRING": "RelayState=secret",
        "REQUEST_METHOD": "GET",
        "SERVER_PROTOCOL": "HTTP/1.1",
    }
    response = SimpleNamespace(status="200 OK", sent=1, headers=[])
    request = SimpleNamespace(headers=[])
    took = timedelta(milliseconds=1)
    line = settings["access_log_format"] % logger.atoms(response, request, environ, took)
    assert logged in line
    assert "secret" not in line


def test_the_address_is_left_for_the_command_line(settings: dict[str, object], tmp_path: Path) -> None:
    settings["keep_base_url"](tmp_path, "http://127.0.0.1:8123")
    assert (tmp_path / "base_url").read_text().strip() == "http://127.0.0.1:8123"


def test_an_error_is_logged_without_query_and_token(
    settings: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    logger = settings["logger_class"](Config())
    logger.error_log.propagate = True
    logger.exception("Error handling request %s", "/p/acme/password/" + "a" * 43 + "?q=jane")
    assert "/p/acme/password/***" in caplog.text
    assert "jane" not in caplog.text
