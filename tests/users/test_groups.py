"""The list of users, narrowed to a group that a SCIM client pushed."""

import uuid
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from rgapp import paging
from rgapp.integrations.registry import kind_of
from rgapp.models import Integration, Programme, SCIMGroup, SCIMGroupMember, User, UserStatus
from rgapp.models.base import new_id
from rgapp.users import groups, listing, queries
from rgapp.users.queries import Listing
from rgapp.users.scope import Scope, UserFilter
from tests.factories import Factory
from tests.staff_client import browser_of, counted_queries
from tests.users.conftest import Platform


@pytest.fixture
def entra(make: Factory, platform: Platform) -> Integration:
    """Return a SCIM integration of Acme."""
    draft = kind_of("scim").new_draft("scim", platform.acme)
    return make.integration(platform.acme, draft, name="Entra", kind="scim", provider="entra-scim")


@pytest.fixture
def group(session: Session, entra: Integration) -> Callable[..., SCIMGroup]:
    """Return a function that makes a group with some members."""

    def made(name: str, members: Sequence[User] = ()) -> SCIMGroup:
        row = SCIMGroup(
            programme_id=entra.programme_id,
            id=new_id(),
            integration_id=entra.id,
            display_name=name,
            display_key=name.casefold(),
            resource={},
            search={},
            created_at=entra.created_at,
            updated_at=entra.created_at,
        )
        session.add(row)
        session.flush()
        session.add_all(
            SCIMGroupMember(programme_id=row.programme_id, group_id=row.id, user_id=user.id) for user in members
        )
        session.flush()
        return row

    return made


@pytest.fixture
def people(make: Factory, platform: Platform) -> dict[str, User]:
    """Return three people of Acme by their first name; Lea has left."""
    found = {
        name: make.user(platform.acme, membership_no=name, first_name=name, last_name="Carter", date_of_birth=day)
        for name, day in (("Ann", "1990-04-03"), ("Bob", ""), ("Lea", "1990-04-03"))
    }
    from rgapp import provisioning
    from rgapp.audit.service import COMMAND_LINE

    provisioning.deactivate(make.session, found["Lea"], COMMAND_LINE, now=make.now)
    return found


def names_in(page: str) -> set[str]:
    return {name for name in ("Ann", "Bob", "Lea") if f">{name} Carter</a>" in page}


def test_groups_are_chips_with_their_size(
    admin: FlaskClient, people: dict[str, User], group: Callable[..., SCIMGroup]
) -> None:
    group("Warehouse", [people["Ann"], people["Bob"]])
    group("Empty")
    page = admin.get("/users/").text
    assert 'Warehouse <span class="count">2</span>' in page
    assert 'Empty <span class="count">0</span>' in page


def test_without_groups_there_is_no_such_filter(admin: FlaskClient, people: dict[str, User]) -> None:
    assert ">Group<" not in admin.get("/users/").text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"Bob", "Lea"}),
        ("&status=leaver", {"Lea"}),
        ("&status=active", {"Bob"}),
        ("&incomplete=1", {"Bob"}),
        ("&q=carter", {"Bob", "Lea"}),
        ("&q=ann", set()),
        ("&q=bob&status=leaver", set()),
        ("&sort=-number", {"Bob", "Lea"}),
    ],
)
@pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
def test_a_group_narrows_the_list_beside_every_other_filter(
    admin: FlaskClient,
    people: dict[str, User],
    group: Callable[..., SCIMGroup],
    monkeypatch: pytest.MonkeyPatch,
    large: bool,
    query: str,
    found: set[str],
) -> None:
    """A large group is looked up while an index of the users is walked; nobody sees the difference."""
    if large:
        monkeypatch.setattr(groups, "MOST_READ", 1)
    row = group("Warehouse", [people["Bob"], people["Lea"]])
    page = admin.get(f"/users/?group={row.id}{query}").text
    assert names_in(page) == found
    assert f'group={row.id}"' in page or found == set()


@pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
def test_pages_of_a_group_follow_one_another(
    session: Session,
    make: Factory,
    platform: Platform,
    group: Callable[..., SCIMGroup],
    monkeypatch: pytest.MonkeyPatch,
    large: bool,
) -> None:
    if large:
        monkeypatch.setattr(groups, "MOST_READ", 1)
    inside = [make.user(platform.acme, first_name="Ann", last_name=f"A{number:03}") for number in range(60)]
    for number in range(60):
        make.user(platform.acme, first_name="Out", last_name=f"A{number:03}")
    row = group("Warehouse", inside)
    listed = Listing(session, Scope((platform.acme.id,)), UserFilter(group=row.id))
    first = listed.page()
    second = listed.page(after=first.next_cursor)
    assert [user.id for user in (*first.rows, *second.rows)] == [user.id for user in inside]
    assert second.next_cursor is None
    assert listed.facets().total == 60


@pytest.mark.parametrize("sort", ["name", "-name", "number", "-number"])
@pytest.mark.parametrize("wanted", [{}, {"status": UserStatus.LEAVER}, {"incomplete": True}], ids=repr)
@pytest.mark.parametrize("most_sorted", [0, 5_000])
def test_a_large_group_has_the_pages_of_a_small_one(
    session: Session,
    make: Factory,
    platform: Platform,
    group: Callable[..., SCIMGroup],
    monkeypatch: pytest.MonkeyPatch,
    sort: str,
    wanted: dict[str, Any],
    most_sorted: int,
) -> None:
    monkeypatch.setattr(paging, "PAGE_SIZE", 3)
    monkeypatch.setattr(queries, "MOST_SORTED", most_sorted)
    everybody = []
    for number in range(40):
        born = "" if number % 3 == 0 else "1990-04-03"
        user = make.user(platform.acme, first_name=f"F{number % 5}", last_name=f"L{number % 4}", date_of_birth=born)
        user.status = UserStatus.LEAVER if number % 2 else UserStatus.ACTIVE
        everybody.append(user)
    session.flush()
    row = group("Warehouse", [user for number, user in enumerate(everybody) if number % 5 < 3])

    def pages(most_read: int) -> list[list[uuid.UUID]]:
        monkeypatch.setattr(groups, "MOST_READ", most_read)
        listed = Listing(session, Scope((platform.acme.id,)), UserFilter(group=row.id, **wanted))
        # A small group is in every order there is; a large one by number only where nothing else is asked for.
        shown = sort if sort in sorts else "name"
        found = [listed.page(shown)]
        while found[-1].next_cursor:
            found.append(listed.page(shown, after=found[-1].next_cursor))
        back = found[-1]
        while back.prev_cursor:
            back = listed.page(shown, before=back.prev_cursor)
            found.append(back)
        return [[user.id for user in page.rows] for page in found]

    monkeypatch.setattr(groups, "MOST_READ", 1)
    sorts = Listing(session, Scope((platform.acme.id,)), UserFilter(group=row.id, **wanted)).sorts()
    small = pages(5_000)
    assert pages(1) == small
    assert len(small) > 3


def test_the_export_of_a_group_holds_the_group(
    admin: FlaskClient, people: dict[str, User], group: Callable[..., SCIMGroup]
) -> None:
    row = group("Warehouse", [people["Bob"]])
    text = admin.get(f"/users/export.csv?group={row.id}").text
    assert "Bob" in text
    assert "Ann" not in text


@pytest.mark.parametrize("wanted", ["nonsense", str(uuid.UUID(int=7))])
def test_a_group_that_is_not_there_is_no_filter(admin: FlaskClient, people: dict[str, User], wanted: str) -> None:
    assert names_in(admin.get(f"/users/?group={wanted}").text) == {"Ann", "Bob", "Lea"}


def test_a_group_of_another_programme_is_not_there(
    stranger: FlaskClient, people: dict[str, User], group: Callable[..., SCIMGroup], make: Factory, platform: Platform
) -> None:
    make.user(platform.other, first_name="Ann", last_name="Carter", membership_no="7")
    row = group("Warehouse", [people["Bob"]])
    page = stranger.get(f"/users/?group={row.id}").text
    assert names_in(page) == {"Ann"}
    assert "Warehouse" not in page


def test_groups_are_offered_for_one_programme_at_a_time(
    app: Flask, platform: Platform, people: dict[str, User], group: Callable[..., SCIMGroup]
) -> None:
    row = group("Warehouse", [people["Bob"]])
    support = browser_of(app, platform.support)
    assert "Warehouse" not in support.get("/users/").text
    page = support.get(f"/users/?programme=acme&group={row.id}").text
    assert "Warehouse" in page
    assert names_in(page) == {"Bob"}


def test_many_groups_are_a_list_to_choose_from(
    admin: FlaskClient, people: dict[str, User], group: Callable[..., SCIMGroup]
) -> None:
    rows = [group(f"Team {number}", [people["Ann"]]) for number in range(listing.MOST_CHIPS + 1)]
    page = admin.get(f"/users/?group={rows[3].id}&status=active").text
    assert f'<option value="{rows[3].id}" selected>Team 3 (1)</option>' in page
    assert '<input type="hidden" name="status" value="active">' in page


def test_a_size_is_counted_as_far_as_it_matters(
    admin: FlaskClient, people: dict[str, User], group: Callable[..., SCIMGroup], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groups, "MOST_MEMBERS_COUNTED", 1)
    group("Warehouse", list(people.values()))
    assert 'Warehouse <span class="count">1+</span>' in admin.get("/users/").text


def test_the_number_of_queries_does_not_grow_with_groups(
    admin: FlaskClient, people: dict[str, User], group: Callable[..., SCIMGroup]
) -> None:
    counts = []
    for number in (1, 5):
        for index in range(number):
            group(f"Team {number}.{index}", list(people.values()))
        with counted_queries() as statements:
            admin.get("/users/")
        counts.append(len(statements))
    assert counts[0] == counts[1]


def test_a_group_needs_its_programme(session: Session, platform: Platform) -> None:
    both: tuple[Programme, ...] = (platform.acme, platform.other)
    with pytest.raises(ValueError, match="one programme"):
        Listing(session, Scope(tuple(one.id for one in both)), UserFilter(group=uuid.UUID(int=7)))
