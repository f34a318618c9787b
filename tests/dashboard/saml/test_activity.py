"""Activity: counts, health in HR's words, filters, search, and the page of one attempt."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy.orm import Session

from rgapp.clock import utcnow
from rgapp.dashboard.saml import queries
from rgapp.extensions import db
from rgapp.models import Integration, Programme, Purpose, SignInAttempt
from rgapp.models.base import new_id
from tests.factories import Factory
from tests.sso.conftest import saml_settings


@pytest.fixture
def attempt(session: Session) -> Callable[..., SignInAttempt]:
    """Return a function that stores an attempt."""
    from rgapp.tokens import new_reference

    def store(integration: Integration, at: datetime | None = None, **values: Any) -> SignInAttempt:
        moment = at or utcnow()
        details: dict[str, Any] = {
            "purpose": Purpose.SIGN_IN,
            "accepted": True,
            "outcome": "unchanged",
            "person": "Jane Carter (E1001)",
            "membership_no": "E1001",
            "email_key": "jane.carter@acme.example",
        } | values
        if not details["accepted"]:
            details["outcome"] = "refused"
        row = SignInAttempt(
            programme_id=integration.programme_id,
            id=new_id(),
            integration_id=integration.id,
            reference=new_reference(),
            at=moment,
            expires_at=moment + timedelta(days=30),
            **details,
        )
        session.add(row)
        session.flush()
        return row

    return store


def test_days_are_counted_as_the_programme_counts_them(
    session: Session, acme: Programme, attempt: Callable[..., SignInAttempt], live: Integration, now: datetime
) -> None:
    """A quarter to midnight in London in summer is a quarter to eleven in UTC: the same day there, not the next."""
    attempt(live, now.replace(day=2, hour=22, minute=45))
    attempt(live, now.replace(day=2, hour=23, minute=15))
    attempt(live, now, accepted=False)
    attempt(live, now, purpose=Purpose.TEST)
    acme.timezone = "Europe/London"
    days = queries.sign_ins(session, acme, [live.id], now)[live.id].days
    assert len(days) == 14
    assert days[-2][1:] == (1, 0)
    assert days[-1][1:] == (1, 1)


@pytest.mark.parametrize(
    ("stored", "line"),
    [
        ([], "No sign-ins yet."),
        ([(0, True)], "1 sign-in this week"),
        ([(0, True), (1, True), (1, False)], "2 sign-ins this week, 1 refused"),
        ([(9, True)], "Silent for 9 days"),
        ([(0, False)] * 4 + [(0, True)], "4 of 5 sign-ins this week were refused."),
    ],
)
def test_health_is_said_in_words(
    browser: FlaskClient,
    attempt: Callable[..., SignInAttempt],
    live: Integration,
    stored: list[tuple[int, bool]],
    line: str,
) -> None:
    for days, accepted in stored:
        attempt(live, utcnow() - timedelta(days=days), accepted=accepted, reason="" if accepted else "leaver")
    assert line in browser.get("/manager/acme/integrations").text


def test_what_needs_attention_comes_first(
    browser: FlaskClient,
    make: Factory,
    acme: Programme,
    attempt: Callable[..., SignInAttempt],
    idp_key: tuple[str, str],
) -> None:
    make.integration(acme, saml_settings(idp_key[1]), name="AAA fine")
    worry = make.integration(acme, saml_settings(idp_key[1]), name="ZZZ silent")
    attempt(worry, utcnow() - timedelta(days=9))
    page = browser.get("/manager/acme/integrations").text
    assert page.index("ZZZ silent") < page.index("AAA fine")


def test_the_number_of_queries_does_not_grow_with_integrations(
    browser: FlaskClient, make: Factory, acme: Programme, idp_key: tuple[str, str]
) -> None:
    counts = []
    for number in (1, 4):
        for index in range(number):
            make.integration(acme, saml_settings(idp_key[1]), name=f"Okta {number}.{index}")
        make.session.commit()
        seen: list[str] = []

        def note(_: Any, __: Any, statement: str, *___: Any, into: list[str] = seen) -> None:
            into.append(statement)

        event.listen(db.engine, "before_cursor_execute", note)
        browser.get("/manager/acme/integrations")
        event.remove(db.engine, "before_cursor_execute", note)
        counts.append(len(seen))
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"good", "bad"}),
        ("show=good", {"good"}),
        ("show=refused", {"bad"}),
        ("show=tests", {"test"}),
        ("show=nonsense", {"good", "bad"}),
        ("q=carter", {"good"}),
        ("q=E2002", {"bad"}),
        ("q=john@ACME.example", {"bad"}),
        ("q=nobody", set()),
        ("q=%25", set()),
        ("after=rubbish", {"good", "bad"}),
    ],
)
def test_filters_and_search(
    browser: FlaskClient,
    attempt: Callable[..., SignInAttempt],
    live: Integration,
    path: Callable[..., str],
    query: str,
    found: set[str],
) -> None:
    rows = {
        "good": attempt(live),
        "bad": attempt(
            live,
            accepted=False,
            reason="leaver",
            person="John Doe (E2002)",
            membership_no="E2002",
            email_key="john@acme.example",
        ),
        "test": attempt(live, purpose=Purpose.PASTED),
    }
    page = browser.get(path(live, f"activity?{query}")).text
    assert {name for name, row in rows.items() if row.reference in page} == found


def test_a_reference_is_found_however_it_is_typed(
    browser: FlaskClient, attempt: Callable[..., SignInAttempt], live: Integration, path: Callable[..., str]
) -> None:
    row = attempt(live)
    typed = row.reference.replace("-", " ").lower()
    assert row.reference in browser.get(path(live, f"activity?q={typed}")).text
    assert browser.get(path(live, f"attempts/{row.reference.lower()}")).status_code == 200


def test_pages_follow_one_another(
    browser: FlaskClient,
    attempt: Callable[..., SignInAttempt],
    live: Integration,
    path: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(queries, "PAGE", 2)
    moment = utcnow()
    rows = [attempt(live, moment) for _ in range(5)]
    seen: list[str] = []
    address = path(live, "activity")
    for _ in range(3):
        page = browser.get(address).text
        seen += [row.reference for row in rows if row.reference in page]
        if 'rel="next"' in page:
            address = page.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    assert sorted(seen) == sorted(row.reference for row in rows)


def test_an_attempt_explains_itself(
    browser: FlaskClient,
    make: Factory,
    acme: Programme,
    attempt: Callable[..., SignInAttempt],
    live: Integration,
    path: Callable[..., str],
) -> None:
    user = make.user(acme)
    row = attempt(
        live,
        accepted=False,
        reason="protocol:audience",
        user_id=user.id,
        checks=[
            {"code": "audience", "ok": False, "expected": "ours", "got": "theirs", "fixer": "identity_provider"},
            {"code": "gone-since", "ok": True, "expected": "", "got": "", "fixer": "us"},
        ],
        fields=[
            {"field": "email", "looked_for": "mail", "raw": [], "value": None, "state": "missing", "code": "missing"},
            {"field": "last_name", "looked_for": None, "raw": [], "value": None, "state": "unmapped", "code": ""},
        ],
        arrived=["email"],
    )
    page = browser.get(path(live, f"attempts/{row.reference}")).text
    for part in (
        "Refused because",
        "theirs",
        "Identity provider",
        "“mail” did not arrive",
        row.reference,
        str(user.id),
    ):
        assert part in page


@pytest.mark.parametrize("reference", ["ABCD-EFGH", "x", "💥💥💥💥💥💥💥💥"])
def test_an_unknown_attempt_is_not_there(
    browser: FlaskClient, live: Integration, path: Callable[..., str], reference: str
) -> None:
    assert browser.get(path(live, f"attempts/{reference}")).status_code == 404


def test_tools_show_certificates_addresses_and_deep_links(
    browser: FlaskClient, live: Integration, path: Callable[..., str]
) -> None:
    page = browser.get(path(live, "tools")).text
    assert "Valid until " in page
    assert f"/sso/{live.public_id}/login?next=/p/acme/details" in page
    assert "Download our metadata" in page
