"""What clients really send becomes standard SCIM; what is standard stays as it is."""

import copy
import json
from typing import Any

import pytest

from rgapp.integrations.scim.bridge import standard_body
from rgapp.integrations.scim.schemas import POLICY
from tests.integrations.scim.quirks import MODELS, Quirk, Refused, apply, quirks

QUIRKS = quirks()
each = pytest.mark.parametrize("quirk", QUIRKS, ids=lambda quirk: quirk.name)


def outcome(quirk: Quirk, body: Any, *, policy: Any = None) -> Any:
    """Return the resource after a request, or the scimType of the refusal."""
    try:
        return apply(quirk.method, quirk.model, body, quirk.current, policy)
    except Refused as refusal:
        return str(refusal)


@each
def test_a_quirk_comes_to_what_its_file_says(quirk: Quirk) -> None:
    """The resource afterwards, or the refusal."""
    body = standard_body(quirk.method, quirk.model, quirk.request, quirk.current)
    assert outcome(quirk, body, policy=POLICY) == (quirk.after if quirk.refused is None else quirk.refused)


@each
def test_a_quirk_needs_its_bridge(quirk: Quirk) -> None:
    """The file says what the library does alone; once it reads the request by itself, the bridge can go."""
    alone = outcome(quirk, quirk.request)
    found = "refuses" if isinstance(alone, str) else "reads" if alone == quirk.after else "misreads"
    assert found == quirk.alone


@each
def test_a_quirk_is_bridged_once(quirk: Quirk) -> None:
    """What the bridge made is standard, and the request itself is not touched."""
    before = copy.deepcopy(quirk.request)
    once = standard_body(quirk.method, quirk.model, quirk.request, quirk.current)
    assert quirk.request == before
    assert standard_body(quirk.method, quirk.model, once, quirk.current) == once
    assert json.loads(json.dumps(once)) == once


def test_every_quirk_has_a_reason() -> None:
    """One line in each file says which client does it and why it is there."""
    assert QUIRKS
    assert all(quirk.client and quirk.reason.endswith(".") for quirk in QUIRKS)


ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "replace", "path": "schemas", "value": ["urn:a:b", 5]},
        {"op": "replace", "path": 'emails.type eq "work"', "value": "a@acme.example"},
        {"op": "replace", "path": "emails[", "value": "a@acme.example"},
        {"op": "replace", "path": f"{ENTERPRISE}:manager.colour", "value": 5},
        {"op": "replace", "path": "emails.type.value", "value": 5},
        {"op": "replace", "path": ["title"], "value": 5},
        {"op": "replace", "path": "t" * 5000, "value": 5},
        {"op": "replace", "path": "title"},
        {"op": "replace", "path": "addresses", "value": ["Room 3"]},
        {"op": "remove", "path": "addresses", "value": [{"type": "work"}]},
        {"op": "remove", "path": "emails.value", "value": ["a@acme.example"]},
        {"op": "remove", "path": 'emails[type eq "work"]', "value": [{"value": "a@acme.example"}]},
        {"op": "remove", "path": "emails", "value": [{"value": ""}]},
        {"op": "remove", "value": {"title": "x"}},
        {"op": "add", "path": ENTERPRISE, "value": "x"},
        {"op": "add", "value": {ENTERPRISE: "x"}},
        {"op": "add", "value": {"manager": {"value": "a"}, f"{ENTERPRISE}:manager": {"value": "b"}}},
        {"op": "add", "value": ["x"]},
        {"op": "replace", "value": {"meta": {"version": "x"}, "schemas": []}},
        {"op": "move", "path": "roles", "value": "x"},
        {"op": ["add"], "path": "roles", "value": "x"},
        {"op": "add", "OP": "remove", "path": "roles", "value": "x"},
        {"path": "roles", "value": "x"},
        "nonsense",
    ],
)
def test_what_is_not_understood_stays(operation: Any) -> None:
    """For the library to refuse it, or to read it by the standard."""
    body = {"Operations": [operation]}
    assert standard_body("PATCH", MODELS["User"], body, {}) == body


def test_one_attribute_named_twice_stays_twice() -> None:
    """Otherwise one of the two would get lost."""
    value = {"Manager": {"value": "a"}, "manager": {"value": "b"}}
    [meant] = standard_body("PATCH", MODELS["User"], {"Operations": [{"op": "add", "value": value}]})["Operations"]
    assert len(meant["value"]) == 2


def test_an_extension_is_read_by_its_attributes() -> None:
    """At its URN as a path, and under its URN in an object without a path."""
    operations = [
        {"op": "add", "path": ENTERPRISE, "value": {"employeeNumber": 7}},
        {"op": "add", "value": {ENTERPRISE: {"manager": "a"}}},
    ]
    assert standard_body("PATCH", MODELS["User"], {"Operations": operations})["Operations"] == [
        {"op": "add", "path": ENTERPRISE, "value": {"employeeNumber": "7"}},
        {"op": "add", "value": {ENTERPRISE: {"manager": {"value": "a"}}}},
    ]


def test_an_address_without_a_filter_is_made_once() -> None:
    """What an operation before it wrote is there; what is not known to be absent may be there."""
    write = {"op": "replace", "path": "emails.value", "value": "a@acme.example"}
    body = {"Operations": [write, write]}
    made = {"op": "add", "path": "emails", "value": [{"value": "a@acme.example"}]}
    assert standard_body("PATCH", MODELS["User"], body, {"emails": []})["Operations"] == [made, write]
    assert standard_body("PATCH", MODELS["User"], body, None) == body


@pytest.mark.parametrize("body", [None, [], "x", 5, {"Operations": {"op": "add"}}, {"schemas": 5}])
def test_what_is_no_request_stays(body: Any) -> None:
    """For the library to refuse it."""
    for method in ("POST", "PUT", "PATCH"):
        assert standard_body(method, MODELS["User"], body) == body
