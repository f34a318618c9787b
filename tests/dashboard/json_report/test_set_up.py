"""A JSON report from its tile to people: one page of its own, and those of every pull."""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, current_app
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from rgapp.clock import utcnow
from rgapp.integrations.sync import runs
from rgapp.integrations.sync.engine import Tools, work_on_next, work_on_preview
from rgapp.models import Integration, RunState, User

PEOPLE = [
    {"Employee_ID": f"W{n:03}", "Email": f"w{n}@acme.example", "First": "Wim", "Last": "Vos", "Born": "1990-04-03"}
    for n in range(1, 6)
]
BASIC = "Basic " + base64.b64encode(b"ISU_rewards:secret-word").decode()


class Reports(BaseHTTPRequestHandler):
    """Gives a report as Workday does, to whoever has the password or the token."""

    people = PEOPLE

    def do_GET(self) -> None:
        if self.headers.get("Authorization") not in {BASIC, "Bearer a-token"}:
            self.send_response(401)
            self.end_headers()
            return
        body = json.dumps({"Report_Entry": self.people}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def report(app: Flask) -> Iterator[str]:
    """Return the address of a report that the application may reach."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Reports)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    origin = f"http://127.0.0.1:{server.server_port}"
    app.config["OUTBOUND_ALLOW"] = frozenset({origin})
    yield f"{origin}/ccx/service/customreport2/acme/people?format=json"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def draft(browser: FlaskClient, session: Session, acme: Any) -> Integration:
    """Return a draft that was made from the tile."""
    assert browser.post("/manager/acme/integrations/new/json-report").status_code == 303
    return session.scalars(select(Integration).where(Integration.kind == "json-report")).one()


def connect(browser: FlaskClient, page: str, report: str, **typed: str) -> Any:
    form = {"name": "Workday", "url": report, "list": "Report_Entry", "method": "basic"}
    usual = {"username": "ISU_rewards", "password": "secret-word"}
    return browser.post(page, data=form | usual | typed, follow_redirects=True)


def test_from_its_tile_to_people(
    browser: FlaskClient,
    session: Session,
    draft: Integration,
    report: str,
    path: Callable[..., str],
    tmp_path: Path,
) -> None:
    found = connect(browser, path(draft, "json-report/connect"), report)
    assert "The report lets us in." in found.text
    assert "secret-word" not in found.text
    assert found.request.path.endswith("/pull/mapping")
    assert "Matched by the names of the fields" in found.text
    assert '<option selected value="Employee_ID">Employee_ID</option>' in found.text
    assert "<code>w3@acme.example</code>" in found.text
    mapping = {
        "membership_no_field": "Employee_ID",
        "email_field": "Email",
        "first_name_field": "First",
        "last_name_field": "Last",
        "date_of_birth_field": "Born",
        "date_format": "%Y-%m-%d",
    }
    assert browser.post(path(draft, "pull/mapping"), data=mapping).location.endswith("/pull/schedule")
    page = browser.get(path(draft, "pull/mapping")).text
    assert "<code>W001</code>" in page
    assert "3 April 1990" in page
    tools = Tools(
        folder=tmp_path,
        sealer=current_app.extensions["sealer"],
        clock=utcnow,
        outbound_allow=current_app.config["OUTBOUND_ALLOW"],
    )
    browser.post(path(draft, "pull/preview"))
    for programme_id, run_id in runs.waiting_previews(session, now=utcnow()):
        work_on_preview(session, programme_id, run_id, tools)
    assert "Would be applied" in browser.get(path(draft, "pull/preview")).text
    assert browser.post(path(draft, "pull/preview/accept")).location.endswith("/pull/identifiers")
    assert "There is nobody to compare with" in browser.get(path(draft, "pull/identifiers")).text
    assert browser.post(path(draft, "setup/review")).status_code == 303
    assert "/runs/" in browser.post(path(draft, "pull/now")).location
    run = work_on_next(session, draft.programme_id, draft.id, tools)
    assert run is not None
    assert run.state == RunState.APPLIED
    assert session.scalars(select(User.membership_no).order_by(User.membership_no)).all() == [
        one["Employee_ID"] for one in PEOPLE
    ]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"url": "reports.example"}, "This is a whole address"),
        ({"url": "https://ada:word@reports.example/x"}, "This is a whole address"),
        ({"username": ""}, "Write the user name."),
        ({"password": ""}, "Write the password."),
        ({"method": "bearer", "token": ""}, "Paste the token."),
        ({"method": "bearer", "token": "wrong"}, "does not accept the user name and password, or the token"),
        ({"password": "wrong"}, "does not accept the user name and password, or the token"),
        ({"list": "Report_Entries"}, "no list of people"),
        ({"list": "$..["}, "no list of people"),
        ({"list": "$..*..*"}, "may name keys, positions"),
    ],
)
def test_what_is_wrong_is_said_in_plain_words(
    browser: FlaskClient,
    draft: Integration,
    report: str,
    path: Callable[..., str],
    typed: dict[str, str],
    sentence: str,
) -> None:
    page = connect(browser, path(draft, "json-report/connect"), report, **typed)
    assert sentence in page.text
    assert not page.request.path.endswith("/pull/mapping")


def test_a_token_opens_it_as_well_and_is_kept(
    browser: FlaskClient, draft: Integration, report: str, path: Callable[..., str]
) -> None:
    where = path(draft, "json-report/connect")
    assert "lets us in" in connect(browser, where, report, method="bearer", token="a-token").text
    again = connect(browser, where, report, method="bearer", token="")
    assert again.request.path.endswith("/pull/mapping")
    assert "One is kept, set" in browser.get(where).text


@pytest.mark.parametrize("typed", [{"password": ""}, {"method": "bearer", "token": ""}])
def test_what_is_kept_for_one_server_is_not_sent_to_another(
    browser: FlaskClient, draft: Integration, report: str, path: Callable[..., str], typed: dict[str, str]
) -> None:
    where = path(draft, "json-report/connect")
    connect(browser, where, report, **({"method": "bearer", "token": "a-token"} if "token" in typed else {}))
    current_app.config["OUTBOUND_ALLOW"] |= {"http://127.0.0.1:9"}
    page = connect(browser, where, "http://127.0.0.1:9/people", **typed)
    assert "The report is at another server now" in page.text
    assert report in browser.get(where).text
    assert connect(browser, where, report.replace("acme/people", "acme/others"), **typed).text.count("lets us in")


def test_whatever_stands_in_a_report_its_pages_can_be_shown(
    browser: FlaskClient, draft: Integration, report: str, path: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Halves of characters, keys without end, and more keys than anybody can choose from."""
    one: dict[str, Any] = {"Na\ud83dme": "x", "k" * 300: "x", "Email": "\ud83d" + "y" * 900, "<script>": "<script>"}
    monkeypatch.setattr(Reports, "people", [one | {f"F{n}": "" for n in range(4000)}])
    assert connect(browser, path(draft, "json-report/connect"), report).status_code == 200
    browser.post(path(draft, "pull/mapping"), data={"membership_no_field": "<script>", "email_field": "Email"})
    for page in ("pull/mapping", "pull/identifiers"):
        found = browser.get(path(draft, page))
        assert found.status_code == 200
        assert "<script>" not in found.text.replace("<script></script>", "")
    found = browser.get(path(draft, "pull/mapping"))
    assert "?" + "y" * 70 in found.text
    assert "y" * 300 not in found.text
    assert "k" * 300 not in found.text
    assert len(found.text) < 1_500_000
