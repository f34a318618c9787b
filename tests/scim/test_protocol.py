"""The protocol over HTTP: every status and every form of bad input, answered in SCIM's own JSON."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from scim2_server.handler import ScimHandler
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from rgapp import create_app
from rgapp.audit.service import COMMAND_LINE
from rgapp.auth.throttle import RefusalLimit
from rgapp.extensions import db, limiter, shared_counters
from rgapp.integrations import service
from rgapp.integrations.scim.settings import DEFAULT_MAPPING
from rgapp.models import Integration, OutboxMail, SCIMRequest, SCIMUser, User
from rgapp.scim import auth, handler
from tests.conftest import ENVIRONMENT, Client
from tests.factories import Factory
from tests.scim.conftest import SCIMClient, jane

ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
NOBODY = "0190f0a0-0000-7000-8000-000000000000"


def refused(answer: TestResponse, status: int, scim_type: str = "") -> dict[str, Any]:
    """Check that an answer is a SCIM error of this status, without a cookie; returns its body."""
    assert answer.status_code == status, answer.text
    assert answer.content_type == "application/scim+json"
    assert "Set-Cookie" not in answer.headers
    body: dict[str, Any] = answer.json
    assert body["schemas"] == [ERROR]
    assert body["status"] == str(status)
    assert body.get("scimType", "") == scim_type
    assert body["detail"]
    return body


def patch(*operations: dict[str, Any]) -> dict[str, Any]:
    """Return the body of a PATCH."""
    return {"schemas": [PATCH_OP], "Operations": list(operations)}


def last_line(session: Session) -> SCIMRequest:
    """Return the newest line of the log."""
    return session.scalars(select(SCIMRequest).order_by(SCIMRequest.id.desc()).limit(1)).one()


@pytest.fixture
def limited(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[FlaskClient]:
    """Return a client of an application with its rate limits on, that knows of no wrong token yet."""
    monkeypatch.setattr(limiter, "enabled", True)
    monkeypatch.setattr(auth, "WRONG_TOKENS", RefusalLimit("scim token", auth.WRONG_TOKENS.item))
    place = {"INSTANCE": app.instance_path, "RGAPP_DATABASE_URL": app.config["SQLALCHEMY_DATABASE_URI"]}
    again = create_app(ENVIRONMENT | place, RATELIMIT_ENABLED=True)
    again.test_client_class = Client
    yield again.test_client()
    limiter.reset()
    if counters := shared_counters():
        counters.dispose()
    with again.app_context():
        db.engine.dispose()


class TestWhoMayCall:
    """Tokens and addresses."""

    @pytest.mark.parametrize("header", [None, "Bearer wrong", "Bearer ", "Basic dTpw", "wrong", "Bearer w\u00f6rng"])
    def test_a_token_that_opens_nothing_is_answered_401(self, app: Flask, scim: SCIMClient, header: str | None) -> None:
        headers = {"Authorization": header} if header is not None else {}
        answer = app.test_client().get(f"{scim.base}/Users", headers=headers)
        refused(answer, 401)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")

    @pytest.mark.parametrize("guid", [NOBODY, "x", "0190f0a0000070008000000000000000", "%00"])
    def test_an_address_of_nobody_is_answered_like_a_wrong_token(self, scim: SCIMClient, guid: str) -> None:
        scim.base = f"/scim/{guid}/v2"
        answer = scim("GET", "/Users")
        refused(answer, 400 if guid == "%00" else 401)

    def test_the_token_of_one_programme_opens_no_other(self, scim: SCIMClient, make: Factory, session: Session) -> None:
        scim.base = f"/scim/{make.programme('other').id}/v2"
        session.commit()
        refused(scim("GET", "/Users"), 401)

    def test_many_wrong_tokens_are_slowed_down_and_a_right_one_is_let_in(
        self, limited: FlaskClient, scim: SCIMClient
    ) -> None:
        answers = [
            limited.get(f"{scim.base}/Users", headers={"Authorization": f"Bearer wrong{number}"})
            for number in range(65)
        ]
        assert [answer.status_code for answer in answers] == [401] * 60 + [429] * 5
        refused(answers[-1], 429)
        assert answers[-1].headers["Retry-After"]
        scim.client = limited
        assert scim("GET", "/Users").status_code == 200

    @pytest.mark.parametrize("path", ["", "/", "/x", "/Users", f"/{NOBODY}/v1/Users", "//", "/a//b"])
    def test_other_addresses_below_scim_are_unknown(self, app: Flask, path: str) -> None:
        refused(app.test_client().post(f"/scim{path}"), 404)

    @pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "PROPFIND"])
    def test_methods_that_scim_does_not_have_are_refused(self, scim: SCIMClient, method: str) -> None:
        refused(scim(method, "/Users"), 405)


class TestAddresses:
    """What is at which address."""

    @pytest.mark.parametrize("path", ["/Nothing", "/Users/a/b", "/Users/a/.search", "/Users//x", "/users"])
    def test_unknown_addresses_are_answered_404(self, scim: SCIMClient, path: str) -> None:
        if path == "/users":  # Names of endpoints are found whatever their case.
            assert scim("GET", path).status_code == 200
        else:
            refused(scim("GET", path), 404)

    @pytest.mark.parametrize(("method", "path"), [("PUT", "/Users"), ("DELETE", "/Groups"), ("GET", "/Bulk")])
    def test_a_wrong_method_says_which_are_right(self, scim: SCIMClient, method: str, path: str) -> None:
        answer = scim(method, path, {})
        refused(answer, 405)
        assert answer.headers["Allow"]

    @pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "POST"])
    def test_me_is_not_supported(self, scim: SCIMClient, method: str) -> None:
        refused(scim(method, "/Me", {}), 501)

    @pytest.mark.parametrize("path", ["/ServiceProviderConfig", "/ResourceTypes", "/Schemas", "/ResourceTypes/User"])
    def test_the_service_describes_itself(self, scim: SCIMClient, path: str) -> None:
        assert scim("GET", path).status_code == 200
        refused(scim("GET", path, query_string={"filter": "id pr"}), 403)

    def test_the_addresses_in_answers_come_from_the_configuration(self, scim: SCIMClient) -> None:
        made = scim("POST", "/Users", jane(), headers={"Host": "evil.example"}).json
        assert made["meta"]["location"] == f"http://127.0.0.1:8000{scim.base}/Users/{made['id']}"

    def test_head_answers_like_get_without_a_body(self, scim: SCIMClient) -> None:
        answer = scim("HEAD", "/Users")
        assert (answer.status_code, answer.data) == (200, b"")


class TestBodies:
    """JSON that is none, or too much."""

    @pytest.mark.parametrize(
        "raw",
        [
            "", "{", "[]", "null", '"x"', "1", "{}", '{"a":1e999}', '{"a":NaN}', '{"a":Infinity}', "\ufeff{}",
            '{"userName":"a","userName":"b"}', '{"userName":"a","USERNAME":"b"}', "[" * 100_000, '{"a":' * 5_000,
            '{"userName":' + "1" * 5000 + "}", '{"userName":"a\\u0000b"}', '{"userName":"\\ud800"}', '{"a\\u0000":1}',
            '{"schemas":[]}', '{"schemas":"x"}', '{"schemas":["urn:x"],"userName":"a"}',
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("path", ["/Users", "/Groups", "/Bulk", "/.search"])
    def test_what_cannot_be_read_is_answered_400(self, scim: SCIMClient, raw: str, path: str) -> None:
        answer = scim("POST", path, raw=raw.encode())
        if path == "/.search" and raw == "{}":
            assert answer.status_code == 200
        elif path == "/.search" and raw.startswith('{"schemas"'):
            assert answer.status_code in {200, 400}
        else:
            assert answer.status_code == 400, answer.text
            assert answer.json["schemas"] == [ERROR]

    @pytest.mark.parametrize("raw", [b"\xff\xfe", b'{"userName":"\xed\xa0\x80"}', b'{"userName":"\xff"}'])
    def test_what_is_not_utf8_is_answered_400(self, scim: SCIMClient, raw: bytes) -> None:
        refused(scim("POST", "/Users", raw=raw), 400, "invalidSyntax")

    @pytest.mark.parametrize("media_type", ["text/plain", "application/xml", "application/x-www-form-urlencoded"])
    def test_another_media_type_is_answered_415(self, scim: SCIMClient, media_type: str) -> None:
        refused(scim("POST", "/Users", jane(), headers={"Content-Type": media_type}), 415)

    @pytest.mark.parametrize("media_type", ["application/json", "application/scim+json; charset=utf-8"])
    def test_json_is_taken_under_its_other_names(self, scim: SCIMClient, media_type: str) -> None:
        assert scim("POST", "/Users", jane(), headers={"Content-Type": media_type}).status_code == 201

    @pytest.mark.parametrize("path", ["/Users", "/Bulk"])
    def test_a_huge_body_is_answered_413_and_logged(self, scim: SCIMClient, session: Session, path: str) -> None:
        refused(scim("POST", path, raw=b" " * (1024 * 1024 + 1)), 413)
        assert last_line(session).status == 413

    @pytest.mark.parametrize(
        ("changes", "scim_type"),
        [
            ({"userName": 5}, ""),
            ({"userName": ["a", "b"]}, "invalidValue"),
            ({"userName": ""}, "invalidValue"),
            ({"userName": "x" * 256}, "invalidValue"),
            ({"externalId": "x" * 256}, "invalidValue"),
            ({"active": "perhaps"}, "invalidValue"),
            ({"emails": [{"value": "a", "primary": True}, {"value": "b", "primary": True}]}, "invalidValue"),
            ({"emails": [{"value": f"a{number}"} for number in range(201)]}, "invalidValue"),
            ({"unheardOf": "x"}, "invalidSyntax"),
            ({"urn:x:User": "x"}, "invalidSyntax"),
            ({"name": {"unheardOf": "x"}}, "invalidSyntax"),
            ({"title": "x" * 70_000}, "invalidValue"),
        ],
    )
    def test_values_that_do_not_fit_are_refused(
        self, scim: SCIMClient, changes: dict[str, Any], scim_type: str
    ) -> None:
        answer = scim("POST", "/Users", jane(**changes))
        if not scim_type:
            assert answer.status_code == 201, answer.text  # Numbers for texts are bridged.
        else:
            refused(answer, 400, scim_type)


class TestRefusals:
    """What provisioning does not take, and its trace in the log."""

    def test_a_missing_membership_no_is_said_with_its_attribute(self, scim: SCIMClient, session: Session) -> None:
        body = refused(scim("POST", "/Users", jane(externalId=None, emails=None)), 400, "invalidValue")
        assert "externalId" in body["detail"]
        assert "E-mail address" in body["detail"]
        line = last_line(session)
        assert (line.status, line.accepted, line.reason, line.detail) == (400, False, "fields", body["detail"])
        assert session.scalars(select(User)).all() == []

    def test_the_same_user_twice_is_answered_409(self, scim: SCIMClient) -> None:
        scim("POST", "/Users", jane())
        refused(scim("POST", "/Users", jane()), 409, "uniqueness")

    def test_a_user_name_of_somebody_else_is_answered_409(self, scim: SCIMClient, session: Session) -> None:
        scim("POST", "/Users", jane())
        other = jane(externalId="E2", emails=[{"value": "other@acme.example", "primary": True}])
        refused(scim("POST", "/Users", other | {"userName": "JANE.CARTER@acme.example"}), 409, "uniqueness")
        assert len(session.scalars(select(User)).all()) == 1

    def test_an_address_of_somebody_else_is_answered_409(self, scim: SCIMClient, session: Session) -> None:
        scim("POST", "/Users", jane())
        refused(scim("POST", "/Users", jane(userName="x", externalId="E2")), 409, "uniqueness")
        assert last_line(session).reason == "email_conflict"

    @pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
    @pytest.mark.parametrize("identifier", [NOBODY, "x", "0190F0A0-0000-7000-8000-000000000000", "%20", "\u00e9"])
    def test_somebody_who_is_not_there_is_answered_404(self, scim: SCIMClient, method: str, identifier: str) -> None:
        body = jane() if method == "PUT" else patch({"op": "replace", "path": "title", "value": "x"})
        refused(scim(method, f"/Users/{identifier}", body), 404)

    def test_a_version_that_is_outdated_is_answered_412(self, scim: SCIMClient) -> None:
        made = scim("POST", "/Users", jane()).json
        change = patch({"op": "replace", "path": "title", "value": "Boss"})
        headers = {"If-Match": made["meta"]["version"]}
        changed = scim("PATCH", f"/Users/{made['id']}", change, headers=headers)
        assert changed.status_code == 200
        assert changed.headers["ETag"] != made["meta"]["version"]
        for method, body in (("PATCH", change), ("PUT", jane()), ("DELETE", None)):
            refused(scim(method, f"/Users/{made['id']}", body, headers=headers), 412)

    def test_what_is_known_already_is_answered_304(self, scim: SCIMClient) -> None:
        made = scim("POST", "/Users", jane()).json
        answer = scim("GET", f"/Users/{made['id']}", headers={"If-None-Match": made["meta"]["version"]})
        assert (answer.status_code, answer.data) == (304, b"")

    @pytest.mark.parametrize(
        "operation",
        [
            {"op": "replace", "path": "unheardOf", "value": "x"},
            {"op": "jump", "path": "title", "value": "x"},
            {"op": "replace", "path": "title[", "value": "x"},
            {"op": "replace", "path": "x" * 2001, "value": "x"},
            {"op": "remove"},
            {"op": "remove", "path": "active"},
            {"op": "remove", "path": "userName"},
            {"op": "replace", "path": "id", "value": "x"},
            {"op": "replace", "path": "active", "value": "perhaps"},
            {"op": "replace", "value": "x"},
        ],
    )
    def test_a_patch_that_cannot_be_applied_is_answered_400(self, scim: SCIMClient, operation: dict[str, Any]) -> None:
        made = scim("POST", "/Users", jane()).json
        assert scim("PATCH", f"/Users/{made['id']}", patch(operation)).status_code == 400
        assert scim("GET", f"/Users/{made['id']}").json == made

    @pytest.mark.parametrize("way", ["PATCH", "POST"], ids=["alone", "bulk"])
    def test_an_attribute_has_no_more_values_however_they_came(self, scim: SCIMClient, way: str) -> None:
        path = f"/Users/{scim('POST', '/Users', jane()).json['id']}"

        def add(*lists: list[int]) -> str:
            values = [[{"value": str(number)} for number in some] for some in lists]
            body = patch(*({"op": "add", "path": "phoneNumbers", "value": some} for some in values))
            if way == "PATCH":
                return str(scim("PATCH", path, body).status_code)
            bulk = {"schemas": [BULK], "Operations": [{"method": "PATCH", "path": path, "data": body}]}
            answer = scim("POST", "/Bulk", bulk)
            return str(answer.json["Operations"][0]["status"] if answer.status_code == 200 else answer.status_code)

        numbers = list(range(201))
        assert add(numbers[:100], numbers[:150]) == "200"
        assert add(numbers[:200]) == "200"
        assert add(numbers[200:]) == "400"
        assert add(*[numbers[:168]] * 6) == "400"
        assert len(scim("GET", path).json["phoneNumbers"]) == 200

    @pytest.mark.parametrize(
        "scim_filter", ["x", "unheardOf pr", "userName eq", 'password eq "x"', "(" * 5000, "a" * 9000]
    )
    def test_what_cannot_be_filtered_is_answered_400(self, scim: SCIMClient, scim_filter: str) -> None:
        refused(scim("GET", "/Users", query_string={"filter": scim_filter}), 400, "invalidFilter")
        search = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": scim_filter}
        refused(scim("POST", "/Users/.search", search), 400, "invalidFilter")

    def test_a_deep_filter_is_answered_quickly(self, scim: SCIMClient) -> None:
        deep = "not (" * 300 + "title pr" + ")" * 300
        refused(scim("GET", "/Users", query_string={"filter": deep}), 400, "invalidFilter")

    @pytest.mark.parametrize(
        "query", [{"sortBy": "unheardOf"}, {"sortBy": "password"}, {"sortBy": "name"}, {"count": "x"}]
    )
    def test_what_cannot_be_sorted_or_counted_is_answered_400(self, scim: SCIMClient, query: dict[str, str]) -> None:
        assert scim("GET", "/Users", query_string=query).status_code == 400

    @pytest.mark.parametrize("cursor", ["x", "AQ", "AAAA" * 30])
    def test_a_cursor_that_is_none_is_answered_400(self, scim: SCIMClient, cursor: str) -> None:
        refused(scim("GET", "/Users", query_string={"cursor": cursor}), 400, "invalidCursor")


class TestModes:
    """Integrations that only listen, or are switched off."""

    def test_while_it_listens_everything_is_answered_and_nothing_is_kept(
        self, make: Factory, session: Session, make_client: Callable[[Integration], SCIMClient]
    ) -> None:
        mapping = {field.value: source for field, source in DEFAULT_MAPPING.items()}
        draft = make.integration(
            make.programme(), {"mapping": mapping}, kind="scim", provider="scim", name="Draft", published=False
        )
        scim = make_client(draft)
        assert scim("POST", "/Users", jane()).status_code == 201
        assert scim.find("userName pr") == []
        for model in (User, SCIMUser, OutboxMail):
            assert session.scalars(select(model)).all() == []
        lines = session.scalars(select(SCIMRequest).order_by(SCIMRequest.id)).all()
        assert [(line.listening, line.outcome, line.membership_no) for line in lines] == [
            (True, "created", "E1001"),
            (True, "read", None),
        ]

    def test_what_is_switched_off_is_answered_403(
        self, scim: SCIMClient, session: Session, integration: Integration, make: Factory
    ) -> None:
        service.set_enabled(session, integration, False, actor=COMMAND_LINE, now=make.now)
        session.commit()
        body = refused(scim("POST", "/Users", jane()), 403)
        assert "switched off" in body["detail"]
        assert session.scalars(select(User)).all() == []

    def test_two_programmes_with_the_same_people_do_not_see_each_other(
        self, scim: SCIMClient, make: Factory, make_client: Callable[[Integration], SCIMClient]
    ) -> None:
        mapping = {field.value: source for field, source in DEFAULT_MAPPING.items()}
        other = make_client(
            make.integration(make.programme(), {"mapping": mapping}, kind="scim", provider="scim", name="SCIM")
        )
        made, theirs = scim("POST", "/Users", jane()).json, other("POST", "/Users", jane()).json
        group = scim("POST", "/Groups", {"displayName": "Us", "members": [{"value": made["id"]}]}).json
        assert made["id"] != theirs["id"]
        assert [each["id"] for each in scim.find("userName pr")] == [made["id"]]
        assert [each["id"] for each in other.find("userName pr")] == [theirs["id"]]
        refused(other("GET", f"/Users/{made['id']}"), 404)
        refused(other("DELETE", f"/Users/{made['id']}"), 404)
        refused(other("GET", f"/Groups/{group['id']}"), 404)
        refused(
            other("POST", "/Groups", {"displayName": "Them", "members": [{"value": made["id"]}]}), 400, "invalidValue"
        )


class TestBulk:
    """Bulk requests (RFC 7644 section 3.7)."""

    def test_one_bad_operation_leaves_the_others(self, scim: SCIMClient, session: Session) -> None:
        operations = [
            {"method": "POST", "path": "/Users", "bulkId": "a", "data": jane()},
            {"method": "POST", "path": "/Users", "bulkId": "b", "data": jane(userName="b", externalId="E2")},
            {"method": "POST", "path": "/Groups", "bulkId": "c", "data": {
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
                "displayName": "Us",
                "members": [{"value": "bulkId:a"}],
            }},
            {"method": "DELETE", "path": f"/Users/{NOBODY}"},
        ]  # fmt: skip
        answer = scim("POST", "/Bulk", {"schemas": [BULK], "Operations": operations})
        assert answer.status_code == 200, answer.text
        assert [each["status"] for each in answer.json["Operations"]] == ["201", "409", "201", "404"]
        assert [user.membership_no for user in session.scalars(select(User))] == ["E1001"]
        (group,) = scim.find("displayName pr", "/Groups")
        assert group["members"][0]["value"] == answer.json["Operations"][0]["location"].rpartition("/")[2]

    def test_members_come_and_go_without_the_rest_of_their_group_being_read(
        self, scim: SCIMClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delattr(ScimHandler, "patch_resource")
        made = scim("POST", "/Users", jane()).json
        group = {"displayName": "Us", "members": [{"value": made["id"]}]}
        path = f"/Groups/{scim('POST', '/Groups', group).json['id']}"
        leave = patch({"op": "Remove", "path": "members", "value": [{"value": made["id"]}]})
        join = patch({"op": "add", "path": "members", "value": [{"value": "bulkId:b"}]})
        operations = [
            {"method": "PATCH", "path": path, "data": leave},
            {"method": "PATCH", "path": path, "data": join},
            {"method": "POST", "path": "/Users", "bulkId": "b",
             "data": jane(userName="b", externalId="E2", emails=[{"value": "b@acme.example"}])},
        ]  # fmt: skip
        answer = scim("POST", "/Bulk", {"schemas": [BULK], "Operations": operations}).json["Operations"]
        assert [each["status"] for each in answer] == ["200", "200", "201"]
        after = scim("GET", path).json
        assert [member["value"] for member in after["members"]] == [answer[2]["location"].rpartition("/")[2]]
        assert answer[1]["version"] == after["meta"]["version"]

    def test_operations_for_which_there_is_no_time_are_not_done_and_say_so(
        self, scim: SCIMClient, session: Session, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(handler, "BULK_SECONDS", 0)
        operations = [{"method": "POST", "path": "/Users", "bulkId": "a", "data": jane()}]
        (result,) = scim("POST", "/Bulk", {"schemas": [BULK], "Operations": operations}).json["Operations"]
        assert (result["status"], result["response"]["detail"]) == ("503", handler.NO_TIME)
        assert session.scalars(select(User)).all() == []
        assert (last_line(session).path, last_line(session).detail) == ("/Users", handler.NO_TIME)

    def test_too_many_operations_are_answered_413(self, scim: SCIMClient) -> None:
        operations = [{"method": "DELETE", "path": "/Users/x"}] * 1001
        refused(scim("POST", "/Bulk", {"schemas": [BULK], "Operations": operations}), 413)


class TestProjection:
    """`attributes` and `excludedAttributes` (RFC 7644 section 3.9)."""

    def test_only_what_is_asked_for_is_shown(self, scim: SCIMClient) -> None:
        made = scim("POST", "/Users", jane()).json
        for path in (f"/Users/{made['id']}", "/Users"):
            shown = scim("GET", path, query_string={"attributes": "userName,name.givenName"}).json
            shown = shown["Resources"][0] if path == "/Users" else shown
            assert shown == {
                "schemas": made["schemas"],
                "id": made["id"],
                "userName": made["userName"],
                "name": {"givenName": "Jane"},
            }
        excluded = scim("GET", f"/Users/{made['id']}", query_string={"excludedAttributes": "emails,meta"}).json
        assert {"emails", "meta"}.isdisjoint(excluded)

    def test_a_password_is_taken_and_never_kept_or_shown(self, scim: SCIMClient, session: Session) -> None:
        made = scim("POST", "/Users", jane(password="t1meMa$heen"))
        assert made.status_code == 201
        assert "t1meMa" not in json.dumps(made.json)
        row = session.scalars(select(SCIMUser)).one()
        assert "password" not in row.resource
        assert "password" not in row.search
