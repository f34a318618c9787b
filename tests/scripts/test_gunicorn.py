"""The access log: paths without queries and without one-time tokens."""

import http.client
import os
import re
import runpy
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from gunicorn.config import Config

from tests.crash.house import wait_until
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


APPLICATION = """
def application(environ, start_response):
    large = int(environ.get("CONTENT_LENGTH") or 0) > 100_000
    start_response("413 Too Large" if large else "200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""


def test_a_connection_that_closes_after_a_body_that_was_not_read_says_so(tmp_path: Path) -> None:
    (tmp_path / "tiny.py").write_text(APPLICATION)
    words = [sys.executable, "-m", "gunicorn", "--config", str(ROOT / "gunicorn.conf.py"), "tiny:application"]
    environment = os.environ | {
        "INSTANCE": str(tmp_path),
        "PYTHONPATH": f"{tmp_path}:{ROOT}",
        "RGAPP_BIND": "127.0.0.1:0",
        "RGAPP_WEB_WORKERS": "1",
    }
    log = tmp_path / "log"
    with log.open("w") as out, subprocess.Popen(words, cwd=tmp_path, env=environment, stdout=out, stderr=out) as server:
        try:
            wait_until("the server listens", lambda: "Listening at" in log.read_text())
            found = re.search(r"Listening at: http://127.0.0.1:(\d+)", log.read_text())
            assert found is not None
            connection = http.client.HTTPConnection("127.0.0.1", int(found[1]), timeout=30)
            for size, status, farewell in ((2, 200, "keep-alive"), (2_000_000, 413, "close"), (2, 200, "keep-alive")):
                connection.request("POST", "/", body=b"x" * size)
                answer = connection.getresponse()
                answer.read()
                assert (answer.status, answer.headers["Connection"]) == (status, farewell)
            connection.close()
        finally:
            server.terminate()
