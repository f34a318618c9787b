"""Activity: health in HR's words, filters, search, alerts, and the page of one request."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy.orm import Session

from rgapp import paging
from rgapp.audit.service import COMMAND_LINE
from rgapp.clock import utcnow
from rgapp.extensions import db
from rgapp.integrations.scim import tokens
from rgapp.models import Alert, Integration, Programme, SCIMRequest
from rgapp.models.base import new_id
from tests.dashboard.scim.conftest import REFUSED, field
from tests.factories import Factory

OVERVIEW = "/manager/acme/integrations"


@pytest.fixture
def alert(session: Session, live: Integration) -> Alert:
    """Return an alert that nobody has settled."""
    facts = {"removals": 42, "people": 5, "percent": 10, "integration": "Entra"}
    row = Alert(
        programme_id=live.programme_id,
        id=new_id(),
        kind="unusual_leavers",
        integration_id=live.id,
        raised_at=utcnow(),
        facts=facts,
    )
    session.add(row)
    session.flush()
    return row


def issue(session: Session, integration: Integration, *, days_left: int) -> None:
    tokens.issue(session, integration, actor=COMMAND_LINE, now=utcnow() - timedelta(days=365 - days_left, hours=-1))


@pytest.mark.parametrize(
    ("stored", "line"),
    [
        ([], "No requests yet."),
        ([(0, True)], "1 request this week"),
        ([(0, True), (1, True), (1, False)], "2 requests this week, 1 refused"),
        ([(9, True)], "Silent for 9 days"),
        ([(0, False)] * 4 + [(0, True)], "4 of 5 requests this week were refused."),
    ],
)
def test_health_is_said_in_words(
    browser: FlaskClient,
    logged: Callable[..., SCIMRequest],
    live: Integration,
    stored: list[tuple[int, bool]],
    line: str,
) -> None:
    logged(live, utcnow(), listening=True)
    for days, accepted in stored:
        logged(live, utcnow() - timedelta(days=days), **({} if accepted else REFUSED))
    assert line in browser.get(OVERVIEW).text


@pytest.mark.parametrize(
    ("days_left", "sentence"),
    [
        (100, ""),
        (12, "The bearer token expires in 12 days."),
        (0, "The bearer token expires today."),
        (-1, "The bearer token has expired: every request is refused."),
    ],
)
def test_the_end_of_the_last_token_is_a_concern(
    browser: FlaskClient, session: Session, live: Integration, days_left: int, sentence: str
) -> None:
    issue(session, live, days_left=days_left)
    page = browser.get(OVERVIEW).text
    assert ("Needs attention" in page) is bool(sentence)
    assert sentence in page


def test_without_a_token_nobody_connects(browser: FlaskClient, live: Integration) -> None:
    assert "No bearer token is live." in browser.get(OVERVIEW).text


def test_a_second_token_that_lasts_is_enough(browser: FlaskClient, session: Session, live: Integration) -> None:
    issue(session, live, days_left=3)
    issue(session, live, days_left=300)
    assert "Needs attention" not in browser.get(OVERVIEW).text


def test_an_alert_is_shown_until_somebody_settles_it(
    browser: FlaskClient, support: FlaskClient, live: Integration, alert: Alert, path: Callable[..., str]
) -> None:
    sentence = "42 people were taken out within 24 hours"
    assert sentence in browser.get(OVERVIEW).text
    assert "Settle the alert" in browser.get(path(live)).text
    assert "Settle the alert" not in support.get(path(live)).text
    browser.post(path(live, f"alerts/{alert.id}/settle"))
    assert alert.settled_by == "Alex Admin"
    assert sentence not in browser.get(OVERVIEW).text
    again = browser.post(path(live, f"alerts/{alert.id}/settle"), follow_redirects=True)
    assert "Somebody has settled this already." in again.text


def test_the_number_of_queries_does_not_grow_with_integrations(
    browser: FlaskClient, make: Factory, acme: Programme, scim_settings: dict[str, Any]
) -> None:
    counts = []
    for number in (1, 4):
        for index in range(number):
            name = f"Entra {number}.{index}"
            made = make.integration(acme, scim_settings, name=name, kind="scim", provider="entra-scim")
            issue(make.session, made, days_left=3)
        make.session.commit()
        seen: list[str] = []

        def note(_: Any, __: Any, statement: str, *___: Any, into: list[str] = seen) -> None:
            into.append(statement)

        event.listen(db.engine, "before_cursor_execute", note)
        browser.get(OVERVIEW)
        event.remove(db.engine, "before_cursor_execute", note)
        counts.append(len(seen))
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"good", "bad", "gone"}),
        ("show=good", {"good", "gone", "asked"}),
        ("show=refused", {"bad"}),
        ("show=left", {"gone"}),
        ("show=listening", {"heard"}),
        ("show=all", {"good", "bad", "gone", "asked"}),
        ("show=changes", {"good", "bad", "gone"}),
        ("show=nonsense", {"good", "bad", "gone"}),
        ("q=carter", {"good"}),
        ("q=E2002", {"bad"}),
        ("q=john@ACME.example", {"bad"}),
        ("q=john@", {"bad"}),
        ("q=filter", {"asked"}),
        ("q=/Users?filter", {"asked"}),
        ("q=nobody", set()),
        ("q=%25", set()),
        ("after=rubbish", {"good", "bad", "gone"}),
    ],
)
def test_filters_and_search(
    browser: FlaskClient,
    logged: Callable[..., SCIMRequest],
    live: Integration,
    path: Callable[..., str],
    query: str,
    found: set[str],
) -> None:
    john = {"person": "John Doe (E2002)", "membership_no": "E2002", "email_key": "john@acme.example"}
    ann = {"person": "Ann Lee (E3)", "membership_no": "E3", "email_key": "ann@acme.example"}
    nobody: dict[str, Any] = {"person": None, "membership_no": None, "email_key": None, "fields": []}
    rows = {
        "good": logged(live),
        "bad": logged(live, **REFUSED | john),
        "gone": logged(live, outcome="deactivated", method="PATCH", **ann),
        "heard": logged(live, listening=True),
        "asked": logged(live, method="GET", path="/Users?filter=id+pr", status=200, outcome="read", **nobody),
    }
    page = browser.get(path(live, f"activity?{query}")).text
    assert {name for name, row in rows.items() if str(row.id) in page} == found


def test_pages_follow_one_another(
    browser: FlaskClient,
    logged: Callable[..., SCIMRequest],
    live: Integration,
    path: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(paging.fetch.__kwdefaults__, "size", 2)
    moment = utcnow()
    rows = [logged(live, moment) for _ in range(5)]
    seen: list[str] = []
    address = path(live, "activity")
    for _ in range(3):
        page = browser.get(address).text
        seen += [str(row.id) for row in rows if str(row.id) in page]
        if 'rel="next"' in page:
            address = page.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    assert sorted(seen) == sorted(str(row.id) for row in rows)


def test_a_refused_request_explains_itself(
    browser: FlaskClient,
    make: Factory,
    acme: Programme,
    logged: Callable[..., SCIMRequest],
    live: Integration,
    path: Callable[..., str],
) -> None:
    user = make.user(acme)
    row = logged(live, **REFUSED | {"user_id": user.id, "method": "PATCH", "path": f"/Users/{user.id}"})
    page = browser.get(path(live, f"requests/{row.id}")).text
    for part in (
        "Refused because the e-mail address belongs to another Membership No.",
        "HR checks which of the two people the address belongs to",
        "The client was told: “The address belongs to another Membership No.”",
        f"PATCH /Users/{user.id}",
        "409 uniqueness",
        "Ending in ab12",
        f'<a href="/users/acme/{user.id}">',
    ):
        assert part in page


def test_the_text_for_it_names_nobody(
    browser: FlaskClient, logged: Callable[..., SCIMRequest], live: Integration, path: Callable[..., str]
) -> None:
    row = logged(live, **REFUSED | {"path": "/Users?filter=userName+eq+%22jane.carter%22"})
    page = browser.get(path(live, f"requests/{row.id}")).text
    text = page.split('<pre tabindex="0">')[1].split("</pre>")[0]
    assert "externalId" in text
    assert "jane" not in text.casefold()
    assert "E1001" not in text


def test_a_good_request_says_what_changed(
    browser: FlaskClient, logged: Callable[..., SCIMRequest], live: Integration, path: Callable[..., str]
) -> None:
    changes = [{"field": "last_name", "before": "Carter", "after": "Miller"}]
    fields = [field("membership_no", "E1001", "externalId"), field("last_name", None, "name.familyName")]
    row = logged(live, outcome="updated", status=200, changes=changes, fields=fields)
    page = browser.get(path(live, f"requests/{row.id}")).text
    assert "<del>Carter</del>" in page
    assert "<ins>Miller</ins>" in page
    assert "“name.familyName” did not arrive." in page


def test_a_request_of_another_integration_is_not_there(
    browser: FlaskClient,
    logged: Callable[..., SCIMRequest],
    draft: Integration,
    make: Factory,
    acme: Programme,
    path: Callable[..., str],
) -> None:
    other = make.integration(acme, draft.draft, name="Other", published=False, kind="scim", provider="scim")
    row = logged(other)
    assert browser.get(path(draft, f"requests/{row.id}")).status_code == 404
    assert browser.get(path(draft, f"requests/{new_id()}")).status_code == 404


@pytest.mark.parametrize("query", ["q=%ED%A0%80", "q=%F4%8F%BF%BF@", "after=W10", "before=W10"])
def test_a_search_that_makes_no_sense_finds_nothing(
    browser: FlaskClient,
    logged: Callable[..., SCIMRequest],
    live: Integration,
    path: Callable[..., str],
    query: str,
) -> None:
    logged(live)
    assert browser.get(path(live, f"activity?{query}")).status_code == 200


@pytest.mark.parametrize("label", ["💥", "<b>x</b>"])
def test_a_label_is_shown_as_it_is_or_refused(
    browser: FlaskClient, live: Integration, path: Callable[..., str], label: str
) -> None:
    answer = browser.post(path(live, "scim/tokens"), data={"label": label, "lifetime": "90"}, follow_redirects=True)
    assert answer.status_code == 200
    assert "<b>x</b>" not in browser.get(path(live, "tools")).text
