"""The simulated BambooHR answers as the description says, and goes wrong as it is told to."""

import base64
from typing import Any

import pytest
from flask.testing import FlaskClient

from rgapp.demo.bamboohr.access import Door
from rgapp.demo.bamboohr.company import employee
from rgapp.demo.bamboohr.service import KEY, create


@pytest.fixture
def client() -> FlaskClient:
    """Return a client of an account with thirty people."""
    return create(30).test_client()


def key(name: str = KEY) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:x".encode()).decode()}


def bearer(client: FlaskClient) -> dict[str, str]:
    token = client.post("/_control", json={"consent": True}).get_json()["access_token"]
    return {"Authorization": f"Bearer {token}"}


def data(client: FlaskClient, **body: Any) -> Any:
    return client.post("/api/v2/datasets/employee/data", json=body, headers=key())


def test_people_are_made_from_their_number_alone() -> None:
    assert employee(7) == employee(7)
    addresses = {employee(number)["workEmail"] for number in range(1, 5_001)}
    assert len(addresses) == 5_000


@pytest.mark.parametrize("headers", [{}, key("wrong"), {"Authorization": "Bearer wrong"}, {"Authorization": "Basic ?"}])
def test_who_is_not_signed_in_gets_no_body(client: FlaskClient, headers: dict[str, str]) -> None:
    answer = client.get("/api/v1/meta/fields", headers=headers)
    assert (answer.status_code, answer.data) == (401, b"")
    assert answer.headers["X-BambooHR-Error-Message"]


def test_what_is_not_simulated_is_not_there(client: FlaskClient) -> None:
    answer = client.get("/api/v1/payroll", headers=key())
    assert (answer.status_code, answer.data) == (404, b"")


def test_fields_have_labels_and_some_no_alias(client: FlaskClient) -> None:
    fields = client.get("/api/v1/meta/fields", headers=key()).get_json()
    assert {"id", "name", "type"} <= set(fields[0])
    assert {"Employee #", "Work Email", "Birth Date"} <= {field["name"] for field in fields}
    assert any("alias" not in field for field in fields)
    assert any(field.get("deprecated") for field in fields)


def test_the_dataset_comes_in_pages(client: FlaskClient) -> None:
    answer = data(client, fields=["eeid", "employeeNumber"], orderBy="eeid asc", page=3, pageSize=12).get_json()
    assert answer["meta"] == {"page": 3, "pageSize": 12, "totalPages": 3, "totalItems": 30}
    assert [row["fields"]["eeid"] for row in answer["data"]] == [str(number) for number in range(125, 131)]
    assert answer["links"]["next"] is None


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"fields": ["nothing"]}, 400),
        ({"fields": ["eeid"], "pageSize": 1_001}, 422),
        ({"fields": ["eeid"], "page": 0}, 422),
        ({"fields": ["eeid"], "orderBy": "status asc"}, 422),
        ({"fields": ["eeid"], "filter": "status eq 'Active'"}, 422),
    ],
)
def test_a_wrong_question_is_a_problem(client: FlaskClient, body: dict[str, Any], status: int) -> None:
    answer = data(client, **body)
    assert answer.status_code == status
    assert answer.get_json()["status"] == status


def test_the_older_dataset_is_flat(client: FlaskClient) -> None:
    url = "/api/v1/datasets/employee?page=2&page_size=20"
    answer = client.post(url, json={"fields": ["firstName"]}, headers=key()).get_json()
    assert len(answer["data"]) == 10
    assert answer["pagination"]["total_records"] == 30


def test_the_list_is_for_consents_alone_and_knows_no_number(client: FlaskClient) -> None:
    assert client.get("/api/v1/employees", headers=key()).status_code == 403
    headers, seen, query = bearer(client), [], "page[limit]=20&filter[status]=active&fields=workEmail,employeeNumber"
    for _ in range(2):
        answer = client.get(f"/api/v1/employees?{query}", headers=headers).get_json()
        seen += answer["data"]
        query = f"page[limit]=20&page[after]={answer['meta']['page']['nextCursor']}"
    assert answer["meta"]["page"]["nextCursor"] is None
    assert len({row["employeeId"] for row in seen}) == 30
    assert "employeeNumber" not in seen[0]
    assert client.get("/api/v1/employees?page[after]=x", headers=headers).get_json()["error"]["code"] == "BadPage"


@pytest.mark.parametrize(("how", "shown"), [("omitted", {}), ("null", {"lastName": None}), ("empty", {"lastName": ""})])
def test_fields_may_be_hidden_in_three_ways(client: FlaskClient, how: str, shown: dict[str, Any]) -> None:
    client.post("/_control", json={"sight": {"hidden": {"lastName": how}}})
    answer = client.get("/api/v1/employees/101?fields=lastName,firstName", headers=key()).get_json()
    assert answer == {"id": "101", "firstName": "Femi"} | shown
    row = data(client, fields=["lastName"], pageSize=1).get_json()["data"][0]["fields"]
    assert row == shown


def test_who_is_inactive_or_has_no_access_is_not_returned(client: FlaskClient) -> None:
    client.post("/_control", json={"put": {"101": {"status": "Inactive"}}, "sight": {"no_access": ["102"]}})
    assert data(client, fields=["eeid"]).get_json()["meta"]["totalItems"] == 28
    assert client.get("/api/v1/employees/101", headers=key()).status_code == 404
    assert client.get("/api/v1/employees/102", headers=key()).status_code == 404
    assert len(client.get("/api/v1/employees/directory", headers=key()).get_json()["employees"]) == 28


def test_changes_are_told_since_a_moment(client: FlaskClient) -> None:
    url = "/api/v1/employees/changed?since=2026-01-01T00:00:00Z"
    assert client.get(url, headers=key()).get_json()["employees"] == []
    client.post("/_control", json={"put": {"101": {"lastName": "New"}, "140": {}}, "delete": ["102"]})
    changed = client.get(url, headers=key()).get_json()["employees"]
    assert {each: changed[each]["action"] for each in changed} == {
        "101": "Updated",
        "140": "Inserted",
        "102": "Deleted",
    }
    assert client.get("/api/v1/employees/changed?since=soon", headers=key()).status_code == 400


def test_a_consent_gives_a_code_that_counts_once(client: FlaskClient) -> None:
    door, back = Door(set()), "https://rewards.example/back"
    asked = {"response_type": "code", "client_id": door.client_id, "redirect_uri": back, "state": "s"}
    assert b"Allow" in client.get("/authorize.php", query_string=asked).data
    denied = client.post("/authorize.php", data=asked | {"answer": "deny"})
    assert denied.location == f"{back}?error=access_denied&state=s"
    location = client.post("/authorize.php", data=asked | {"answer": "allow"}).location
    code = location.partition("code=")[2].partition("&")[0]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back, "client_id": door.client_id}
    form["client_secret"] = door.client_secret
    tokens = client.post("/token.php?request=token", data=form).get_json()
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert client.get("/api/v1/meta/fields", headers=headers).status_code == 200
    assert client.post("/token.php", data=form).get_json() == {"error": "invalid_grant"}


def test_a_refresh_token_counts_until_its_successor_is_used(client: FlaskClient) -> None:
    door = Door(set())
    first = client.post("/_control", json={"consent": True}).get_json()["refresh_token"]
    form = {"grant_type": "refresh_token", "client_id": door.client_id, "client_secret": door.client_secret}

    def renew(token: str) -> Any:
        return client.post("/token.php", json=form | {"refresh_token": token})

    second = renew(first).get_json()["refresh_token"]
    assert renew(first).status_code == 200
    assert renew(second).status_code == 200
    assert renew(first).get_json() == {"error": "invalid_grant"}


def test_requests_go_wrong_by_their_number(client: FlaskClient) -> None:
    client.post(
        "/_control", json={"faults": [{"kind": "rate", "at": [2], "seconds": 3}, {"kind": "error", "since": 4}]}
    )
    answers = [client.get("/api/v1/meta/fields", headers=key()) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 429, 200, 500, 500]
    assert answers[1].headers["Retry-After"] == "3"
    assert client.get("/_control").get_json()["requests"] == 5
