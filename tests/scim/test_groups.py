"""Groups: kept as clients push them, with users of the integration as their members."""

import json
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from rgapp.integrations.scim import bridge_members
from rgapp.models import SCIMGroupMember, SCIMRequest
from rgapp.scim import cost, groups
from rgapp.scim.storage import SQLStorage
from rgapp.wording_scim import request_sentence
from tests.scim.conftest import SCIMClient, jane
from tests.scim.test_protocol import BULK, NOBODY, patch, refused

ENTRA_PRIVATE = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"


@pytest.fixture
def people(scim: SCIMClient) -> list[str]:
    """Return the ids of three users."""
    made = []
    for number in range(3):
        emails = [{"value": f"user{number}@acme.example", "primary": True}]
        made.append(scim("POST", "/Users", jane(userName=f"user{number}", externalId=f"E{number}", emails=emails)).json)
    return [each["id"] for each in made]


@pytest.fixture
def group(scim: SCIMClient, people: list[str]) -> dict[str, Any]:
    """Return a group with the first two users."""
    members = [{"value": each} for each in people[:2]]
    answer = scim(
        "POST", "/Groups", {"schemas": [GROUP], "displayName": "Sales", "externalId": "g1", "members": members}
    )
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json
    return made


def members_of(scim: SCIMClient, group: dict[str, Any]) -> set[str]:
    """Return who is in a group now."""
    return {each["value"] for each in scim("GET", f"/Groups/{group['id']}").json.get("members", [])}


def test_a_group_shows_its_members_and_a_user_its_groups(
    scim: SCIMClient, group: dict[str, Any], people: list[str]
) -> None:
    base = f"http://127.0.0.1:8000{scim.base}"
    assert group["members"] == [
        {"value": each, "$ref": f"{base}/Users/{each}", "type": "User"} for each in sorted(people[:2])
    ]
    shown = scim("GET", f"/Users/{people[0]}").json["groups"]
    assert shown == [
        {"value": group["id"], "$ref": f"{base}/Groups/{group['id']}", "display": "Sales", "type": "direct"}
    ]
    assert [each["id"] for each in scim.find(f'groups.value eq "{group["id"]}"')] == sorted(people[:2])
    assert [each["id"] for each in scim.find('groups[display eq "SALES"]')] == sorted(people[:2])
    assert [each["id"] for each in scim.find(f'members.value eq "{people[0]}"', "/Groups")] == [group["id"]]


@pytest.mark.parametrize(
    ("operation", "left"),
    [
        ({"op": "add", "path": "members", "value": ["{2}"]}, {0, 1, 2}),
        ({"op": "Add", "path": "members", "value": ["{0}"]}, {0, 1}),
        ({"op": "remove", "path": 'members[value eq "{0}"]'}, {1}),
        ({"op": "Remove", "path": "members", "value": ["{0}", "{1}"]}, set()),
        ({"op": "remove", "path": "members"}, set()),
        ({"op": "replace", "path": "members", "value": ["{2}"]}, {2}),
        ({"op": "replace", "value": {"members": ["{1}", "{2}"]}}, {1, 2}),
    ],
)
def test_members_come_and_go(
    scim: SCIMClient, group: dict[str, Any], people: list[str], operation: dict[str, Any], left: set[int]
) -> None:
    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: filled(held) for name, held in value.items()}
        if isinstance(value, list):
            return [{"value": each.format(*people)} for each in value]
        return value.format(*people) if "{" in value else value

    answer = scim("PATCH", f"/Groups/{group['id']}", patch(filled(operation)))
    assert answer.status_code in {200, 204}, answer.text
    assert members_of(scim, group) == {people[number] for number in left}


def test_who_is_unknown_cannot_be_a_member(scim: SCIMClient, group: dict[str, Any], people: list[str]) -> None:
    for value in (NOBODY, "x", group["id"]):
        entries = [{"value": people[2]}, {"value": value}]
        body = patch({"op": "add", "path": "members", "value": entries})
        refused(scim("PATCH", f"/Groups/{group['id']}", body), 400, "invalidValue")
        refused(scim("POST", "/Groups", {"displayName": "x", "members": entries}), 400, "invalidValue")
    assert members_of(scim, group) == set(people[:2])


def test_a_group_cannot_be_a_member(scim: SCIMClient, group: dict[str, Any]) -> None:
    entry = {"value": group["id"], "type": "Group"}
    answer = refused(scim("POST", "/Groups", {"displayName": "x", "members": [entry]}), 400, "invalidValue")
    assert "groups in groups" in answer["detail"]
    body = patch({"op": "add", "path": "members", "value": [entry]})
    refused(scim("PATCH", f"/Groups/{group['id']}", body), 400, "invalidValue")


def test_a_change_by_members_moves_the_version_only_where_something_changed(
    scim: SCIMClient, group: dict[str, Any], people: list[str]
) -> None:
    again = scim(
        "PATCH", f"/Groups/{group['id']}", patch({"op": "add", "path": "members", "value": [{"value": people[0]}]})
    )
    assert (again.status_code, again.headers["ETag"]) == (204, group["meta"]["version"])
    headers = {"If-Match": 'W/"99"'}
    more = patch({"op": "add", "path": "members", "value": [{"value": people[2]}]})
    refused(scim("PATCH", f"/Groups/{group['id']}", more, headers=headers), 412)
    changed = scim("PATCH", f"/Groups/{group['id']}", more)
    assert changed.headers["ETag"] == scim("GET", f"/Groups/{group['id']}").headers["ETag"] != group["meta"]["version"]


def test_who_is_deleted_is_in_no_group_and_a_deleted_group_has_nobody(
    scim: SCIMClient, group: dict[str, Any], people: list[str], session: Session
) -> None:
    assert scim("DELETE", f"/Users/{people[0]}").status_code == 204
    assert members_of(scim, group) == {people[1]}
    assert scim("DELETE", f"/Groups/{group['id']}").status_code == 204
    refused(scim("GET", f"/Groups/{group['id']}"), 404)
    assert "groups" not in scim("GET", f"/Users/{people[1]}").json
    assert session.scalars(select(SCIMGroupMember)).all() == []


def test_a_group_comes_without_its_members_where_they_are_not_asked_for(
    scim: SCIMClient, group: dict[str, Any]
) -> None:
    shown = scim("GET", f"/Groups/{group['id']}", query_string={"excludedAttributes": "members"}).json
    assert {"members"} == group.keys() - shown.keys()
    (found,) = scim(
        "GET", "/Groups", query_string={"filter": 'displayName eq "sales"', "attributes": "displayName"}
    ).json["Resources"]
    assert found == {"schemas": [GROUP], "id": group["id"], "displayName": "Sales"}


def test_a_group_with_entras_private_schema_is_taken(scim: SCIMClient) -> None:
    answer = scim("POST", "/Groups", {"schemas": [GROUP, ENTRA_PRIVATE], "displayName": "Entra", "externalId": "8aa1"})
    assert answer.status_code == 201, answer.text


def test_a_page_of_groups_is_refused_where_its_members_are_too_many_and_a_single_group_never(
    scim: SCIMClient, group: dict[str, Any], people: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groups, "MOST_SHOWN", 3)
    more = {"schemas": [GROUP], "displayName": "Support", "members": [{"value": people[0]}]}
    other = scim("POST", "/Groups", more).json
    assert len(scim.find("displayName pr", "/Groups")) == 2
    add = {"op": "add", "path": "members", "value": [{"value": each} for each in people]}
    assert scim("PATCH", f"/Groups/{other['id']}", patch(add)).status_code == 204
    refused(scim("GET", "/Groups"), 400, "tooMany")
    assert len(scim("GET", "/Groups", query_string={"excludedAttributes": "members"}).json["Resources"]) == 2
    assert members_of(scim, other) == set(people)


@pytest.mark.parametrize("way", ["alone", "bulk"])
@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": "members[" + " or ".join(['value sw "z"'] * 20) + "]"},
        {"op": "add", "value": {"members": [{"value": "{0}"}], "displayName": "Sales"}},
        {"op": "replace", "path": 'members[value eq "{0}"].type', "value": "User"},
    ],
    ids=["many terms", "without a path", "inside a member"],
)
def test_changes_that_compare_too_much_are_refused_and_fewer_of_them_are_not(
    scim: SCIMClient,
    group: dict[str, Any],
    people: list[str],
    monkeypatch: pytest.MonkeyPatch,
    operation: dict[str, Any],
    way: str,
) -> None:
    monkeypatch.setattr(cost, "MOST_COMPARISONS", 50)
    one = json.loads(json.dumps(operation).replace("{0}", people[0]))

    def status(times: int) -> str:
        path, body = f"/Groups/{group['id']}", patch(*[one] * times)
        if way == "alone":
            return str(scim("PATCH", path, body).status_code)
        bulk = {"schemas": [BULK], "Operations": [{"method": "PATCH", "path": path, "data": body}]}
        return str(scim("POST", "/Bulk", bulk).json["Operations"][0]["status"])

    assert (status(1), status(10)) == ("200", "400")
    assert members_of(scim, group) == set(people[:2])


def test_plain_changes_of_a_group_are_never_too_much(
    scim: SCIMClient, group: dict[str, Any], people: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cost, "MOST_COMPARISONS", 0)
    monkeypatch.setattr(bridge_members, "LARGE", 1)
    monkeypatch.setattr(bridge_members, "COSTLY", 1)
    join = {"op": "add", "path": "members", "value": [{"value": people[2]}]}
    leave = {"op": "Remove", "path": "members", "value": [{"value": people[0]}]}
    rename = {"op": "replace", "path": "displayName", "value": "Sale"}
    assert scim("PATCH", f"/Groups/{group['id']}", patch(rename, join, leave)).status_code == 200
    assert members_of(scim, group) == set(people[1:])


def test_the_log_names_the_group(scim: SCIMClient, group: dict[str, Any], people: list[str], session: Session) -> None:
    where, more = f"/Groups/{group['id']}", [{"value": people[2]}]
    scim("PATCH", where, patch({"op": "add", "path": "members", "value": more}))
    scim("PATCH", where, patch({"op": "replace", "path": "displayName", "value": "Sales, north"}))
    refused(
        scim("PATCH", where, patch({"op": "add", "path": "members", "value": [{"value": NOBODY}]})), 400, "invalidValue"
    )
    scim("DELETE", where)
    lines = session.scalars(select(SCIMRequest).where(SCIMRequest.path.like("/Groups%")).order_by(SCIMRequest.id)).all()
    assert [(line.person, request_sentence(line).partition(":")[0]) for line in lines] == [
        ("Sales", "Kept the new group Sales."),
        ("Sales", "Changed the group Sales."),
        ("Sales, north", "Changed the group Sales, north."),
        ("Sales, north", "Refused"),
        ("Sales, north", "Deleted the group Sales, north."),
    ]


@pytest.fixture
def without_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing make models of the members of a stored group: it may have thousands."""
    read = SQLStorage.document

    def watched(self: SQLStorage, kind: str, resource_id: str, **how: Any) -> dict[str, Any]:
        assert kind == "User" or not how.get("to_change") or not how.get("members", True)
        return read(self, kind, resource_id, **how)

    monkeypatch.setattr(SQLStorage, "document", watched)


RENAMES = [
    {"op": "replace", "path": "displayName", "value": "Sales, north"},
    {"op": "replace", "value": {"displayName": "Sales, north"}},
    {"op": "replace", "value": {"displayName": "Sales, north", "externalId": "G1"}},
]


@pytest.mark.usefixtures("without_models")
@pytest.mark.parametrize("query", ["", "?excludedAttributes=members"])
@pytest.mark.parametrize("operation", RENAMES)
def test_a_renamed_group_keeps_its_members(
    scim: SCIMClient, group: dict[str, Any], people: list[str], operation: dict[str, Any], query: str
) -> None:
    answer = scim("PATCH", f"/Groups/{group['id']}{query}", patch(operation))
    assert (answer.status_code, answer.json["displayName"]) == (200, "Sales, north")
    assert answer.headers["ETag"] != group["meta"]["version"]
    assert answer.json.get("members") == (None if query else group["members"])
    again = scim("PATCH", f"/Groups/{group['id']}{query}", patch(operation))
    assert (again.status_code, again.json) == (200, answer.json)
    assert members_of(scim, group) == set(people[:2])


@pytest.mark.usefixtures("without_models")
@pytest.mark.parametrize(
    ("operations", "left"),
    [
        ([{"op": "replace", "path": "members", "value": [2]}], {2}),
        ([{"op": "replace", "path": "members", "value": [0, 1]}], {0, 1}),
        ([{"op": "replace", "path": "members", "value": []}], set()),
        ([{"op": "add", "path": "members", "value": [2]}, {"op": "replace", "path": "members", "value": [1]}], {1}),
        ([{"op": "replace", "path": "members", "value": [1]}, {"op": "add", "path": "members", "value": [2]}], {1, 2}),
        ([{"op": "replace", "path": "members", "value": [1]}, {"op": "replace", "path": "members", "value": [2]}], {2}),
    ],
)
def test_all_members_are_replaced_at_once(
    scim: SCIMClient, group: dict[str, Any], people: list[str], operations: list[dict[str, Any]], left: set[int]
) -> None:
    said = [{**each, "value": [{"value": people[number]} for number in each["value"]]} for each in operations]
    answer = scim("PATCH", f"/Groups/{group['id']}", patch(*said))
    assert answer.status_code == 200
    assert {each["value"] for each in answer.json.get("members", [])} == {people[number] for number in left}
    assert (answer.headers["ETag"] == group["meta"]["version"]) is (left == {0, 1})


def test_somebody_unknown_is_refused_although_all_are_replaced_afterwards(
    scim: SCIMClient, group: dict[str, Any], people: list[str]
) -> None:
    operations = (
        {"op": "add", "path": "members", "value": [{"value": NOBODY}]},
        {"op": "replace", "path": "members", "value": [{"value": people[2]}]},
    )
    refused(scim("PATCH", f"/Groups/{group['id']}", patch(*operations)), 400, "invalidValue")
    assert members_of(scim, group) == set(people[:2])


def test_members_that_stand_beside_a_name_are_not_overlooked(
    scim: SCIMClient, group: dict[str, Any], people: list[str]
) -> None:
    both = {"op": "replace", "value": {"displayName": "North", "members": [{"value": people[2]}]}}
    answer = scim("PATCH", f"/Groups/{group['id']}", patch(both))
    assert (answer.json["displayName"], members_of(scim, group)) == ("North", {people[2]})


@pytest.mark.usefixtures("without_models")
@pytest.mark.parametrize(
    ("name", "numbers", "changes"),
    [
        ("Sales", [0, 1], False),
        ("Sales, north", [0, 1], True),
        ("Sales", [1, 2], True),
        ("Sales, north", [], True),
        ("Sales", None, True),
    ],
)
def test_a_group_is_replaced_as_a_whole(
    scim: SCIMClient, group: dict[str, Any], people: list[str], name: str, numbers: list[int] | None, changes: bool
) -> None:
    body: dict[str, Any] = {"schemas": [GROUP], "displayName": name, "externalId": "g1"}
    if numbers is not None:
        body["members"] = [{"value": people[number]} for number in numbers]
    answer = scim("PUT", f"/Groups/{group['id']}", body)
    assert (answer.status_code, answer.json["displayName"]) == (200, name)
    assert {each["value"] for each in answer.json.get("members", [])} == {people[number] for number in numbers or ()}
    assert (answer.headers["ETag"] != group["meta"]["version"]) is changes
    assert scim("GET", f"/Groups/{group['id']}").json == answer.json


@pytest.mark.parametrize("value", [NOBODY, "x", ""])
def test_a_group_is_not_replaced_with_somebody_unknown(
    scim: SCIMClient, group: dict[str, Any], people: list[str], value: str
) -> None:
    for name in ("Sales", "North"):
        body = {"schemas": [GROUP], "displayName": name, "members": [{"value": value}]}
        refused(scim("PUT", f"/Groups/{group['id']}", body), 400, "invalidValue")
    assert members_of(scim, group) == set(people[:2])


@pytest.mark.parametrize("entry", [{"type": "Group"}, {"display": "Jane", "more": 1}, {"value": 5}, "x", None])
def test_members_in_another_shape_go_the_long_way(
    scim: SCIMClient, group: dict[str, Any], people: list[str], entry: Any
) -> None:
    body = {"schemas": [GROUP], "displayName": "North", "members": [entry]}
    assert scim("PUT", f"/Groups/{group['id']}", body).status_code == 400
    assert members_of(scim, group) == set(people[:2])
