"""`flask integration …` and `flask sync …` of pulls: declared with what opens them, pulled now, and told."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import select

from rgapp.demo.bamboohr.service import Simulated, running
from rgapp.extensions import sealer
from rgapp.integrations.pulls import access
from rgapp.models import Integration, IntegrationVersion, PullAccess
from tests.cli.conftest import Terminal

pytestmark = pytest.mark.usefixtures("acme")
Apply = Callable[..., list[str]]
Invoke = Callable[..., tuple[int, str]]


@pytest.fixture
def bamboo(app: Flask) -> Iterator[Simulated]:
    """Return a simulated BambooHR that the application may reach."""
    with running(12) as simulated:
        app.config["OUTBOUND_ALLOW"] = frozenset({simulated.origin})
        yield simulated


@pytest.fixture
def apply(terminal: Terminal, bamboo: Simulated, monkeypatch: pytest.MonkeyPatch) -> Apply:
    """Return a function that applies a file with one BambooHR integration; returns what was printed."""
    monkeypatch.setenv("ACME_KEY", bamboo.key)

    def run(*options: str, **declared: Any) -> list[str]:
        entry = {
            "kind": "bamboohr",
            "name": "BambooHR",
            "published": True,
            "subdomain": "acme",
            "base_url": bamboo.origin,
            "api_key": {"env": "ACME_KEY"},
        }
        entry = {name: value for name, value in (entry | declared).items() if value is not None}
        file = terminal.write({"programme": "acme", "integrations": [entry]})
        return terminal.run("integration", "apply", file, *options).splitlines()

    return run


@pytest.fixture
def sync(runner: FlaskCliRunner, terminal: Terminal) -> Invoke:
    """Return a function that runs `flask sync …` for the only integration."""

    def run(command: str, *words: str) -> tuple[int, str]:
        done = runner.invoke(args=["sync", command, "--integration", str(integration(terminal).id), *words])
        terminal.session.expire_all()
        return done.exit_code, done.output

    return run


def integration(terminal: Terminal) -> Integration:
    terminal.session.expire_all()
    return terminal.session.scalars(select(Integration)).one()


def kept(terminal: Terminal) -> dict[str, str]:
    """Return what opens the only integration."""
    found = access.secrets_of(access.of_integration(terminal.session, integration(terminal)), sealer())
    assert found is not None
    return dict(found.values)


def test_a_declared_key_is_kept_sealed_and_stands_in_no_setting_and_no_export(
    apply: Apply, terminal: Terminal, bamboo: Simulated
) -> None:
    assert apply()[0] == "BambooHR: created, published as version 1, access set (api key)"
    assert kept(terminal) == {"api_key": bamboo.key}
    assert bamboo.key.encode() not in terminal.session.scalars(select(PullAccess)).one().sealed
    assert bamboo.key not in json.dumps(terminal.session.scalars(select(IntegrationVersion.settings)).all())
    assert bamboo.key not in terminal.run("integration", "export", "--programme", "acme")
    assert apply() == ["BambooHR: unchanged"]


def test_what_is_exported_applies_without_a_change(apply: Apply, terminal: Terminal) -> None:
    apply(schedule="hourly", filters={"country": ["Germany"]}, mapping={"date_of_birth": None})
    text = terminal.run("integration", "export", "--programme", "acme")
    assert "api_key" not in text
    assert "date_of_birth: null" in text
    again = terminal.run("integration", "apply", "-", input=text)
    assert "BambooHR: unchanged" in again


def test_an_address_that_the_file_no_longer_names_is_gone(apply: Apply, terminal: Terminal, bamboo: Simulated) -> None:
    apply()
    assert apply(base_url=None) == [
        "BambooHR: published as version 2",
        f"  base_url: {bamboo.origin} -> nothing",
    ]
    assert "base_url" not in integration(terminal).draft
    assert apply(base_url=None) == ["BambooHR: unchanged"]


def test_a_dry_run_keeps_nothing(apply: Apply, terminal: Terminal) -> None:
    assert "BambooHR: would be created, published as version 1, access set (api key)" in apply("--dry-run")
    assert terminal.session.scalars(select(PullAccess)).all() == []


def test_a_declared_consent_is_not_put_back_once_it_was_renewed(
    apply: Apply, terminal: Terminal, bamboo: Simulated, sync: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_SECRET", bamboo.door.client_secret)
    monkeypatch.setenv("ACME_TOKEN", bamboo.do(consent=True)["refresh_token"])
    oauth = {"client_id": bamboo.door.client_id, "client_secret": {"env": "ACME_SECRET"}}
    declared = {"api_key": None, "oauth": oauth | {"refresh_token": {"env": "ACME_TOKEN"}}}
    assert "access set (oauth)" in apply(**declared)[0]
    given = kept(terminal)["refresh_token"]
    assert sync("run")[0] == 0
    renewed = kept(terminal)["refresh_token"]
    assert renewed != given
    assert apply(**declared) == ["BambooHR: unchanged"]
    assert kept(terminal)["refresh_token"] == renewed
    assert sync("run", "--full")[0] == 0


def test_list_says_kind_and_state(apply: Apply, terminal: Terminal) -> None:
    apply(published=False)
    (found,) = terminal.json("integration", "list", "--programme", "acme")
    assert (found["kind"], found["name"], found["state"], found["urls"]) == ("bamboohr", "BambooHR", "draft", {})


def test_a_pull_now_brings_the_people(apply: Apply, terminal: Terminal, sync: Invoke) -> None:
    apply()
    code, output = sync("run")
    assert code == 0
    assert "created 12" in output
    people = terminal.json("user", "list", "--programme", "acme")
    assert len(people) == 12
    assert people[0]["membership_no"] == "010001"
    assert people[0]["date_of_birth"] == "1960-05-17"
    code, output = sync("run", "--full")
    assert (code, "unchanged 12" in output) == (0, True)
    assert len(json.loads(sync("list", "--json")[1])) == 2


def test_a_dry_run_of_a_draft_writes_nobody(apply: Apply, terminal: Terminal, sync: Invoke) -> None:
    apply(published=False)
    code, output = sync("run", "--dry-run")
    assert code == 0
    assert "would be applied" in output
    assert "created 12" in output
    assert terminal.json("user", "list", "--programme", "acme") == []
    code, output = sync("run")
    assert code != 0
    assert "not published yet" in output


def test_a_file_is_not_taken(apply: Apply, sync: Invoke, tmp_path: Any) -> None:
    apply()
    file = tmp_path / "people.csv"
    file.write_text("x")
    code, output = sync("run", str(file))
    assert code != 0
    assert "Give no file: this integration pulls by itself." in output


def test_a_pull_that_is_held_ends_with_three_and_one_that_fails_with_one(
    apply: Apply, sync: Invoke, bamboo: Simulated
) -> None:
    apply()
    sync("run")
    bamboo.do(sight={"no_access": [str(number) for number in range(101, 111)]})
    code, output = sync("run", "--full")
    assert code == 3
    assert "2 people came, and 12 came before." in output
    bamboo.do(sight={}, keys=["another"])
    code, output = sync("run", "--full")
    assert code == 1
    assert "BambooHR does not accept this API key." in output


@pytest.mark.parametrize(
    ("declared", "path"),
    [
        ({"base_url": "http://10.1.2.3"}, "integrations[0].base_url: "),
        ({"oauth": {"client_id": "x"}}, "integrations[0].oauth: Give either a key or a consent"),
        ({"api_key": {"env": "NOT_THERE"}}, "The environment variable NOT_THERE is not set."),
        ({"mapping": {"membership_no": {"column": "x"}}}, "integrations[0].mapping.membership_no"),
    ],
)
def test_every_problem_is_named_and_nothing_is_kept(
    terminal: Terminal, bamboo: Simulated, runner: FlaskCliRunner, declared: dict[str, Any], path: str
) -> None:
    entry = {"kind": "bamboohr", "name": "B", "subdomain": "acme", "api_key": "k", "published": True} | declared
    file = terminal.write({"programme": "acme", "integrations": [entry]})
    done = runner.invoke(args=["integration", "apply", str(file)])
    assert done.exit_code != 0
    assert path in done.output
    assert terminal.session.scalars(select(Integration)).all() == []


def test_a_json_report_is_declared_with_what_opens_it(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKDAY_PASSWORD", "not for anybody else")
    entry = {
        "kind": "json-report",
        "name": "Workday",
        "published": True,
        "url": "https://reports.example/people?format=json",
        "list": "Report_Entry",
        "basic": {"username": "ISU_rewards", "password": {"env": "WORKDAY_PASSWORD"}},
        "mapping": {"membership_no": {"field": "Employee_ID"}, "email": {"field": "Email"}},
    }
    file = terminal.write({"programme": "acme", "integrations": [entry]})
    printed = terminal.run("integration", "apply", file)
    assert "Workday: created, published as version 1, access set (basic)" in printed
    assert "Workday: unchanged" in terminal.run("integration", "apply", file)
    text = terminal.run("integration", "export", "--programme", "acme")
    assert "not for anybody else" not in text
    assert "list: Report_Entry" in text
    assert "unchanged" in terminal.run("integration", "apply", "-", input=text)
