"""Users over HTTP: what clients do all day."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scim2_server.requests import ScimRequest
from sqlalchemy import select
from sqlalchemy.orm import Session

from rgapp.audit.service import COMMAND_LINE
from rgapp.clock import utcnow
from rgapp.integrations.scim.schemas import ENTERPRISE, PERSON
from rgapp.models import AuditEvent, OutboxMail, SCIMRequest, SCIMToken, SCIMUser, User, UserStatus
from rgapp.provisioning import deactivate
from rgapp.scim.bodies import Body
from rgapp.scim.exchange import asked_for
from rgapp.scim.hot import activity_of, look_up_of
from rgapp.wording_scim import request_sentence
from tests.scim.conftest import SCIMClient, jane
from tests.scim.test_protocol import patch, refused

INACTIVE = patch({"op": "replace", "path": "active", "value": False})


@pytest.fixture
def made(scim: SCIMClient) -> dict[str, Any]:
    """Return a user who was created."""
    answer = scim("POST", "/Users", jane())
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json
    return body


def user_of(session: Session) -> User:
    """Return the only account."""
    return session.scalars(select(User)).one()


def test_a_created_user_is_found_by_name_and_number(scim: SCIMClient) -> None:
    answer = scim("POST", "/Users", jane())
    assert answer.status_code == 201, answer.text
    assert answer.content_type == "application/scim+json"
    assert answer.json["active"] is True
    assert answer.headers["Location"] == answer.json["meta"]["location"]
    assert scim.find('userName eq "JANE.carter@acme.example"') == [answer.json]
    assert scim.find('externalId eq "E1001"') == [answer.json]
    assert scim("GET", f"/Users/{answer.json['id']}").json == answer.json


def test_one_account_one_event_one_mail_and_one_line_follow_from_a_create(
    made: dict[str, Any], session: Session
) -> None:
    user = user_of(session)
    assert (str(user.id), user.membership_no, user.email) == (made["id"], "E1001", "jane.carter@acme.example")
    assert [event.tag for event in session.scalars(select(AuditEvent)) if event.user_id] == ["user:created"]
    assert len(session.scalars(select(OutboxMail)).all()) == 1
    line = session.scalars(select(SCIMRequest)).one()
    assert (line.method, line.path, line.status, line.outcome) == ("POST", "/Users", 201, "created")
    assert (line.user_id, line.membership_no, line.listening) == (user.id, "E1001", False)
    assert session.scalars(select(SCIMToken)).one().last_used_at is not None


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "replace", "path": "active", "value": False},
        {"op": "Replace", "path": "active", "value": "False"},
        {"op": "replace", "value": {"active": False}},
        {"op": "Add", "path": "active", "value": "false"},
        {"op": "replace", "path": "urn:ietf:params:scim:schemas:core:2.0:User:active", "value": False},
    ],
)
def test_who_is_deactivated_is_out_and_answered_with_the_whole_resource(
    scim: SCIMClient, made: dict[str, Any], session: Session, operation: dict[str, Any]
) -> None:
    answer = scim("PATCH", f"/Users/{made['id']}", patch(operation))
    assert answer.status_code == 200
    assert answer.json | {"meta": None} == made | {"active": False, "meta": None}
    assert answer.headers["ETag"] not in {made["meta"]["version"], None}
    assert user_of(session).status == UserStatus.LEAVER
    assert scim.find("active eq false") == [answer.json]
    again = scim("PATCH", f"/Users/{made['id']}", patch(operation))
    assert again.json == answer.json
    assert [line.outcome for line in session.scalars(select(SCIMRequest).order_by(SCIMRequest.id))] == [
        "created",
        "deactivated",
        "read",
        "unchanged",
    ]


def test_who_left_by_hand_is_shown_as_inactive_under_another_version(
    scim: SCIMClient, made: dict[str, Any], session: Session
) -> None:
    deactivate(session, user_of(session), COMMAND_LINE, now=utcnow())
    session.commit()
    shown = scim("GET", f"/Users/{made['id']}", headers={"If-None-Match": made["meta"]["version"]})
    assert (shown.status_code, shown.json["active"]) == (200, False)
    back = scim("PATCH", f"/Users/{made['id']}", patch({"op": "replace", "path": "active", "value": True}))
    assert back.json["active"] is True
    assert user_of(session).status == UserStatus.ACTIVE


def test_a_post_of_somebody_inactive_brings_them_back(scim: SCIMClient, made: dict[str, Any], session: Session) -> None:
    scim("PATCH", f"/Users/{made['id']}", INACTIVE)
    back = scim("POST", "/Users", jane(title="Boss"))
    assert back.status_code == 201, back.text
    assert (back.json["id"], back.json["active"], back.json["title"]) == (made["id"], True, "Boss")
    assert user_of(session).status == UserStatus.ACTIVE


def test_who_is_deleted_is_a_leaver_and_gone_for_the_client_until_created_again(
    scim: SCIMClient, made: dict[str, Any], session: Session
) -> None:
    path = f"/Users/{made['id']}"
    assert scim("DELETE", path).status_code == 204
    for method, body in (("GET", None), ("PUT", jane()), ("PATCH", INACTIVE), ("DELETE", None)):
        refused(scim(method, path, body), 404)
    assert user_of(session).status == UserStatus.LEAVER
    assert session.scalars(select(SCIMUser)).all() == []
    assert scim.find('userName eq "jane.carter@acme.example"') == []
    back = scim("POST", "/Users", jane())
    assert (back.status_code, back.json["id"]) == (201, made["id"])
    assert user_of(session).status == UserStatus.ACTIVE


def test_a_put_replaces_everything_but_whether_somebody_is_active(
    scim: SCIMClient, made: dict[str, Any], session: Session
) -> None:
    scim("PATCH", f"/Users/{made['id']}", INACTIVE)
    changed = jane(active=None, name={"givenName": "Janet", "familyName": "Carter"}, groups=[{"value": "x"}], id="x")
    answer = scim("PUT", f"/Users/{made['id']}", changed | {ENTERPRISE: {"department": "Sales"}})
    assert answer.status_code == 200, answer.text
    assert (answer.json["active"], answer.json["id"]) == (False, made["id"])
    assert answer.json[ENTERPRISE] == {"department": "Sales"}
    assert "groups" not in answer.json
    assert user_of(session).first_name == "Janet"
    same = scim("PUT", f"/Users/{made['id']}", changed | {ENTERPRISE: {"department": "Sales"}})
    assert same.json == answer.json


def test_a_date_of_birth_comes_in_our_own_extension(scim: SCIMClient, session: Session) -> None:
    answer = scim("POST", "/Users", jane() | {PERSON: {"dateOfBirth": "1990-04-03"}})
    assert answer.json[PERSON] == {"dateOfBirth": "1990-04-03"}
    assert PERSON in answer.json["schemas"]
    assert str(user_of(session).date_of_birth) == "1990-04-03"


def test_a_manager_may_come_without_a_reference_or_as_a_text(scim: SCIMClient, made: dict[str, Any]) -> None:
    path = f"/Users/{made['id']}"
    for value in ({"value": "m1"}, "m1"):
        answer = scim("PATCH", path, patch({"op": "add", "path": f"{ENTERPRISE}:manager", "value": value}))
        assert answer.json[ENTERPRISE] == {"manager": {"value": "m1"}}
    scim("PATCH", path, patch({"op": "replace", "path": 'emails[type eq "home"].value', "value": "j@home.example"}))
    assert {"value": "j@home.example", "type": "home"} in scim("GET", path).json["emails"]


class TestLists:
    """Pages, orders and searches."""

    @pytest.fixture
    def people(self, scim: SCIMClient) -> list[str]:
        """Return the names of seven users."""
        names = [f"{letter}@acme.example" for letter in "cagbfde"]
        for number, name in enumerate(names):
            emails = [{"value": name, "primary": True}]
            scim("POST", "/Users", jane(userName=name, externalId=f"E{number}", emails=emails, title=f"T{number % 2}"))
        return names

    def test_pages_by_index_have_everybody_once(self, scim: SCIMClient, people: list[str]) -> None:
        found: list[str] = []
        for start in (1, 4, 7, 10):
            page = scim("GET", "/Users", query_string={"startIndex": start, "count": 3}).json
            assert (page["totalResults"], page["startIndex"]) == (7, start)
            assert page["itemsPerPage"] == len(page["Resources"])
            found += [each["userName"] for each in page["Resources"]]
        assert found == people

    @pytest.mark.parametrize(
        "query",
        [
            {},
            {"sortBy": "userName", "sortOrder": "descending"},
            {"sortBy": "id", "sortOrder": "descending"},
            {"filter": 'title eq "t1"'},
        ],
    )
    def test_pages_by_cursor_have_everybody_once_and_lead_back(
        self, scim: SCIMClient, people: list[str], query: dict[str, str]
    ) -> None:
        whole = [each["userName"] for each in scim("GET", "/Users", query_string=query).json["Resources"]]
        found, cursor, pages = [], "", []
        while cursor is not None:
            page = scim("GET", "/Users", query_string={**query, "count": 2, "cursor": cursor}).json
            pages.append([each["userName"] for each in page["Resources"]])
            found += pages[-1]
            cursor, previous = page.get("nextCursor"), page.get("previousCursor")
        assert found == whole
        before = scim("GET", "/Users", query_string={**query, "count": 2, "cursor": previous}).json
        assert [each["userName"] for each in before["Resources"]] == pages[-2]

    def test_a_cursor_belongs_to_its_query(self, scim: SCIMClient, people: list[str]) -> None:
        cursor = scim("GET", "/Users", query_string={"count": 2, "cursor": ""}).json["nextCursor"]
        for query in ({"filter": "title pr"}, {"sortBy": "title"}):
            answer = scim("GET", "/Users", query_string={"count": 2, "cursor": cursor, **query})
            refused(answer, 400, "invalidCursor")
        refused(scim("GET", "/Groups", query_string={"count": 2, "cursor": cursor}), 400, "invalidCursor")

    def test_a_search_by_post_and_at_the_root_finds_the_same(self, scim: SCIMClient, people: list[str]) -> None:
        scim("POST", "/Groups", {"displayName": "Sales"})
        message = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
        search = {"schemas": [message], "filter": 'userName sw "a" or displayName eq "sales"', "sortBy": "userName"}
        (user,) = scim("POST", "/Users/.search", search).json["Resources"]
        assert user["userName"] == "a@acme.example"
        root = scim("POST", "/.search", search).json
        assert [each["meta"]["resourceType"] for each in root["Resources"]] == ["User", "Group"]
        assert root["totalResults"] == 2
        assert scim("GET", "/", query_string={"filter": search["filter"], "sortBy": "userName"}).json == root

    @pytest.mark.parametrize("start", [2**63, 10**30])
    def test_a_page_beyond_every_number_is_empty(self, scim: SCIMClient, people: list[str], start: int) -> None:
        page = scim("GET", "/Users", query_string={"startIndex": start}).json
        assert (page["totalResults"], page["Resources"]) == (7, [])

    def test_no_page_is_longer_than_announced(self, scim: SCIMClient, people: list[str]) -> None:
        announced = scim("GET", "/ServiceProviderConfig").json
        assert announced["filter"]["maxResults"] == announced["pagination"]["maxPageSize"] == 200
        assert scim("GET", "/Users", query_string={"count": 100_000}).json["itemsPerPage"] == 7
        assert scim("GET", "/Users", query_string={"count": 0}).json["totalResults"] == 7

    @pytest.mark.parametrize("attribute", ["userName", "externalId", "id"])
    def test_the_short_way_of_a_look_up_answers_like_the_long_one(
        self, scim: SCIMClient, people: list[str], attribute: str
    ) -> None:
        everybody = scim("GET", "/Users").json["Resources"]
        for value in [everybody[2][attribute], everybody[2][attribute].upper(), "nobody", ""]:
            short = scim("GET", "/Users", query_string={"filter": f'{attribute} eq "{value}"'})
            long = scim("GET", "/Users", query_string={"filter": f'({attribute} eq "{value}") and id pr'})
            assert short.status_code == 200
            assert short.json == long.json


@given(st.dictionaries(st.sampled_from(["filter", "startIndex", "count", "sortBy"]), st.text(max_size=40)))
def test_only_a_plain_look_up_is_one(query: dict[str, str]) -> None:
    assert look_up_of(query) is None or " eq " in query["filter"].lower()


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"Operations": [{"op": "replace", "path": "active", "value": False}]},
        patch(),
        patch({"op": "replace", "path": "active", "value": False}, {"op": "replace", "path": "title", "value": "x"}),
        patch({"op": "remove", "path": "active"}),
        patch({"op": "replace", "path": "active", "value": 0}),
        patch({"op": "replace", "path": "active", "value": "no"}),
        patch({"op": "replace", "value": {"active": False, "title": "x"}}),
        patch({"op": "replace", "value": False}),
        patch({"op": "replace", "path": "active", "value": False, "more": 1}),
        {"schemas": ["urn:x"], "Operations": [{"op": "replace", "path": "active", "value": False}]},
    ],
)
def test_a_change_of_more_than_active_goes_the_long_way(body: Any) -> None:
    assert activity_of(body) is None


def test_the_log_says_whom_a_client_looked_for(scim: SCIMClient, session: Session) -> None:
    """So that "why was this person not updated?" finds that the client asked, and went no further."""
    scim.find('userName eq "jane+rewards&more@acme.example"')
    line = session.scalars(select(SCIMRequest).order_by(SCIMRequest.id.desc()).limit(1)).one()
    assert line.path == '/Users?filter=userName eq "jane%2Brewards%26more@acme.example"'
    assert line.email_key == "jane+rewards&more@acme.example"
    assert request_sentence(line) == 'Looked for somebody: userName eq "jane+rewards&more@acme.example"'


def last_line(session: Session) -> Any:
    return session.scalars(select(SCIMRequest).order_by(SCIMRequest.id.desc()).limit(1)).one()


@pytest.mark.parametrize("name", ["filter", "Filter", "FILTER"])
def test_the_log_says_so_wherever_the_filter_stands(scim: SCIMClient, session: Session, name: str) -> None:
    wanted = 'userName eq "jane@acme.example"'
    assert scim("GET", "/Users", query_string={name: wanted}).status_code == 200
    line = last_line(session)
    assert (line.path, line.email_key) == ('/Users?filter=userName eq "jane@acme.example"', "jane@acme.example")
    search = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], name: wanted}
    assert scim("POST", "/Users/.search", search).status_code == 200
    line = last_line(session)
    assert (line.path, line.email_key) == (
        '/Users/.search?filter=userName eq "jane@acme.example"',
        "jane@acme.example",
    )
    assert request_sentence(line) == 'Looked for somebody: userName eq "jane@acme.example"'


@pytest.mark.parametrize(
    "wanted",
    [
        'password eq "hunter2hunter2"',
        'urn:ietf:params:scim:schemas:core:2.0:User:Password sw "hunter2hunter2"',
        'userName eq "x" and not (PASSWORD co "hunter2hunter2")',
        'password eq "hunter2hunter2',
        "password eq hunter2hunter2",
        'password[value eq "hunter2hunter2"]',
    ],
)
def test_a_password_in_a_filter_is_not_kept(scim: SCIMClient, session: Session, wanted: str) -> None:
    scim("GET", "/Users", query_string={"filter": wanted})
    scim(
        "POST", "/Users/.search", {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": wanted}
    )
    assert "not kept" in last_line(session).path
    assert "hunter2hunter2" not in repr(session.execute(select(SCIMRequest.__table__)).all())


@given(st.dictionaries(st.sampled_from(["filter", "Filter", "fILTER", "x"]), st.none() | st.integers() | st.text()))
def test_any_filter_has_a_path_in_the_log(said: dict[str, Any]) -> None:
    request = ScimRequest("POST", "https://x.example", "Users/.search", {}, {}, Body.of(b"", said))
    path = asked_for(request)
    assert path.encode()
    assert "password" not in path.lower() or "not kept" in path


@pytest.mark.parametrize("raw", [b"{", b"\xff", b"[]", b" " * (1024 * 1024 + 1)])
def test_a_search_that_cannot_be_read_is_refused_and_logged(scim: SCIMClient, session: Session, raw: bytes) -> None:
    answer = scim("POST", "/Users/.search", raw=raw)
    line = last_line(session)
    assert answer.status_code in {400, 413}
    assert (line.path, line.status) == ("/Users/.search", answer.status_code)


def test_the_base_url_answers_with_or_without_a_slash(scim: SCIMClient) -> None:
    """A redirect would be a page, and clients do not follow one with a token."""
    for path in ("", "/"):
        answer = scim("GET", path)
        assert (answer.status_code, answer.content_type) == (200, "application/scim+json")


def test_the_log_keeps_mapped_fields_and_nothing_else(scim: SCIMClient, session: Session) -> None:
    """Neither attributes that are not mapped, nor passwords, nor the token, whether a request was good or refused."""
    said = {"title": "Secretissima", "password": "a password nobody keeps", "nickName": "Jacky"}
    assert scim("POST", "/Users", jane(**said)).status_code == 201
    assert scim("POST", "/Users", jane(**said, userName="other", externalId="E2")).status_code == 409
    lines = session.execute(select(SCIMRequest.__table__)).all()
    kept = repr(lines)
    assert len(lines) == 2
    assert "jane.carter@acme.example" in kept
    assert [value for value in (*said.values(), scim.token) if value in kept] == []
