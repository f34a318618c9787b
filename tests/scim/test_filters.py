"""Filters in SQL: they mean what scim2_models' evaluator means, use their indexes, and stay small."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scim2_models import InvalidFilterException, SearchRequest
from sqlalchemy import Select
from sqlalchemy.orm import Session

from rgapp.integrations.scim.schemas import ENTERPRISE, PERSON, SCIMUserModel
from rgapp.scim.filters import LONGEST_FILTER, MOST_TERMS, check_length, condition_of
from rgapp.scim.reading import USER
from rgapp.scim.search import Search
from rgapp.scim.storage import SQLStorage

PEOPLE: list[dict[str, Any]] = [
    {
        "userName": "alice",
        "externalId": "E1",
        "displayName": "Alice",
        "title": "Boss",
        "name": {"givenName": "Alice", "familyName": "Liddell"},
        "emails": [
            {"value": "alice@home.example", "type": "home"},
            {"value": "alice@work.example", "type": "work", "primary": True},
        ],
        "roles": [{"value": "admin", "primary": False}, {"value": "", "display": "nothing"}],
        ENTERPRISE: {"employeeNumber": "100", "manager": {"value": "E2", "$ref": "https://x.example/Users/2"}},
        PERSON: {"dateOfBirth": "1990-04-03"},
    },
    {"userName": "Bob", "externalId": "e1", "active": False, "emails": [{"value": "bob@work.example", "type": "work"}]},
    {"userName": "carol", "externalId": "E3", "title": "", "name": {"familyName": "smith"}, PERSON: {}},
    {"userName": "dave_%", "externalId": "E4", "title": "50% off", "emails": [{"display": "Dave", "primary": True}]},
    {"userName": "ÉLODIE", "externalId": "É5", "title": "straße", "phoneNumbers": [{"value": "tel:1", "type": "work"}]},
    {"userName": "e\u0301lodie 2", "externalId": "E\u0301 6", "title": "\U0001f600 \ud7ff \U0010ffff"},
]
TEXTS = ["userName", "title", "externalId", "name.familyName", "emails.type", "emails.value", "roles.value", "schemas"]
TEXTS += [
    f"{ENTERPRISE}:employeeNumber",
    f"{ENTERPRISE}:manager.value",
    f"{PERSON}:dateOfBirth",
    "roles",
    "displayName",
]
BOOLEANS = ["active", "emails.primary", "roles.primary"]
COMPLEX = ["name", "addresses", f"{ENTERPRISE}:manager", "meta"]
OPERATORS = ["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"]
VALUES = ['"a"', '"alice"', '"ALICE"', '"e1"', '"E1"', '""', '"work"', '"%"', '"_"', '"é"', '"É"', '"ß"', '"z"', "null"]
VALUES += ['"\U0001f600"', '"\U0010ffff"', '"100"', '"bob@work.example"', '"alice@home.example"', '"admin"']


def terms(attributes: list[str], operators: list[str], values: list[str]) -> st.SearchStrategy[str]:
    """Return comparisons of these attributes."""
    parts = st.tuples(*map(st.sampled_from, (attributes, operators, values)))
    return parts.map(" ".join)


def combined(term: st.SearchStrategy[str], most: int) -> st.SearchStrategy[str]:
    """Return terms under `and`, `or` and `not`."""

    def with_more(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        pair = st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(" ".join).map("({})".format)
        return pair | inner.map("not ({})".format)

    return st.recursive(term, with_more, max_leaves=most)


present = st.sampled_from([*TEXTS, *BOOLEANS, *COMPLEX, "emails", "id", "meta.created", "groups"]).map("{} pr".format)
inside = st.one_of(
    terms(["type", "display"], OPERATORS, VALUES),
    terms(["primary"], ["eq", "ne"], ["true", "false", "null"]),
    st.sampled_from(["value pr", "type pr", "primary pr", 'value co "work"', "nothing pr", 'value eq "a"']),
)
brackets = st.tuples(st.sampled_from(["emails", "roles", "phoneNumbers", "schemas"]), combined(inside, 3))
filters = combined(
    st.one_of(
        terms(TEXTS, OPERATORS, VALUES),
        terms(BOOLEANS, ["eq", "ne"], ["true", "false", "null"]),
        terms(COMPLEX, OPERATORS, ["null", '"a"']),
        present,
        brackets.map("{0[0]}[{0[1]}]".format),
    ),
    5,
)


def plan_of(session: Session, query: Select[Any]) -> list[str]:
    """Return the conditions that an index answers in a query, one a line."""
    dialect = session.get_bind().dialect
    words = "EXPLAIN QUERY PLAN " if dialect.name == "sqlite" else "EXPLAIN "
    bound = query.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
    rows = session.connection().exec_driver_sql(words + str(bound)).all()
    return [line for line in (str(row[-1]) for row in rows) if "SEARCH" in line or "Index Cond" in line]


@pytest.fixture
def filled(storage: SQLStorage) -> SQLStorage:
    """Return the storage with people who differ in case, in what is missing, and in odd letters."""
    resource_type = storage.provider.resource_types[0]
    for person in PEOPLE:
        storage.create(resource_type, SCIMUserModel.model_validate(person))
    return storage


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(filters)
def test_a_filter_finds_what_the_evaluator_finds(filled: SQLStorage, scim_filter: str) -> None:
    resource_type = filled.provider.resource_types[0]
    try:
        request = SearchRequest[SCIMUserModel](filter=scim_filter)  # type: ignore[valid-type]
    except ValueError:
        return
    everybody = filled.search([resource_type], SearchRequest[SCIMUserModel]()).resources  # type: ignore[valid-type]
    expected = {person.user_name for person in everybody if request.filter.match(person)}
    page = filled.search([resource_type], request)
    assert {person.user_name for person in page.resources} == expected
    assert page.total == len(expected)


@pytest.mark.parametrize("scim_filter", ['userName eq "ALICE"', 'externalId eq "E1"', 'userName sw "al"'])
def test_what_clients_ask_for_is_answered_by_an_index(session: Session, crowd: SQLStorage, scim_filter: str) -> None:
    request = SearchRequest[SCIMUserModel](filter=scim_filter)  # type: ignore[valid-type]
    column = "external_id" if "externalId" in scim_filter else "user_name_key"
    plan = plan_of(session, Search(session, crowd.scope, {USER: SCIMUserModel}, request).filtered)
    assert any("integration_id" in line and column in line for line in plan), plan


def test_too_many_comparisons_are_refused() -> None:
    with pytest.raises(InvalidFilterException):
        condition_of(" or ".join(["title pr"] * (MOST_TERMS + 1)), SCIMUserModel, USER, "sqlite")


def test_a_filter_that_is_too_long_is_refused_before_it_is_read() -> None:
    with pytest.raises(InvalidFilterException):
        check_length(f'title eq "{"x" * LONGEST_FILTER}"')


@pytest.mark.parametrize(
    "scim_filter",
    ['password eq "x"', 'meta.location eq "x"', 'groups.$ref eq "x"', 'title eq "\\u0000"', 'title co "\\ud800"'],
)
def test_what_cannot_be_compared_is_refused(scim_filter: str) -> None:
    with pytest.raises(InvalidFilterException):
        condition_of(scim_filter, SCIMUserModel, USER, "sqlite")


def test_a_time_without_its_zone_is_before_and_after_nothing(filled: SQLStorage) -> None:
    resource_type = filled.provider.resource_types[0]
    request = SearchRequest[SCIMUserModel](filter='meta.created gt "2000-01-01T00:00:00"')  # type: ignore[valid-type]
    assert filled.search([resource_type], request).total == 0


@pytest.mark.parametrize("sort_by", [None, "userName", "id"])
def test_a_page_far_in_begins_where_an_index_says(session: Session, crowd: SQLStorage, sort_by: str | None) -> None:
    request = SearchRequest[SCIMUserModel](cursor="", count=10, sort_by=sort_by)  # type: ignore[valid-type]
    search = Search(session, crowd.scope, {USER: SCIMUserModel}, request)
    found = search.by_cursor(None, 10)
    assert found.next is not None
    beyond = search.order.beyond(found.next.value, found.next.identifier)
    plan = plan_of(session, search.filtered.where(beyond).order_by(*search.order.terms()).limit(11))
    column = "user_name_key" if sort_by == "userName" else "user_id"
    assert any("programme_id" in line and column in line for line in plan), plan
