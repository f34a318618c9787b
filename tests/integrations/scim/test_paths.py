"""Attribute paths of a mapping: which texts are one, and what they lead to."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rgapp.integrations.scim.paths import MAX_NAMES, MAX_PATH, attribute_names, parse, values_of

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PERSON = "urn:rgapp:params:scim:schemas:extension:person:2.0:User"

RESOURCE = {
    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
    "id": "0199",
    "externalId": "007",
    "userName": "ada@acme.example",
    "password": "secret",
    "active": True,
    "name": {"givenName": "Ada", "familyName": "Lovelace", "honorifics": []},
    "nickNames": ["Ada", 7, None, {}],
    "emails": [
        {"value": "ada@home.example", "type": "home"},
        {"value": "ada@acme.example", "type": "Work", "primary": True},
        {"value": "ada@diary.example", "type": "Mother's"},
        {"type": "other"},
        "ada@plain.example",
    ],
    "groups": [{"value": "staff"}],
    "meta": {"version": "1"},
    ENTERPRISE: {"employeeNumber": 1042, "costCenter": 7.5, "rate": 3.0, "manager": {"value": "26118915"}},
    PERSON: {"dateOfBirth": "1815-12-10", "two words": "x", "password": "x"},
    "not a name": "x",
    "urn:not:an:object": "x",
}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
NAMES = st.sampled_from(
    ["userName", "USERNAME", "emails", "Emails", "value", "Value", "type", "primary", "name", ENTERPRISE, "manager"]
)
RESOURCES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["work", "true"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.text(max_size=8), inner, max_size=5),
    max_leaves=30,
)


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("externalId", ["007"]),
        ("  externalid ", ["007"]),
        ("urn:ietf:params:scim:schemas:core:2.0:USER:userName", ["ada@acme.example"]),
        ("active", ["true"]),
        ("name.givenName", ["Ada"]),
        ("NAME.FAMILYNAME", ["Lovelace"]),
        ("name", []),
        ("name.honorifics", []),
        ("userName.value", ["ada@acme.example"]),
        ("userName.display", []),
        ("nickNames", ["Ada", "7"]),
        ("emails[primary eq true].value", ["ada@acme.example"]),
        ('emails[primary eq "True"].value', ["ada@acme.example"]),
        ('emails[type eq "work"].value', ["ada@acme.example"]),
        ('emails[ type EQ "HOME" ]', ["ada@home.example"]),
        ('emails[type eq "work" and primary eq true].value', ["ada@acme.example"]),
        ('emails[type eq "home" AND primary eq true].value', []),
        ('emails[type eq "a and b"].value', []),
        ("emails.value", ["ada@home.example", "ada@acme.example", "ada@diary.example", "ada@plain.example"]),
        ("emails", ["ada@home.example", "ada@acme.example", "ada@diary.example", "ada@plain.example"]),
        (f"{ENTERPRISE}:employeeNumber", ["1042"]),
        (f"{ENTERPRISE.upper()}:EMPLOYEENUMBER", ["1042"]),
        (f"{ENTERPRISE}:costCenter", ["7.5"]),
        (f"{ENTERPRISE}:rate", ["3"]),
        (f"{ENTERPRISE}:rate[value eq 3]", []),
        (f"{ENTERPRISE}:manager", ["26118915"]),
        (f"{ENTERPRISE}:manager.value", ["26118915"]),
        (f"{PERSON}:dateOfBirth", ["1815-12-10"]),
        ("urn:acme:other:1.0:User:badge", []),
        ("urn:not:an:object:badge", []),
        ("phoneNumbers.value", []),
    ],
)
def test_a_path_leads_to_its_values(path: str, values: list[str]) -> None:
    """As texts, in the resource's order; nothing there is an empty list."""
    assert values_of(RESOURCE, path) == values
    assert values_of(RESOURCE, parse(path)) == values


@pytest.mark.parametrize(
    ("emails", "values"),
    [
        ([{"value": "a@acme.example"}], ["a@acme.example"]),
        ([{"value": "a@acme.example", "primary": False}], ["a@acme.example"]),
        ([{"value": "a@acme.example"}, {"value": "b@acme.example"}], []),
        ([{"value": "a@acme.example"}, {"value": "b@acme.example", "primary": True}], ["b@acme.example"]),
        ([], []),
        (["a@acme.example"], ["a@acme.example"]),
        ({"value": "a@acme.example"}, ["a@acme.example"]),
    ],
)
def test_a_single_value_is_the_primary_one(emails: object, values: list[str]) -> None:
    """`primary` may be left out (RFC 7643, section 2.4); of several unmarked ones none is chosen."""
    assert values_of({"emails": emails}, "emails[primary eq true].value") == values


def test_a_single_value_of_another_type_is_not_meant() -> None:
    """Only `primary` may be left out; a wanted type has to be there."""
    assert values_of({"emails": [{"value": "a@acme.example", "type": "home"}]}, 'emails[type eq "work"].value') == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Enter the name"),
        ("  ", "Enter the name"),
        ("two words", "is not a SCIM attribute"),
        ("name.given.name", "is not a SCIM attribute"),
        ("1name", "is not a SCIM attribute"),
        ("emails[0].value", "in brackets"),
        ("emails[].value", "in brackets"),
        ("emails[primary].value", "in brackets"),
        ("emails[type eq work].value", "in brackets"),
        ('emails[type co "work"].value', "in brackets"),
        ('emails[type eq "work" or type eq "home"].value', "in brackets"),
        ("emails[type eq", "is not a SCIM attribute"),
        ("https://acme.example/user:name", "is not a SCIM attribute"),
        (ENTERPRISE, "names a schema"),
        ("password", "password"),
        ("x" * (MAX_PATH + 1), "longer"),
    ],
)
def test_what_is_no_path_is_refused_with_a_sentence(text: str, words: str) -> None:
    """The sentence is for the person who typed it."""
    with pytest.raises(ValueError, match=words) as refusal:
        parse(text)
    assert str(refusal.value).endswith(".")


@given(st.text(max_size=40) | st.from_regex(r'[a-z]{1,3}\[[a-z]+ eq ("[^"]*"|true|1)\](\.[a-z]+)?', fullmatch=True))
def test_any_text_is_a_path_or_refused(text: str) -> None:
    """There is no other error, and a path reads as itself again."""
    try:
        path = parse(text)
    except ValueError:
        return
    assert parse(path.text) == path


@given(JSON | RESOURCES, st.sampled_from(["userName", "emails[primary eq true].value", f"{ENTERPRISE}:manager.value"]))
def test_any_resource_can_be_looked_up(value: object, path: str) -> None:
    """Whatever a client sent: a list of texts, and no error."""
    resource = value if isinstance(value, dict) else {"userName": value, "emails": value, ENTERPRISE: value}
    assert all(isinstance(found, str) for found in values_of(resource, path))


def test_the_paths_of_a_resource_are_named() -> None:
    """What says nothing about the person is left out, and so are labels that the client made up."""
    assert attribute_names(RESOURCE) == [
        "externalId",
        "userName",
        "active",
        "name.givenName",
        "name.familyName",
        "nickNames",
        'emails[type eq "home"].value',
        "emails.value",
        "emails[primary eq true].value",
        'emails[type eq "work"].value',
        "emails",
        f"{ENTERPRISE}:employeeNumber",
        f"{ENTERPRISE}:costCenter",
        f"{ENTERPRISE}:rate",
        f"{ENTERPRISE}:manager.value",
        f"{PERSON}:dateOfBirth",
    ]


def test_a_huge_resource_gives_a_bounded_list() -> None:
    """A suggestion list is for people."""
    assert len(attribute_names({f"attribute{number}": "x" for number in range(1000)})) == MAX_NAMES
    assert len(attribute_names({"urn:a:b": {f"attribute{number}": "x" for number in range(1000)}})) == MAX_NAMES


@given(RESOURCES)
def test_every_named_path_has_a_value(value: object) -> None:
    """What is offered can be mapped, and gives something."""
    resource = value if isinstance(value, dict) else {"emails": value}
    for name in attribute_names(resource):
        assert values_of(resource, name), json.dumps(resource)
