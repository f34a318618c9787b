"""Limits and cookies on two web processes: what one counts the other knows, and nobody is locked out on either."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from flask_migrate import upgrade

from rgapp import create_app
from rgapp.auth.passwords import new_password
from rgapp.auth.throttle import TRIES
from rgapp.demo.responses import parse_authn_request
from rgapp.extensions import db
from rgapp.sso.routes import REFUSALS_OF_CONNECTION
from tests.conftest import NOW
from tests.core import postgres
from tests.factories import PASSWORD, Factory
from tests.ports import free_port
from tests.security.browsers import Visitor
from tests.sso.conftest import JANE, Door, saml_settings
from tests.sso.test_race import environment_of, serving

GOOD = {"email": "jane@acme.example", "password": PASSWORD}
WRONG = GOOD | {"password": "wrong" * 5}
LOGIN = "/p/acme/login"
JOE = JANE | {"employeeNumber": ["E1002"], "mail": ["joe@acme.example"]}


@dataclass
class Pair:
    """Two web processes of one installation, each at a port of its own."""

    ports: tuple[int, int]
    door: Door

    def visitor(self, address: str) -> Visitor:
        """Return a browser at an address of the internet, as our own proxy names it."""
        return Visitor(self.ports[0], headers={"X-Forwarded-For": address})

    def statuses(self, address: str, path: str, fields: dict[str, str], count: int, *, form: str = "") -> list[int]:
        """Post again and again, to one process and the other in turn; returns the statuses."""
        visitor = self.visitor(address)
        return [visitor.post(path, fields, port=self.ports[n % 2], form=form).status for n in range(count)]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, idp_key: tuple[str, str], migrated: Path
) -> Iterator[Pair]:
    """Return two processes, each a gunicorn of its own, on one database."""
    folder = tmp_path_factory.mktemp("pair")
    with ExitStack() as stack:
        database = stack.enter_context(postgres.server()) if request.param == "postgresql" else None
        ports = free_port(), free_port()
        common = {"RGAPP_WEB_WORKERS": "1", "RGAPP_TRUSTED_PROXIES": "1"}
        first, second = (
            environment_of(folder, port, database) | common | {"RGAPP_BASE_URL": f"http://127.0.0.1:{ports[0]}"}
            for port in ports
        )
        door = set_up(first, idp_key, None if database else migrated)
        stack.enter_context(serving(first, ports[0], folder / "first.log"))
        stack.enter_context(serving(second, ports[1], folder / "second.log"))
        yield Pair(ports, door)
    for log in ("first.log", "second.log"):
        assert "Traceback" not in (folder / log).read_text()


def set_up(environment: dict[str, str], idp_key: tuple[str, str], template: Path | None) -> Door:
    """Make a programme with passwords, Jane with hers, and a connection."""
    app = create_app(environment)
    with app.app_context():
        if template is not None:
            shutil.copy(template, str(db.engine.url.database))
        else:
            upgrade()
        session = db.session()
        make = Factory(session, NOW)
        programme = make.programme("acme", password_sign_in=True)
        jane = make.user(programme, email="jane@acme.example", membership_no="M1")
        jane.password_hash = new_password(PASSWORD).hashed
        make.staff(programme, email="hr@acme.example")
        make.staff(programme, email="helen@acme.example")
        integration = make.integration(programme, saml_settings(idp_key[1], idp_initiated=True))
        door = Door(programme, integration, idp_key, base_url=environment["RGAPP_BASE_URL"])
        session.commit()
        assert door.root  # Loaded before the session ends.
        session.expunge_all()
        session.rollback()
        db.engine.dispose()
    return door


def test_wrong_passwords_count_on_both_and_lock_nobody_out(pair: Pair) -> None:
    at_home = pair.visitor("192.0.2.1")
    assert at_home.post(LOGIN, GOOD, form=LOGIN).status == 303
    del at_home.cookies["rg_user_acme"]
    statuses = [pair.statuses(f"198.51.100.{number}", LOGIN, WRONG, 2, form=LOGIN) for number in range(TRIES.amount)]
    assert [status for pair_of in statuses for status in pair_of] == [200] * TRIES.amount + [429] * TRIES.amount
    stranger = pair.visitor("203.0.113.1")
    assert [stranger.post(LOGIN, GOOD, port=port, form=LOGIN).status for port in pair.ports] == [429, 429]
    assert at_home.post(LOGIN, GOOD, port=pair.ports[1], form=LOGIN).status == 303


def test_one_network_guesses_twenty_times_a_minute_on_both_together(pair: Pair) -> None:
    fields = {"email": "nobody@acme.example", "password": "x"}
    visitor = pair.visitor("192.0.2.77")
    statuses = [
        visitor.post(LOGIN, fields | {"email": f"nobody-{n}@acme.example"}, port=pair.ports[n % 2], form=LOGIN).status
        for n in range(22)
    ]
    assert statuses == [200] * 20 + [429] * 2


def test_staff_guesses_count_on_both(pair: Pair) -> None:
    fields = {"email": "boss@acme.example", "password": "wrong"}
    statuses = pair.statuses("192.0.2.78", "/manager/login", fields, 12, form="/manager/login")
    assert statuses == [200] * 10 + [429] * 2


def test_links_for_forgotten_passwords_count_on_both(pair: Pair) -> None:
    page = "/p/acme/password/forgotten"
    assert pair.statuses("192.0.2.79", page, {"email": "x@acme.example"}, 7, form=page) == [303] * 5 + [429] * 2


def test_refused_responses_count_on_both_and_keep_nobody_of_that_network_out(pair: Pair) -> None:
    """Half a company may sit behind one address: one of them, or a broken script, must not keep the others out."""
    address, most = "192.0.2.80", REFUSALS_OF_CONNECTION.item.amount
    statuses = pair.statuses(address, f"{pair.door.root}/acs", {"SAMLResponse": "bm8="}, most + 4)
    # Each process may let one through by which it learns.
    assert statuses[:most] == [403] * most
    assert statuses[-2:] == [429] * 2
    colleague = pair.visitor(address)
    fields = started(pair.door, colleague)
    assert pair.visitor(address).post(f"{pair.door.root}/acs", fields).status == 429  # Not in another browser.
    assert colleague.post(f"{pair.door.root}/acs", fields, port=pair.ports[1]).location == "/p/acme/"
    elsewhere = pair.visitor("192.0.2.81").post(
        f"{pair.door.root}/acs", {"SAMLResponse": pair.door.response(None, attributes=JOE)}
    )
    assert elsewhere.location == "/p/acme/"


def test_starts_are_bounded_for_a_network_at_one_connection(pair: Pair) -> None:
    visitor = pair.visitor("2001:db8::1")
    statuses = [visitor.get(f"{pair.door.root}/login", port=pair.ports[n % 2]).status for n in range(1202)]
    assert statuses == [302] * 1200 + [429] * 2
    assert pair.visitor("2001:db8:0:1::1").get(f"{pair.door.root}/login").status == 302


def test_a_session_of_one_process_counts_on_the_other_and_ends_on_both(pair: Pair) -> None:
    jane = pair.visitor("192.0.2.82")
    assert jane.post(f"{pair.door.root}/acs", started(pair.door, jane)).status == 303
    assert [jane.get("/p/acme/", port=port).status for port in pair.ports] == [200, 200]
    held = dict(jane.cookies)
    assert jane.post("/p/acme/logout", {}, port=pair.ports[1], form="/p/acme/").status == 303
    jane.cookies = held
    assert [jane.get("/p/acme/", port=port).status for port in pair.ports] == [302, 302]


def started(door: Door, visitor: Visitor) -> dict[str, str]:
    """Start a sign-in; returns what the identity provider would post."""
    answer = visitor.get(f"{door.root}/login")
    assert answer.status == 302, answer.text
    query = urlsplit(answer.location).query
    response = door.response(parse_authn_request(query).id)
    return {"SAMLResponse": response, "RelayState": parse_qs(query)["RelayState"][0]}


def test_who_signed_in_there_before_still_does_beside_a_guesser_of_the_same_network(pair: Pair) -> None:
    """Refusals count against the network, good passwords against nobody."""
    address = "192.0.2.83"
    hr = pair.visitor(address)
    fields = {"email": "helen@acme.example", "password": PASSWORD}
    for number in range(12):
        assert hr.post("/manager/login", fields, port=pair.ports[number % 2], form="/manager/login").status == 303
        del hr.cookies["rg_staff"]
    wrong = {"email": "somebody@acme.example", "password": "wrong"}
    assert pair.statuses(address, "/manager/login", wrong, 11, form="/manager/login") == [200] * 10 + [429]
    assert hr.post("/manager/login", fields, form="/manager/login").status == 303
