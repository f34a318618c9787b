"""Users over HTTP: what clients do all day."""

from tests.scim.conftest import SCIMClient, jane


def test_a_created_user_is_found_by_name_and_number(scim: SCIMClient) -> None:
    answer = scim("POST", "/Users", jane())
    assert answer.status_code == 201, answer.text
    assert answer.content_type == "application/scim+json"
    assert answer.json["active"] is True
    assert answer.headers["Location"] == answer.json["meta"]["location"]
    assert scim.find('userName eq "JANE.carter@acme.example"') == [answer.json]
    assert scim.find('externalId eq "E1001"') == [answer.json]
    assert scim("GET", f"/Users/{answer.json['id']}").json == answer.json
