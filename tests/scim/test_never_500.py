"""Whatever is sent: the service answers in SCIM's own JSON, and never with an error of its own."""

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.scim.conftest import SCIMClient, jane

MANY = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
NAMES = ["schemas", "userName", "externalId", "active", "name", "emails", "members", "groups", "meta", "id", "title"]
NAMES += ["givenName", "value", "type", "primary", "Operations", "op", "path", "manager", "displayName", "$ref"]
NAMES += ["password", "x509Certificates", "method", "data", "bulkId", "filter", "count", "sortBy", "roles"]
NAMES += ["profileUrl", ENTERPRISE]
SCHEMAS = [USER, ENTERPRISE, "urn:ietf:params:scim:api:messages:2.0:PatchOp", "urn:x"]
SCHEMAS += ["urn:ietf:params:scim:api:messages:2.0:BulkRequest", "urn:ietf:params:scim:api:messages:2.0:SearchRequest"]
PATHS = ["title", "emails", 'emails[type eq "work"].value', "name.givenName", "active", "members", "", "groups", "id"]
PATHS += [f"{ENTERPRISE}:manager", f"{ENTERPRISE}:manager.value", 'members[value eq "x"]', "meta.created"]
PATHS += [USER, ENTERPRISE]
WORDS = ["a@b.example", "true", "False", "E1", "work"]

texts = st.one_of(st.sampled_from([*SCHEMAS, *PATHS, *WORDS]), st.text(max_size=20))
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts)
names = st.sampled_from(NAMES) | st.text(max_size=10)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=5), max_leaves=12
)
operations = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "replace", "remove", "Add", "Replace", "Remove"]) | texts},
    optional={"path": st.sampled_from(PATHS) | texts, "value": values},
)


def sent(scim: SCIMClient, method: str, path: str, body: Any = None, **options: Any) -> None:
    """Send a request; the answer has to be SCIM's, and not a failure of ours."""
    raw = None if body is None else json.dumps(body, ensure_ascii=True).encode()
    answer = scim(method, path, raw=raw, **options)
    assert answer.status_code < 500 or answer.status_code == 501, (method, path, body, answer.text)
    if answer.data:
        assert answer.content_type == "application/scim+json"
        json.loads(answer.data)


@MANY
@given(st.sampled_from(["/Users", "/Groups", "/Bulk", "/.search", "/Users/.search", "/Me"]), values)
def test_any_json_is_answered(scim: SCIMClient, path: str, body: Any) -> None:
    sent(scim, "POST", path, body)


@MANY
@given(st.dictionaries(names, values, max_size=4))
def test_a_user_with_anything_in_it_is_answered(scim: SCIMClient, extra: dict[str, Any]) -> None:
    sent(scim, "POST", "/Users", jane() | extra)
    sent(scim, "POST", "/Groups", {"displayName": "x"} | extra)


@MANY
@given(st.lists(operations, max_size=3), st.dictionaries(names, values, max_size=3))
def test_any_change_is_answered(scim: SCIMClient, changes: list[dict[str, Any]], extra: dict[str, Any]) -> None:
    found = scim.find('externalId eq "E1001"') or [scim("POST", "/Users", jane()).json]
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": changes}
    path = f"/Users/{found[0].get('id', 'x')}"
    sent(scim, "PATCH", path, body)
    sent(scim, "PUT", path, jane() | extra)
    sent(scim, "GET", path)
    bulk = {"method": "PATCH", "path": path, "data": body}
    sent(scim, "POST", "/Bulk", {"schemas": [SCHEMAS[4]], "Operations": [bulk, {**bulk, **extra}]})


@MANY
@given(
    st.sampled_from(["/Users", "/Groups", "/", "/Schemas"]),
    st.dictionaries(
        st.sampled_from(["filter", "sortBy", "sortOrder", "startIndex", "count", "cursor", "attributes", "Filter"]),
        texts | st.integers().map(str),
        max_size=4,
    ),
)
def test_any_query_is_answered(scim: SCIMClient, path: str, query: dict[str, str]) -> None:
    sent(scim, "GET", path, query_string={name: value.encode("utf-8", "replace") for name, value in query.items()})


@MANY
@given(st.sampled_from(["GET", "PUT", "PATCH", "DELETE", "POST"]), st.text(max_size=30))
def test_any_address_is_answered(scim: SCIMClient, method: str, path: str) -> None:
    sent(scim, method, "/" + path.encode("utf-8", "replace").decode().replace("?", "").replace("#", ""), {})
