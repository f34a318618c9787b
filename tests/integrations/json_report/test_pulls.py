"""Pulls of a JSON report through the engine, from a server of our own: the list, its people, and what is held."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from flask import current_app
from hypothesis import given
from hypothesis import strategies as st

from rgapp.audit.service import COMMAND_LINE
from rgapp.integrations.json_report.feeds import JSONReportFeeds
from rgapp.integrations.json_report.report import Report, ReportError
from rgapp.integrations.pulls import access, feeds
from rgapp.integrations.pulls.access import Secrets
from rgapp.integrations.sync import runs
from rgapp.integrations.sync.engine import Tools, work_on_next
from rgapp.models import SyncRun, User
from rgapp.outbound import Answer
from tests.conftest import NOW
from tests.factories import Factory
from tests.integrations.bamboohr.house import counts

MAPPING = {
    "membership_no": {"field": "Employee_ID"},
    "email": {"field": "Work_Email", "otherwise": "Home_Email"},
    "last_name": {"field": "Last"},
}


def person(number: int, **fields: Any) -> dict[str, Any]:
    return {"Employee_ID": number, "Work_Email": f"p{number}@acme.example", "Last": "Carter"} | fields


class Server:
    """Serves one report."""

    def __init__(self) -> None:
        self.body: bytes = b""
        self.status = 200
        self.asked: list[dict[str, str]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked.append(dict(self.headers.items()) | {"path": self.path})
                tag = f'"{hash(server.body)}"'
                known = self.headers.get("If-None-Match") == tag
                self.send_response(304 if known else server.status)
                self.send_header("ETag", tag)
                body = b"" if known else server.body
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self.server.server_address[1]}"
        Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def say(self, *people: Any) -> None:
        self.body = json.dumps({"Report_Entry": people}).encode()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.server.shutdown()
    made.server.server_close()


class Desk:
    """A programme with a report."""

    def __init__(self, make: Factory, folder: Path, server: Server) -> None:
        self.session, self.server, self.now, self._folder = make.session, server, NOW, folder
        self.programme = make.programme("acme")
        draft = {"url": f"{server.origin}/raas/people?format=json", "list": "Report_Entry", "mapping": MAPPING}
        kind = "json-report"
        self.integration = make.integration(self.programme, draft, name="Workday", kind=kind, provider=kind)
        sealer = current_app.extensions["sealer"]
        secrets = Secrets("basic", {"username": "us", "password": "pä"})
        access.keep(self.session, self.integration, secrets, sealer=sealer, actor=COMMAND_LINE, now=NOW)
        self.session.commit()

    def pull(self, *people: Any, full: bool = False) -> SyncRun:
        if people:
            self.server.say(*people)
        self.now += timedelta(hours=2)
        runs.receive(self.session, self.integration, now=self.now, wants_full=full)
        self.session.commit()
        allow = frozenset({self.server.origin})
        sealer = current_app.extensions["sealer"]
        tools = Tools(self._folder, sealer, self._clock, outbound_allow=allow)
        done = work_on_next(self.session, self.programme.id, self.integration.id, tools)
        self.session.expire_all()
        assert done is not None
        return done

    def _clock(self) -> datetime:
        return self.now

    def active(self) -> set[str]:
        return {user.membership_no for user in self.session.query(User).filter_by(status="active")}


@pytest.fixture
def desk(make: Factory, tmp_path: Path, server: Server) -> Desk:
    return Desk(make, tmp_path, server)


def test_a_pull_that_takes_hours_is_none(
    make: Factory, tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "LONGEST_SECONDS", -1.0)
    run = Desk(make, tmp_path, server).pull(person(1))
    assert (run.state, run.facts["cause"], run.facts["code"]) == ("failed", "incomplete_pull", "too_slow")


def test_a_report_is_read_like_a_file(desk: Desk) -> None:
    run = desk.pull(*(person(number) for number in range(1, 9)))
    assert (run.state, counts(run)) == ("applied", {"created": 8})
    run = desk.pull(*(person(number) for number in range(1, 8)), person(9, Work_Email="", Home_Email="h9@home.example"))
    assert (run.state, counts(run)) == ("applied", {"created": 1, "unchanged": 7, "deactivated": 1})
    assert desk.active() == {"1", "2", "3", "4", "5", "6", "7", "9"}
    assert desk.server.asked[0]["path"] == "/raas/people?format=json"
    assert desk.server.asked[0]["Authorization"].startswith("Basic ")


def test_a_report_that_is_the_same_is_not_read_again(desk: Desk) -> None:
    desk.pull(person(1))
    run = desk.pull()
    assert (run.state, run.full, counts(run)) == ("applied", False, {})
    assert desk.active() == {"1"}
    assert counts(desk.pull(full=True)) == {"unchanged": 1}


def test_that_nothing_changed_is_no_answer_to_who_did_not_ask(desk: Desk) -> None:
    """Taken for one, it would wipe out what the next report is compared with."""
    desk.pull(*(person(number) for number in range(1, 9)))
    desk.server.status = 304
    run = desk.pull(full=True)
    assert (run.state, run.facts["code"]) == ("failed", "refused")
    desk.server.status = 200
    run = desk.pull(*({**person(number), "Last": None} for number in range(1, 9)))
    assert (run.state, run.reason) == ("held", "coverage_shrunk")


def test_an_entry_that_is_none_is_refused_and_nobody_leaves_for_it(desk: Desk) -> None:
    desk.pull(*(person(number) for number in range(1, 9)))
    run = desk.pull(*(person(number) for number in range(1, 8)), "nonsense")
    assert (run.state, run.reason, run.refused, run.deactivated) == ("applied", "absence_ignored", 1, 0)


def test_an_empty_report_is_held(desk: Desk) -> None:
    desk.pull(*(person(number) for number in range(1, 9)))
    desk.server.body = b'{"Report_Entry": []}'
    run = desk.pull()
    assert (run.state, run.reason) == ("held", "people_shrunk")


def test_a_field_that_is_gone_holds_the_report(desk: Desk) -> None:
    desk.pull(*(person(number) for number in range(1, 9)))
    run = desk.pull(*({**person(number), "Last": None} for number in range(1, 9)))
    assert (run.state, run.reason, run.facts["column"]) == ("held", "coverage_shrunk", "Last")


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (401, b"", "wrong_key"),
        (403, b"", "no_permission"),
        (404, b"", "no_such_report"),
        (200, b'{"Other": []}', "no_list"),
        (200, b'{"Report_Entry": 7}', "no_list"),
        (418, b"", "refused"),
    ],
)
def test_what_is_no_report_fails_in_words(desk: Desk, status: int, body: bytes, code: str) -> None:
    desk.server.status, desk.server.body = status, body
    run = desk.pull()
    assert (run.state, run.facts["code"]) == ("failed", code)
    assert run.facts["sentence"]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://reports.example/people", "The address has to begin with https://."),
        ("https://127.0.0.1/people", "The address leads into a private network, which only the operator can allow."),
    ],
)
def test_an_address_that_is_not_asked_is_refused_in_words(url: str, words: str) -> None:
    with pytest.raises(ReportError) as refused:
        Report(url, "", None, allow=frozenset()).check()
    assert refused.value.sentence == words


class Said:
    def __init__(self, data: Any) -> None:
        self.data, self.headers = data, dict[str, str]()

    def get(self, path: str) -> Answer:
        return Answer(200, {}, self.data)

    def close(self) -> None:
        return


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


@given(data=values, path=st.sampled_from(["", "$", "a", "$.a", "$.a.b", "$.a[*]", "$..a"]) | st.text(max_size=8))
def test_any_answer_and_path_give_a_list_or_an_error(data: Any, path: str) -> None:
    report = Report("https://hr.example/people", path, None, allow=frozenset())
    client: Any = Said(data)
    report.client = client
    try:
        found = report.read()
        report.fields()
        report.people(["a"], most=3)
    except ReportError:
        return
    assert isinstance(found, list)


@pytest.mark.parametrize(
    "path",
    ["$..*..*", "$[*,*][*,*]", "$[?@.a =~ /(a+)+$/]", "$[?search(@.a, '(a+)+$')]", "$.a | $..b", "$[?@.a =~ /(/]",
     "$.~a", "$[?" + "(" * 190],
)  # fmt: skip
def test_a_path_that_could_go_on_for_ever_is_refused(path: str) -> None:
    report = Report("https://hr.example/people", path, None, allow=frozenset())
    client: Any = Said([{"a": "a" * 60 + "b"}] * 60)
    report.client = client
    with pytest.raises(ReportError) as refused:
        report.read()
    assert refused.value.code in {"bad_path", "no_list"}


@pytest.mark.parametrize("path", ["data.people", "$.data.people", "$.data['people']", "$..people", "$.data.*[:]"])
def test_a_path_may_name_keys_and_positions_and_skip_levels_once(path: str) -> None:
    report = Report("https://hr.example/people", path, None, allow=frozenset())
    client: Any = Said({"data": {"people": [{"a": 1}, {"a": 2}]}})
    report.client = client
    assert report.read() == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize("path", ["", "$"])
def test_the_answer_itself_may_be_the_list(path: str) -> None:
    report = Report("https://hr.example/people", path, None, allow=frozenset())
    client: Any = Said([{"a": 1}, {"a": 2}])
    report.client = client
    assert report.read() == [{"a": 1}, {"a": 2}]
    assert JSONReportFeeds.pulls
