"""Who may call what: the table in docs/permissions.md, form tokens, foreign staff, and roles that only look."""

import runpy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from rgapp.access import access_of
from rgapp.auth import staff as staff_accounts
from rgapp.auth import users as user_accounts
from rgapp.clock import utcnow
from rgapp.models import Programme, Role, User
from tests.factories import Factory
from tests.journeys.live import ROOT
from tests.sso.conftest import Door

FILES = {"static", "bootstrap.static"}
# Identity providers and SCIM clients post here; nothing else is without a form token.
WITHOUT_FORM_TOKEN = {"sso.acs", "sso.posted_sls", "scim.endpoint"}
NOBODYS_ID = "00000000-0000-7000-8000-000000000000"


@dataclass
class House:
    """Two programmes with one of everything, and a way to every address of them."""

    app: Flask
    values: dict[str, dict[str, Any]]

    def rules(self, *, staff: bool = False, tenant: bool = False) -> list[Rule]:
        """Return the rules of views, of staff's views, of those that name a programme."""
        return [
            rule
            for rule in self.app.url_map.iter_rules()
            if rule.endpoint not in FILES
            and (not staff or self.access(rule).startswith("staff:"))
            and (not tenant or "slug" in rule.arguments)
        ]

    def access(self, rule: Rule) -> str:
        """Return what a view declares."""
        return access_of(self.app.view_functions[rule.endpoint]) or ""

    def address(self, rule: Rule, programme: str, **others: Any) -> str:
        """Return an address with the arguments of a programme."""
        values = self.values[programme] | others
        with self.app.test_request_context():
            return self.app.url_for(rule.endpoint, **{name: values.get(name, NOBODYS_ID) for name in rule.arguments})

    def browser(self, session: Session, person: Any) -> FlaskClient:
        """Return a browser in which somebody of staff is signed in."""
        token = staff_accounts.open_session(session, person, user_agent="a test", now=utcnow())
        session.commit()
        client = self.app.test_client()
        client.set_cookie("rg_staff", token)
        return client


@pytest.fixture
def house(app: Flask, make_door: Callable[..., Door], make: Factory, session: Session) -> House:
    """Return two programmes, `acme` and `other`."""
    values = {}
    for slug in ("acme", "other"):
        programme = make.programme(slug, password_sign_in=True)
        door = make_door(programme)
        user = make.user(programme)
        values[slug] = {
            "slug": slug,
            "integration_id": door.integration.id,
            "public_id": door.integration.public_id,
            "user_id": user.id,
            "number": 1,
        }
    session.commit()
    return House(app, values)


def user_token(session: Session, user: User) -> str:
    """Sign an employee in now; returns the token for the cookie."""
    return user_accounts.open_session(session, user.programme_id, user.id, user_agent="a test", now=utcnow())


def acme_of(session: Session) -> Programme:
    """Return the programme that the tests' admin runs."""
    return session.scalars(select(Programme).where(Programme.slug == "acme")).one()


def changing(rule: Rule) -> list[str]:
    """Return the methods of a rule that may change something."""
    return sorted((rule.methods or set()) - {"GET", "HEAD", "OPTIONS"})


def test_the_table_of_permissions_is_what_the_views_declare(app: Flask) -> None:
    """After a change on purpose: `make permissions`, and look at the difference."""
    script = runpy.run_path(str(ROOT / "scripts" / "permissions.py"))
    written = script["document"](app)
    assert "nobody said who" not in written
    assert (ROOT / "docs" / "permissions.md").read_text() == written


def test_every_form_needs_the_token_of_our_own_page(house: House, make: Factory, session: Session) -> None:
    client = house.browser(session, make.staff(role=Role.OPERATOR))
    open_to_other_sites = set()
    for rule in house.rules():
        for method in changing(rule):
            answer = client.open(house.address(rule, "acme"), method=method)
            if answer.status_code != 400:
                open_to_other_sites.add(rule.endpoint)
    assert open_to_other_sites == WITHOUT_FORM_TOKEN


def test_foreign_staff_find_no_address_of_another_programme(house: House, make: Factory, session: Session) -> None:
    house.app.config["WTF_CSRF_ENABLED"] = False
    client = house.browser(session, make.staff(acme_of(session)))
    tried = 0
    for rule in house.rules(staff=True, tenant=True):
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            answer = client.open(house.address(rule, "other"), method=method)
            assert answer.status_code == 404, (method, rule.rule)
            tried += 1
    assert tried > 30


def test_an_id_of_another_programme_is_not_found_under_ones_own(house: House, make: Factory, session: Session) -> None:
    """The address names a programme that she may see, and an integration or a person of another."""
    house.app.config["WTF_CSRF_ENABLED"] = False
    client = house.browser(session, make.staff(acme_of(session)))
    tried = 0
    for rule in house.rules(staff=True, tenant=True):
        foreign = {
            name: house.values["other"][name] for name in ("integration_id", "user_id") if name in rule.arguments
        }
        if not foreign:
            continue
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            answer = client.open(house.address(rule, "acme", **foreign), method=method)
            assert answer.status_code == 404, (method, rule.rule)
            tried += 1
    assert tried > 15


def test_support_looks_and_changes_nothing(house: House, make: Factory, session: Session) -> None:
    house.app.config["WTF_CSRF_ENABLED"] = False
    client = house.browser(session, make.staff(role=Role.SUPPORT))
    closed = [rule for rule in house.rules(staff=True) if "support" not in house.access(rule)]
    assert len(closed) > 10
    for rule in closed:
        for method in changing(rule):
            assert client.open(house.address(rule, "acme"), method=method).status_code == 403, (method, rule.rule)


def test_whoever_is_not_signed_in_gets_no_further_than_the_sign_in(house: House) -> None:
    house.app.config["WTF_CSRF_ENABLED"] = False
    client = house.app.test_client()
    for rule in house.rules():
        access = house.access(rule)
        if access == "public":
            continue
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            answer = client.open(house.address(rule, "acme"), method=method)
            if access == "bearer":
                assert answer.status_code == 401, (method, rule.rule)
                continue
            target = "/p/acme/login" if access == "employee" else "/manager/login"
            assert (answer.status_code, answer.location.partition("?")[0]) == (302, target), (method, rule.rule)


def test_staff_is_no_employee_and_an_employee_no_staff(
    house: House, make: Factory, session: Session, make_door: Callable[..., Door]
) -> None:
    """Two realms, two cookies: the cookie of the one under the name of the other opens nothing."""
    operator = house.browser(session, make.staff(role=Role.OPERATOR))
    token = operator.get_cookie("rg_staff")
    assert token is not None
    operator.set_cookie("rg_user_acme", token.value)
    assert operator.get("/p/acme/").status_code == 302
    programme = make.programme("third")
    employee = house.app.test_client()
    employee.set_cookie("rg_staff", user_token(session, make.user(programme)))
    session.commit()
    assert employee.get("/manager/programmes").location.startswith("/manager/login")


def test_an_employee_of_one_programme_is_a_stranger_in_another(house: House, make: Factory, session: Session) -> None:
    client = house.app.test_client()
    programme = make.programme("third")
    token = user_token(session, make.user(programme))
    session.commit()
    for slug in ("third", "acme"):
        client.set_cookie(f"rg_user_{slug}", token)
    assert client.get("/p/third/").status_code == 200
    for rule in house.rules():
        if house.access(rule) == "employee":
            assert client.get(house.address(rule, "acme")).status_code == 302, rule.rule
