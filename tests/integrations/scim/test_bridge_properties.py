"""The bridge against anything: it raises nothing, finds nothing on a second look, and leaves standard SCIM alone."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rgapp.integrations.scim.bridge import standard_body, standard_bulk, standard_query
from rgapp.integrations.scim.schemas import POLICY
from tests.integrations.scim.quirks import MODELS, Refused, apply

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"

PATHS = [
    "userName", "title", "active", "name", "name.givenName", "emails", "emails.value", 'emails[type eq "work"].value',
    'emails[type eq "work"]', "emails[", "manager", "members", 'members[value eq "a"]', "schemas", "id", "meta", "",
    ENTERPRISE, f"{ENTERPRISE}:manager", f"{ENTERPRISE}:manager.value", f"{ENTERPRISE}.department", f"{USER}:title",
    "addresses", "profileUrl", "roles", 'emails.type eq "work"', "urn:x:y:2.0:User:tag", "groups", "displayName",
]  # fmt: skip
NAMES = st.sampled_from(
    [
        *PATHS, "schemas", "Operations", "operations", "op", "Op", "path", "value", "Value", "$ref", "type", "display",
        "method", "data", "filter", "Filter", "count", "sortBy", "sortOrder", "primary", "externalId",
    ]
)  # fmt: skip
SIMPLE = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=6)
    | st.sampled_from(["add", "Replace", "remove", USER, GROUP.lower(), PATCH_OP, "a", "False", "work", *PATHS])
)
JSON = st.recursive(
    SIMPLE,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=4), inner, max_size=5),
    max_leaves=25,
)
OPERATIONS = st.lists(
    st.fixed_dictionaries(
        {"op": st.sampled_from(["add", "Add", "replace", "Replace", "remove", "Remove", "move"])},
        optional={"path": st.sampled_from(PATHS) | JSON, "value": JSON, "Value": JSON},
    )
    | JSON,
    max_size=4,
)
ANY_BODY = JSON | st.fixed_dictionaries({"schemas": st.just([PATCH_OP]) | JSON, "Operations": OPERATIONS})
METHODS = st.sampled_from(["POST", "PUT", "PATCH"])
KINDS = st.sampled_from(["User", "Group"])


@given(METHODS, KINDS, ANY_BODY, st.none() | st.dictionaries(NAMES, JSON, max_size=4))
@settings(deadline=None, max_examples=400)
def test_any_body_is_bridged_once(method: str, kind: str, body: Any, current: dict[str, Any] | None) -> None:
    """No error, and nothing more to do on a second look."""
    once = standard_body(method, MODELS[kind], body, current)
    assert standard_body(method, MODELS[kind], once, current) == once


@given(KINDS, OPERATIONS)
@settings(deadline=None)
def test_no_operation_gets_lost(kind: str, operations: list[Any]) -> None:
    """There are at least as many afterwards; one that is no operation stays as it is."""
    bridged = standard_body("PATCH", MODELS[kind], {"Operations": operations})["Operations"]
    assert len(bridged) >= len(operations)
    assert all(operation in bridged for operation in operations if not isinstance(operation, dict))


@given(JSON | st.fixed_dictionaries({"Operations": st.lists(st.dictionaries(NAMES, JSON, max_size=4), max_size=3)}))
@settings(deadline=None)
def test_any_bulk_request_is_bridged_once(body: Any) -> None:
    """No error, and nothing more to do on a second look."""
    models = {"/Users": MODELS["User"], "/Groups": MODELS["Group"]}
    once = standard_bulk(models, body)
    assert standard_bulk(models, once) == once


@given(st.dictionaries(NAMES, SIMPLE | JSON, max_size=5) | st.fixed_dictionaries({"filter": st.text(max_size=30)}))
@settings(deadline=None)
def test_any_query_is_bridged_once(query: dict[str, Any]) -> None:
    """No error, and nothing more to do on a second look."""
    once = standard_query([MODELS["User"]], query)
    assert standard_query([MODELS["User"]], once) == once


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8)
TYPES = st.sampled_from(["work", "home", "other"])
EMAILS = st.lists(st.fixed_dictionaries({"value": TEXT, "type": TYPES}), max_size=3)
MEMBERS = st.lists(st.fixed_dictionaries({"value": st.sampled_from("abc")}), max_size=3)
EXTENSION = st.fixed_dictionaries(
    {}, optional={"department": TEXT, "employeeNumber": TEXT, "manager": st.fixed_dictionaries({"value": TEXT})}
)
ATTRIBUTES = {
    "title": TEXT,
    "externalId": TEXT,
    "active": st.booleans(),
    "name": st.fixed_dictionaries({}, optional={"givenName": TEXT, "familyName": TEXT}),
    "emails": EMAILS,
    ENTERPRISE: EXTENSION,
}
USERS = st.fixed_dictionaries({"schemas": st.just([USER]), "userName": TEXT}, optional=ATTRIBUTES)
GROUPS = st.fixed_dictionaries({"schemas": st.just([GROUP]), "displayName": TEXT}, optional={"members": MEMBERS})


def writes(path: str | None, value: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return adds and replaces at a path."""
    known = {"op": st.sampled_from(["add", "replace"]), "value": value}
    return st.fixed_dictionaries(known if path is None else known | {"path": st.just(path)})


STANDARD_OPERATIONS = {
    "User": st.one_of(
        *(writes(path, value) for path, value in ATTRIBUTES.items()),
        writes("name.givenName", TEXT),
        writes(f"{ENTERPRISE}:department", TEXT),
        writes(f"{ENTERPRISE}:manager", st.fixed_dictionaries({"value": TEXT})),
        writes(f"{ENTERPRISE}:manager.value", TEXT),
        writes('emails[type eq "work"].value', TEXT),
        writes('emails[type eq "work"]', st.fixed_dictionaries({"value": TEXT})),
        writes(None, st.fixed_dictionaries({}, optional=ATTRIBUTES | {"name.givenName": TEXT})),
        st.sampled_from(["title", "emails", "name.givenName", ENTERPRISE, 'emails[type eq "work"]', "userName"]).map(
            lambda path: {"op": "remove", "path": path}
        ),
    ),
    "Group": st.one_of(
        writes("members", MEMBERS),
        writes("displayName", TEXT),
        writes(None, st.fixed_dictionaries({}, optional={"displayName": TEXT, "members": MEMBERS})),
        st.sampled_from(["members", 'members[value eq "a"]', "displayName"]).map(
            lambda path: {"op": "remove", "path": path}
        ),
    ),
}


def outcome(method: str, kind: str, body: Any, current: dict[str, Any] | None) -> Any:
    """Return the resource after a request, or that it is refused, and why."""
    try:
        return apply(method, MODELS[kind], body, current, POLICY)
    except Refused as refusal:
        return str(refusal)


@given(USERS, USERS)
@settings(deadline=None)
def test_a_standard_user_means_the_same(body: dict[str, Any], current: dict[str, Any]) -> None:
    """Created, or put in the place of another."""
    assert outcome("POST", "User", standard_body("POST", MODELS["User"], body), None) == outcome(
        "POST", "User", body, None
    )
    assert outcome("PUT", "User", standard_body("PUT", MODELS["User"], body), current) == outcome(
        "PUT", "User", body, current
    )


@given(USERS, st.lists(STANDARD_OPERATIONS["User"], min_size=1, max_size=4))
@settings(deadline=None, max_examples=200)
def test_a_standard_patch_of_a_user_means_the_same(current: dict[str, Any], operations: list[Any]) -> None:
    """The resource afterwards is the same, and so is a refusal."""
    body = {"schemas": [PATCH_OP], "Operations": operations}
    bridged = standard_body("PATCH", MODELS["User"], body, current)
    assert outcome("PATCH", "User", bridged, current) == outcome("PATCH", "User", body, current)


@given(GROUPS, st.lists(STANDARD_OPERATIONS["Group"], min_size=1, max_size=4))
@settings(deadline=None)
def test_a_standard_patch_of_a_group_means_the_same(current: dict[str, Any], operations: list[Any]) -> None:
    """The resource afterwards is the same, and so is a refusal."""
    body = {"schemas": [PATCH_OP], "Operations": operations}
    bridged = standard_body("PATCH", MODELS["Group"], body, current)
    assert outcome("PATCH", "Group", bridged, current) == outcome("PATCH", "Group", body, current)
