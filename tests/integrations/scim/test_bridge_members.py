"""Many changes of a large group become one, and come to the same."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rgapp.integrations.scim import bridge_members
from rgapp.integrations.scim.bridge import standard_body
from rgapp.integrations.scim.schemas import POLICY
from tests.integrations.scim.quirks import MODELS, apply

GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


def group(size: int) -> dict[str, Any]:
    """Return a group as it is kept, with what we say of its members."""
    members = [{"value": f"u{n}", "$ref": f"Users/u{n}", "type": "User", "display": f"U{n}"} for n in range(size)]
    return {"schemas": [GROUP], "id": "g", "displayName": "Everybody", "members": members}


def bridged(current: dict[str, Any] | None, *operations: Any) -> list[Any]:
    """Return the operations that the library gets."""
    body = {"schemas": [PATCH_OP], "Operations": list(operations)}
    meant = standard_body("PATCH", MODELS["Group"], body, current)
    assert standard_body("PATCH", MODELS["Group"], meant, current) == meant
    found: list[Any] = meant["Operations"]
    return found


def gone(*numbers: int) -> dict[str, Any]:
    """Return a removal as Entra sends it."""
    return {"op": "Remove", "path": "members", "value": [{"$ref": None, "value": f"u{n}"} for n in numbers]}


def test_a_thousand_who_leave_are_one_operation() -> None:
    """Those who stay replace the members; what is ours to say of them is not said again."""
    [meant] = bridged(group(1001), gone(*range(1000)))
    assert meant == {
        "op": "replace",
        "path": "members",
        "value": [{"value": "u1000", "$ref": "Users/u1000", "type": "User"}],
    }


def test_changes_are_carried_out_in_their_order() -> None:
    """One that leaves and comes back is there; the name of the group is another matter."""
    rename = {"op": "replace", "path": "displayName", "value": "Nobody"}
    [nonsense, kept, meant] = bridged(
        group(600),
        "nonsense",
        gone(*range(600)),
        {"op": "add", "path": "members", "value": [{"value": "u7"}, {"value": "new"}]},
        rename,
        {"op": "remove", "path": 'members[value eq "u8"]'},
        {"op": "add", "path": "members", "value": {"value": "u7", "display": "Ada"}},
    )
    assert [nonsense, kept] == ["nonsense", rename]
    assert meant == {"op": "replace", "path": "members", "value": [{"value": "u7"}, {"value": "new"}]}


def test_changes_that_change_nothing_say_so() -> None:
    """Who is there already comes, who is not there leaves: an addition of nobody, which changes nothing."""
    there = {"op": "add", "path": "members", "value": [{"value": "u1"}]}
    assert bridged(group(600), there, there, gone(1000, 1001)) == [{"op": "add", "path": "members", "value": []}]


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "replace", "path": 'members[value eq "u1"].display', "value": "x"},
        {"op": "remove", "path": 'members[value eq "u1"].display'},
        {"op": "remove", "path": 'members[display eq "U1"]'},
        {"op": "remove", "path": 'members[value co "u1"]'},
        {"op": "remove", "path": 'members[value eq "u1" and type eq "User"]'},
        {"op": "remove", "path": "members.display"},
        {"op": "add", "path": "members", "value": [{"display": "x"}]},
        {"op": "add", "path": "members", "value": [{"value": "x", "colour": "red"}]},
        {"op": "add", "path": "members", "value": [5.5, []]},
        {"op": "replace", "path": "members", "value": None},
        {"op": "move", "path": "members", "value": []},
        {"op": "add", "value": {"members": [{"value": "u1"}]}},
        {"op": "add", "path": "members["},
    ],
)
def test_what_only_the_library_may_judge_is_left_to_it(operation: dict[str, Any]) -> None:
    """And everything else in the request with it."""
    found = bridged(group(600), gone(1, 2, 3), operation)
    assert len(found) == 2
    assert found[0]["path"].startswith("members[value eq")


def test_a_small_group_is_left_to_the_library() -> None:
    """There it is as fast."""
    assert len(bridged(group(3), gone(1), gone(2))) == 2


def test_a_long_list_without_the_members_is_refused() -> None:
    """As it came: nobody knows what it would cost."""
    assert bridged(None, gone(*range(201))) == [gone(*range(201))]
    assert bridged(None, gone(*range(200))) != [gone(*range(200))]


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bring changes together however small the group is."""
    monkeypatch.setattr(bridge_members, "COSTLY", 0)
    monkeypatch.setattr(bridge_members, "FEW", 0)


NAMES = st.sampled_from(["u0", "u1", "u2", "u3", "new"])
LISTS = st.lists(st.fixed_dictionaries({"value": NAMES}), max_size=3)
OPERATIONS = st.lists(
    st.fixed_dictionaries({"op": st.sampled_from(["add", "Replace"]), "path": st.just("members"), "value": LISTS})
    | st.fixed_dictionaries(
        {"op": st.just("remove"), "path": NAMES.map('members[value eq "{}"]'.format) | st.just("Members")}
    )
    | st.fixed_dictionaries({"op": st.just("Replace"), "path": st.just("displayName"), "value": NAMES}),
    min_size=1,
    max_size=5,
)


@pytest.mark.usefixtures("at_once")
def test_one_operation_comes_to_the_same_as_many() -> None:
    """For any changes, the same people are in the group as when the library makes them one by one."""

    @given(st.integers(0, 4), OPERATIONS)
    @settings(deadline=None, max_examples=200)
    def check(size: int, operations: list[Any]) -> None:
        current = group(size)
        body = {"schemas": [PATCH_OP], "Operations": operations}
        meant = standard_body("PATCH", MODELS["Group"], body, current)
        one_by_one, together = (apply("PATCH", MODELS["Group"], each, current, POLICY) for each in (body, meant))
        assert people(together) == people(one_by_one)
        assert together["displayName"] == one_by_one["displayName"]

    check()


def people(resource: dict[str, Any]) -> set[str]:
    """Return who is in a group."""
    return {member["value"] for member in resource.get("members", [])}
