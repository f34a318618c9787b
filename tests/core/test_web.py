"""What holds on every page: headers, cookies, probes, who may call a view, and how transactions begin."""

import sqlite3
import threading
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from rgapp.access import access_of
from rgapp.database import reading, writing
from rgapp.extensions import db
from rgapp.models import Programme
from rgapp.security import allow_form_action
from rgapp.tokens import hash_token, new_reference, new_token
from tests.conftest import ENVIRONMENT
from tests.factories import Factory

WITHOUT_A_VIEW_OF_OURS = {"static", "bootstrap.static"}
HTTPS = {"RGAPP_BASE_URL": "https://rewards.example"}


def test_every_view_says_who_may_call_it(app: Flask) -> None:
    silent = [
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.endpoint not in WITHOUT_A_VIEW_OF_OURS and access_of(app.view_functions[rule.endpoint]) is None
    ]
    assert silent == []


def test_only_known_views_are_public(app: Flask) -> None:
    """A new public view is a decision: it is added here."""
    public = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.endpoint not in WITHOUT_A_VIEW_OF_OURS and access_of(app.view_functions[rule.endpoint]) == "public"
    }
    packages = {endpoint.partition(".")[0] for endpoint in public}
    assert packages <= {"sso", "home", "landing", "manager", "probes"}
    assert {endpoint for endpoint in public if endpoint.startswith("manager.")} <= {
        "manager.login",
        "manager.login_code",
        "manager.logout",
        "manager.password",
    }


def test_no_view_of_reward_manager_answers_without_a_sign_in(app: Flask, client: FlaskClient, make: Factory) -> None:
    make.programme("acme")
    values = {"slug": "acme"}
    for rule in app.url_map.iter_rules():
        declared = access_of(app.view_functions[rule.endpoint]) if rule.endpoint not in WITHOUT_A_VIEW_OF_OURS else ""
        if not (declared or "").startswith("staff:") or "GET" not in (rule.methods or set()):
            continue
        arguments = {name: values.get(name, "00000000-0000-7000-8000-000000000000") for name in rule.arguments}
        with app.test_request_context():
            url = app.url_for(rule.endpoint, **arguments)
        response = client.get(url)
        assert response.status_code in {302, 404}, rule.endpoint
        if response.status_code == 302:
            assert response.location.startswith("/manager/login"), rule.endpoint


@pytest.mark.parametrize("path", ["/healthz", "/nowhere", "/p/nowhere/login", "/manager/login"])
def test_every_answer_carries_the_headers(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["script-src"] == policy["style-src"] == policy["default-src"] == "'self'"
    assert (policy["frame-ancestors"], policy["base-uri"], policy["object-src"]) == ("'none'",) * 3
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"
    assert "Strict-Transport-Security" not in headers


def test_behind_tls_browsers_are_told_to_stay_there(make_app: Callable[..., Flask]) -> None:
    headers = make_app(RGAPP_SECRET_KEY="s" * 40, **HTTPS).test_client().get("/healthz").headers
    assert headers["Strict-Transport-Security"].startswith("max-age=31536000")


def test_static_files_may_be_kept(client: FlaskClient) -> None:
    with client.get("/static/rgapp.css") as response:
        assert response.status_code == 200
        assert response.headers["Cache-Control"] != "no-store"


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://idp.example/sso?x=1", " https://idp.example"),
        ("http://localhost:8080/slo", " http://localhost:8080"),
        ("https://[2001:db8::1]/slo", " https://[2001:db8::1]"),
        ("https://büro.example/", " https://xn--bro-hoa.example"),
        ("https://idp.example;script-src *", ""),
        ("https://idp.example,default-src *", ""),
        ("https://idp.example *", ""),
        ("https://*", ""),
        ("https://user@idp.example", " https://idp.example"),
        ("https://idp.example:x", ""),
        ("javascript:alert(1)", ""),
        ("https://[", ""),
        ("", ""),
    ],
)
def test_a_form_may_lead_to_one_more_plain_origin(app: Flask, url: str, origin: str) -> None:
    """Customers type these addresses: nothing of one may begin another directive of the policy."""

    @app.get("/form")
    def form() -> str:
        allow_form_action(url)
        return ""

    policy = app.test_client().get("/form").headers["Content-Security-Policy"]
    assert policy.endswith(f"; form-action 'self'{origin}")


class TestProbes:
    """/healthz, /readyz and /metrics."""

    def test_alive_and_ready(self, client: FlaskClient) -> None:
        assert (client.get("/healthz").status_code, client.get("/readyz").text) == (200, "ready\n")

    def test_without_its_tables_it_is_not_ready_but_alive(self, app: Flask, client: FlaskClient) -> None:
        with app.app_context():
            db.session.execute(text("ALTER TABLE programmes RENAME TO gone"))
            db.session.commit()
        response = client.get("/readyz")
        assert (response.status_code, response.text) == (503, "not ready: database\n")
        assert client.get("/healthz").status_code == 200

    def test_without_its_queue_it_is_not_ready(self, app: Flask, client: FlaskClient) -> None:
        app.extensions["queue"] = object()
        assert client.get("/readyz").text == "not ready: queue\n"

    def test_metrics_are_for_loopback(self, client: FlaskClient) -> None:
        assert client.get("/metrics").status_code == 200
        assert client.get("/metrics", environ_base={"REMOTE_ADDR": "192.0.2.7"}).status_code == 404

    def test_or_for_whoever_has_the_token(self, make_app: Callable[..., Flask]) -> None:
        client = make_app(RGAPP_METRICS_TOKEN="sesame").test_client()
        codes = [
            client.get("/metrics", headers={"Authorization": given}).status_code
            for given in ("", "Bearer wrong", "Bearer sesame", "Bearer é")
        ]
        assert codes == [404, 404, 200, 404]

    def test_behind_a_proxy_loopback_alone_is_not_enough(self, make_app: Callable[..., Flask]) -> None:
        assert make_app(**HTTPS).test_client().get("/metrics").status_code == 404


@pytest.mark.parametrize(("trusted", "expected"), [("0", "127.0.0.1"), ("1", "198.51.100.2"), ("2", "203.0.113.1")])
def test_the_clients_address_comes_from_as_many_proxies_as_are_ours(
    make_app: Callable[..., Flask], trusted: str, expected: str
) -> None:
    from flask import request

    app = make_app(RGAPP_TRUSTED_PROXIES=trusted)
    app.add_url_rule("/who", view_func=lambda: f"{request.remote_addr} {request.host} {request.scheme}")
    headers = {
        "X-Forwarded-For": "203.0.113.1, 198.51.100.2",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "https",
    }
    assert app.test_client().get("/who", headers=headers).text == f"{expected} localhost http"


@pytest.mark.sqlite
class TestTransactions:
    """SQLite: readers never wait, writers queue, and what reads first and writes later does not fail half-way."""

    def test_the_database_is_set_up_for_many_processes(self, app: Flask) -> None:
        with app.app_context():
            pragmas = {
                name: db.session.execute(text(f"PRAGMA {name}")).scalar()
                for name in ("journal_mode", "foreign_keys", "busy_timeout")
            }
        assert pragmas == {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 15000}

    def test_reading_holds_nobody_up(self, app: Flask, make: Factory) -> None:
        make.programme("acme")
        make.session.commit()
        with reading():
            assert len(make.session.query(Programme).all()) == 1
            other = sqlite3.connect(str(db.engine.url.database), timeout=0.1)
            other.execute("UPDATE programmes SET name = 'Other'")
            other.commit()
            other.close()
        make.session.rollback()

    def test_whatever_may_write_takes_its_turn_when_it_begins(self, app: Flask, make: Factory) -> None:
        make.session.commit()
        make.session.query(Programme).all()
        other = sqlite3.connect(str(db.engine.url.database), timeout=0.1)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.close()

    def test_a_page_that_only_reads_may_write_where_it_says_so(self, app: Flask, make: Factory) -> None:
        programme = make.programme("acme")
        make.session.commit()

        @app.get("/visit")
        def visit() -> str:
            found = db.session.get_one(Programme, programme.id)
            with writing():
                found.name = "Visited"
            return found.name

        assert app.test_client().get("/visit").text == "Visited"

    def test_requests_that_read_and_then_write_at_once_all_succeed(self, app: Flask, make: Factory) -> None:
        programme = make.programme("acme", name="0")
        make.session.commit()

        @app.post("/count")
        def count() -> str:
            found = db.session.get_one(Programme, programme.id)
            found.name = str(int(found.name) + 1)
            db.session.commit()
            return found.name

        app.config["WTF_CSRF_ENABLED"] = False
        codes: list[int] = []
        threads = [
            threading.Thread(target=lambda: codes.append(app.test_client().post("/count").status_code))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        make.session.expire_all()
        assert (codes, make.session.get_one(Programme, programme.id).name) == ([200] * 8, "8")


class TestErrors:
    """Error pages say what to do, and nothing about the inside."""

    def test_a_bug_shows_a_reference_only(self, app: Flask, caplog: pytest.LogCaptureFixture) -> None:
        @app.get("/bug")
        def bug() -> str:
            raise RuntimeError("the secret inside")

        app.config["PROPAGATE_EXCEPTIONS"] = False
        response = app.test_client().get("/bug")
        assert response.status_code == 500
        assert "the secret inside" not in response.text
        reference = caplog.records[-1].getMessage().split()[2]
        assert reference in response.text

    def test_a_database_that_is_away_is_said_calmly(self, app: Flask) -> None:
        @app.get("/away")
        def away() -> str:
            raise OperationalError("SELECT secret", {}, Exception("database is locked"))

        response = app.test_client().get("/away")
        assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
        assert "secret" not in response.text

    def test_a_form_without_its_token_is_refused(self, make_app: Callable[..., Flask]) -> None:
        response = make_app().test_client().post("/manager/logout")
        assert response.status_code == 400

    def test_other_methods_are_named(self, client: FlaskClient) -> None:
        response = client.post("/healthz")
        assert response.status_code in {400, 405}


def test_tokens_and_references_are_hard_to_guess_and_easy_to_read() -> None:
    assert len({new_token() for _ in range(100)}) == 100
    assert len(new_token()) >= 43
    assert len(hash_token("x")) == 64
    reference = new_reference()
    assert (len(reference), reference[4]) == (9, "-")
    assert not set("01IOL") & set(reference)


def test_the_tests_environment_is_not_production() -> None:
    assert ENVIRONMENT["RGAPP_ENV"] == "testing"
