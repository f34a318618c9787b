"""Queries and bulk requests as clients send them."""

import json
from typing import Any

import pytest

from rgapp.integrations.scim.bridge import standard_bulk, standard_query
from rgapp.integrations.scim.bridge_values import as_text
from tests.integrations.scim.quirks import FOLDER, MODELS

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
QUERIES = json.loads((FOLDER / "queries" / "queries.json").read_text())


@pytest.mark.parametrize("case", QUERIES, ids=lambda case: case["reason"])
def test_a_query_is_read_as_it_was_meant(case: dict[str, Any]) -> None:
    """The file says how."""
    meant = standard_query([MODELS[kind] for kind in case.get("types", ["User"])], case["query"])
    assert meant == case["meant"]
    assert standard_query([MODELS["User"]], meant) == meant


def test_a_search_in_a_body_is_a_query() -> None:
    """Other members and lists stay (RFC 7644, section 3.4.3)."""
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "attributes": ["id"], "Count": 10}
    assert standard_query([MODELS["User"]], body) == {
        "schemas": body["schemas"],
        "attributes": ["id"],
        "count": 10,
    }


def test_a_very_long_filter_is_left_to_the_library() -> None:
    """It is read once, by the library alone."""
    text = " or ".join(['manager eq "x"'] * 200)
    assert standard_query([MODELS["User"]], {"filter": text}) == {"filter": text}


def test_each_operation_of_a_bulk_request_is_bridged() -> None:
    """By its method and the endpoint in its path; the rest stays."""
    operations = [
        {"method": "POST", "path": "/Users", "bulkId": "1", "data": {"userName": 5}},
        {"method": "patch", "path": "/users/7", "data": {"Operations": [{"op": "Add", "path": "roles", "value": "x"}]}},
        {"method": "DELETE", "path": "/Users/7"},
        {"method": "POST", "path": "/Devices", "data": {"userName": 5}},
        "nonsense",
    ]
    meant = standard_bulk({"/Users": MODELS["User"]}, {"failOnErrors": 1, "Operations": operations})
    assert meant == {
        "failOnErrors": 1,
        "Operations": [
            {"method": "POST", "path": "/Users", "bulkId": "1", "data": {"userName": "5"}},
            {
                "method": "patch",
                "path": "/users/7",
                "data": {"Operations": [{"op": "Add", "path": "roles", "value": [{"value": "x"}]}]},
            },
            *operations[2:],
        ],
    }


@pytest.mark.parametrize(
    ("value", "text"),
    [(5, "5"), (5.0, "5"), (5.5, "5.5"), (True, None), (float("inf"), None), (2**5000, None), (None, None)],
)
def test_numbers_become_texts(value: Any, text: str | None) -> None:
    """Booleans do not, and neither does what is no number in JSON."""
    assert as_text(value) == text


@pytest.mark.parametrize("body", [None, ["x"], {"Operations": "x"}, {}])
def test_what_is_no_bulk_request_stays(body: Any) -> None:
    """For the library to refuse it."""
    assert standard_bulk({"/Users": MODELS["User"]}, body) == body
