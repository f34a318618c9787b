"""The list of users: search, filters, counts, order and pages."""

import re
from base64 import urlsafe_b64encode
from datetime import timedelta
from itertools import product
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from rgapp import paging
from rgapp.models import Role, User, UserStatus
from rgapp.provisioning import Source
from rgapp.users import kinds, listing, queries, search
from rgapp.users.queries import Listing
from rgapp.users.scope import MOST_PROGRAMMES, Scope, UserFilter
from tests.factories import Factory
from tests.staff_client import browser_of, counted_queries
from tests.users.attempts import add_attempt
from tests.users.conftest import Platform, member

PEOPLE = [
    {"membership_no": "E1001", "first_name": "Jane", "last_name": "Carter", "email": "jane.carter@acme.example"},
    {"membership_no": "0042", "first_name": "Jan", "last_name": "van der Berg", "email": "jan@acme.example"},
    {"membership_no": "E1003", "first_name": "Émilie", "last_name": "Dupont-Carter", "email": "emilie@acme.example"},
    {"membership_no": "x%_1", "first_name": "Żaneta", "last_name": "Österberg", "email": "zaneta@acme.example"},
]


@pytest.fixture
def people(make: Factory, platform: Platform) -> None:
    """Add four people to Acme, and one with the same name to the other programme."""
    for person in PEOPLE:
        make.user(platform.acme, **person)
    make.user(
        platform.other, membership_no="E1001", first_name="Jane", last_name="Elsewhere", email="jane@other.example"
    )


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("jane", {"E1001"}),
        ("JANE", {"E1001"}),
        ("jan", {"E1001", "0042"}),
        ("carter", {"E1001"}),
        ("jane carter", {"E1001"}),
        ("carter jane", {"E1001"}),
        ("jane dupont", set()),
        ("émilie", {"E1003"}),
        ("E\u0301milie", {"E1003"}),
        ("emilie carter", {"E1003"}),
        ("van der berg", {"0042"}),
        ("jan berg", {"0042"}),
        ("jan van der berg", {"0042"}),
        ("jane.carter@acme.example", {"E1001"}),
        ("Jane.Carter@", {"E1001"}),
        ("e1001", {"E1001"}),
        ("e100", {"E1001", "E1003"}),
        ("0042", {"0042"}),
        ("42", set()),
        ("%", set()),
        ("_", set()),
        ("x%_", {"x%_1"}),
        ("öst", {"x%_1"}),
        ("' or 1=1 --", set()),
        ("\x00", {"E1001", "0042", "E1003", "x%_1"}),
    ],
)
@pytest.mark.usefixtures("people")
def test_the_search_finds_beginnings_of_names_addresses_and_numbers(
    session: Session, platform: Platform, search: str, found: set[str]
) -> None:
    page = Listing(session, Scope((platform.acme.id,)), UserFilter(search=search)).page()
    assert {user.membership_no for user in page.rows} == found


@pytest.mark.usefixtures("people")
def test_the_search_goes_over_all_programmes_for_support_and_over_their_own_for_admins(
    support: FlaskClient, admin: FlaskClient, stranger: FlaskClient
) -> None:
    assert names_in(support.get("/users/?q=jane").text) == ["Jane Carter", "Jane Elsewhere"]
    assert names_in(admin.get("/users/?q=jane").text) == ["Jane Carter"]
    assert names_in(stranger.get("/users/?q=jane").text) == ["Jane Elsewhere"]


def test_chips_count_what_they_would_show(admin: FlaskClient, make: Factory, platform: Platform) -> None:
    make.user(platform.acme, first_name="Jane", last_name="Active")
    make.user(platform.acme, first_name="Jane", last_name="Gap", date_of_birth="")
    gone = make.user(platform.acme, first_name="Jane", last_name="Gone")
    gone.status = UserStatus.LEAVER
    make.user(platform.acme, first_name="Robin", last_name="Other")
    assert chips_in(admin.get("/users/").text) == {"Active": 3, "Leavers": 1, "By hand": 4, "Incomplete details": 1}
    assert chips_in(admin.get("/users/?q=jane").text) == {
        "Active": 2,
        "Leavers": 1,
        "By hand": 3,
        "Incomplete details": 1,
    }
    page = admin.get("/users/?q=jane&status=leaver").text
    assert names_in(page) == ["Jane Gone"]
    assert chips_in(page) == {"Active": 2, "Leavers": 1, "By hand": 1, "Incomplete details": 0}
    assert names_in(admin.get("/users/?incomplete=1").text) == ["Jane Gap"]
    assert names_in(admin.get("/users/?source=inbound-saml").text) == []


def test_a_count_beyond_what_is_counted_has_a_plus(
    admin: FlaskClient, make: Factory, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (kinds, listing):
        monkeypatch.setattr(module, "MOST_COUNTED", 2)
    for _ in range(3):
        make.user(platform.acme)
    page = admin.get("/users/").text
    assert '>Active <span class="count">2+</span>' in page
    assert '<p class="tabular">2+ people</p>' in page


def test_a_search_that_looks_at_some_only_says_so(
    admin: FlaskClient, make: Factory, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "MOST_FOUND", 2)
    for _ in range(3):
        make.user(platform.acme, first_name="Jane")
    page = admin.get("/users/?q=jane").text
    assert len(names_in(page)) == 2
    assert "More people begin like this than a search looks at" in page
    assert '>Active <span class="count">2+</span>' in page
    assert "More people begin like this" not in admin.get("/users/?q=zzz").text


def test_a_whole_name_is_found_among_more_people_than_a_search_looks_at(
    session: Session, make: Factory, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "MOST_FOUND", 2)
    monkeypatch.setattr(search, "MOST_READ", 2)
    for first in ("Ann", "Bea", "Cleo", "Jane"):
        make.user(platform.acme, first_name=first, last_name="Smith")
    found = Listing(session, Scope((platform.acme.id,)), UserFilter(search="smith jan"))
    assert [user.first_name for user in found.page().rows] == ["Jane"]
    nobody = Listing(session, Scope((platform.acme.id,)), UserFilter(search="smith zzz"))
    assert nobody.page().rows == []
    assert nobody.facets().partial


def test_a_search_pages_forwards_and_backwards_in_every_order(
    session: Session, make: Factory, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "PAGE_SIZE", 1)
    for number, last in enumerate("BAC"):
        user = make.user(platform.acme, first_name="Jane", last_name=last, email=f"jane{number}@acme.example")
        user.last_sign_in_at = None if last == "A" else make.now + timedelta(days=number)
    session.flush()
    for sort, order in (("name", "ABC"), ("-name", "CBA"), ("number", "BAC"), ("seen", "ABC"), ("-seen", "CBA")):
        found = Listing(session, Scope((platform.acme.id,)), UserFilter(search="jane"))
        pages = [found.page(sort)]
        while pages[-1].next_cursor:
            pages.append(found.page(sort, after=pages[-1].next_cursor))
        assert "".join(user.last_name for page in pages for user in page.rows) == order, sort
        back = found.page(sort, before=pages[-1].prev_cursor)
        assert [user.last_name for user in back.rows] == [order[1]], sort


def test_a_long_list_is_sorted_only_by_what_an_index_has(
    admin: FlaskClient, make: Factory, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "MOST_SORTED", 1)
    make.user(platform.acme, first_name="Ann", last_name="B", email="z@acme.example")
    make.user(platform.acme, first_name="Cy", last_name="D", email="a@acme.example", date_of_birth="")
    page = admin.get("/users/?sort=email").text
    assert names_in(page) == ["Ann B", "Cy D"]
    assert "sort=-number" in admin.get("/users/?sort=number").text
    assert "sort=email" not in page
    assert "sort=email" in admin.get("/users/?sort=email&incomplete=1").text


def test_the_programme_is_a_filter_for_those_who_see_several(
    support: FlaskClient, make: Factory, platform: Platform
) -> None:
    make.user(platform.acme, last_name="Here")
    make.user(platform.other, last_name="There")
    assert names_in(support.get("/users/").text) == ["Robin Here", "Robin There"]
    page = support.get("/users/?programme=other").text
    assert names_in(page) == ["Robin There"]
    assert chips_in(page)["Acme Rewards"] == 1


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        ("name", ["Ann B", "Zoe B", "Bob C", "Cy D"]),
        ("-name", ["Cy D", "Bob C", "Zoe B", "Ann B"]),
        ("number", ["Cy D", "Bob C", "Ann B", "Zoe B"]),
        ("-number", ["Zoe B", "Ann B", "Bob C", "Cy D"]),
        ("email", ["Cy D", "Zoe B", "Bob C", "Ann B"]),
        ("-email", ["Ann B", "Bob C", "Zoe B", "Cy D"]),
        ("nonsense", ["Ann B", "Zoe B", "Bob C", "Cy D"]),
    ],
)
def test_every_order_pages_forwards_and_backwards_without_loss(
    session: Session, make: Factory, platform: Platform, monkeypatch: pytest.MonkeyPatch, sort: str, names: list[str]
) -> None:
    people = (("Ann", "B", "3", "z"), ("Zoe", "B", "4", "w"), ("Bob", "C", "2", "x"), ("Cy", "D", "1", "v"))
    for first, last, number, email in people:
        make.user(platform.acme, first_name=first, last_name=last, membership_no=number, email=f"{email}@acme.example")
    cy = session.query(queries.User).filter_by(first_name="Cy").one()
    cy.email = cy.email_key = None
    session.flush()
    keys = queries.SORTS.get(sort, queries.SORTS["name"])
    wanted = queries._all(Scope((platform.acme.id,)), UserFilter())
    seen, after, pages = [], None, []
    for _ in range(4):
        page = queries.fetch(session, wanted, keys, after=after, size=1)
        pages.append(page)
        seen += [user.display_name for user in page.rows]
        after = page.next_cursor
    assert seen == names
    assert after is None
    back = queries.fetch(session, wanted, keys, before=pages[-1].prev_cursor, size=2)
    assert [user.display_name for user in back.rows] == names[1:3]
    assert back.prev_cursor is not None
    assert back.next_cursor is not None


@pytest.mark.parametrize("most", [0, 3, 6, 100], ids="{} sorted at most".format)
@pytest.mark.parametrize("sort", ["name", "-name"])
def test_a_filtered_list_is_the_same_however_its_people_are_found(
    session: Session, make: Factory, platform: Platform, monkeypatch: pytest.MonkeyPatch, sort: str, most: int
) -> None:
    monkeypatch.setattr(paging, "PAGE_SIZE", 2)
    for number in range(24):
        user = make.user(
            platform.acme if number % 3 else platform.other,
            first_name=f"F{number % 5}",
            last_name=f"L{number % 4}",
            date_of_birth="" if number % 4 == 0 else "1990-04-03",
        )
        user.status = UserStatus.LEAVER if number % 2 else UserStatus.ACTIVE
        user.source = Source.SCIM if number % 5 == 0 else Source.SAML
    session.commit()
    scope = Scope((platform.acme.id, platform.other.id))
    everybody = session.scalars(select(User)).all()
    monkeypatch.setattr(queries, "MOST_SORTED", most)
    for status, source, incomplete in product((None, *UserStatus), (None, Source.SCIM, Source.SAML), (False, True)):
        wanted = UserFilter(status=status, source=source, incomplete=incomplete)
        fitting = [user for user in everybody if kinds.passes(user, wanted)]
        fitting.sort(key=lambda user: (user.last_key, user.first_key, user.id), reverse=sort == "-name")
        listing = Listing(session, scope, wanted)
        pages = [listing.page(sort)]
        while pages[-1].next_cursor:
            pages.append(listing.page(sort, after=pages[-1].next_cursor))
        assert [user.id for page in pages for user in page.rows] == [user.id for user in fitting], wanted
        if len(pages) > 1:
            assert listing.page(sort, before=pages[-1].prev_cursor).rows == pages[-2].rows


HALF_A_CHARACTER = urlsafe_b64encode(f'["\\ud800","b","{UUID(int=1)}"]'.encode()).decode()
BEFORE_ALL_TIME = urlsafe_b64encode(f'["0001-01-01T00:00:00+23:59","{UUID(int=1)}"]'.encode()).decode()
SENSELESS = ["", "x", "W10", "bnVsbA", "WzEsMiwzXQ", "A" * 5000, "WyJhIiwiYiIsImMiXQ", "é"]


@pytest.mark.parametrize("cursor", [*SENSELESS, HALF_A_CHARACTER, BEFORE_ALL_TIME])
def test_a_cursor_that_makes_no_sense_is_the_first_page(
    admin: FlaskClient, make: Factory, platform: Platform, cursor: str
) -> None:
    make.user(platform.acme)
    for name, sort in product(("after", "before"), ("name", "seen")):
        answer = admin.get("/users/", query_string={name: cursor, "sort": sort})
        assert answer.status_code == 200
        assert names_in(answer.text) == ["Robin Field"]


def test_a_page_costs_the_same_number_of_queries_for_5_and_for_50_people(
    admin: FlaskClient, make: Factory, platform: Platform
) -> None:
    counts = []
    for more in (5, 45):
        for _ in range(more):
            make.user(platform.acme)
        admin.get("/users/")
        with counted_queries() as queries_run:
            admin.get("/users/?sort=number")
        counts.append(len(queries_run))
    assert counts[0] == counts[1]
    assert counts[1] <= 9


def test_empty_lists_say_what_to_do(admin: FlaskClient, make: Factory, platform: Platform) -> None:
    assert "Nobody has an account yet" in admin.get("/users/").text
    make.user(platform.acme)
    page = admin.get("/users/?q=zzz").text
    assert "Nobody fits" in page
    assert "Show everybody" in page


def test_with_very_many_programmes_a_search_or_a_programme_comes_first(
    support: FlaskClient, make: Factory, platform: Platform
) -> None:
    make.user(platform.acme, last_name="Carter")
    for _ in range(MOST_PROGRAMMES):
        make.programme()
    page = support.get("/users/").text
    assert "Search, or choose a programme" in page
    assert names_in(support.get("/users/?q=carter").text) == ["Robin Carter"]
    assert names_in(support.get("/users/?programme=acme").text) == ["Robin Carter"]
    assert support.get("/users/export.csv").status_code == 302


def test_a_reference_code_in_the_search_leads_to_the_sign_in(
    support: FlaskClient, stranger: FlaskClient, make: Factory, session: Session, platform: Platform
) -> None:
    integration = make.integration(platform.acme, {}, published=False)
    add_attempt(session, integration, reference="K7QD-2MXW", reason="no_account")
    address = f"/manager/acme/integrations/{integration.id}/attempts/K7QD-2MXW"
    assert address in support.get("/users/?q=k7qd2mxw").text
    assert "K7QD-2MXW" not in stranger.get("/users/?q=k7qd2mxw").text


def test_what_people_are_called_is_escaped(admin: FlaskClient, make: Factory, platform: Platform) -> None:
    make.user(platform.acme, membership_no="<script>alert(1)</script>")
    page = admin.get("/users/?q=<script>").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_support_sees_no_button_to_add_a_person(support: FlaskClient, admin: FlaskClient) -> None:
    assert "Add a person" not in support.get("/users/").text
    assert "Add a person" in admin.get("/users/").text


def test_an_admin_without_a_programme_is_told_so(app: Flask, make: Factory) -> None:
    nobody = browser_of(app, member(make, Role.ADMIN, "Nora Nobody"))
    assert nobody.get("/users/").status_code == 200
    assert "No programme yet" in nobody.get("/manager/", follow_redirects=True).text


def test_sources_are_named_after_their_integration(
    admin: FlaskClient, make: Factory, session: Session, platform: Platform
) -> None:
    user = make.user(platform.acme)
    user.source, user.source_integration_id = Source.SAML, make.integration(platform.acme, {}, published=False).id
    session.flush()
    assert '<span class="nowrap">Okta</span>' in admin.get("/users/").text


def names_in(page: str) -> list[str]:
    """Return the names in the table."""
    return re.findall(r'<a class="row-link" href="/users/[^"]+">([^<]+)</a>', page)


def chips_in(page: str) -> dict[str, int]:
    """Return the filter chips with their counts."""
    found = re.findall(r'class="filter"[^>]*>([^<]+?) <span class="count">([\d,]+)</span>', page)
    return {label: int(count) for label, count in found}
