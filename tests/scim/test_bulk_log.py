"""The log of a bulk request: a line for each operation, for each is about somebody else."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from rgapp.models import SCIMRequest
from tests.scim.conftest import SCIMClient, jane

BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"


def sent(number: str, bulk_id: str = "", **changes: Any) -> dict[str, Any]:
    """Return one operation that creates somebody."""
    name = f"user{number}@acme.example"
    data = jane(externalId=number, userName=name, emails=[{"value": name, "primary": True}], **changes)
    return {"method": "POST", "path": "/Users", "bulkId": bulk_id or f"of{number}", "data": data}


def lines(session: Session) -> Sequence[SCIMRequest]:
    return session.scalars(select(SCIMRequest).order_by(SCIMRequest.id)).all()


def test_each_operation_has_its_own_line(session: Session, scim: SCIMClient) -> None:
    group = {"method": "POST", "path": "/Groups", "bulkId": "g", "data": {"schemas": [GROUP], "displayName": "All"}}
    operations = [sent("E1"), sent("E2"), sent("E1", "again"), group]
    answer = scim("POST", "/Bulk", {"schemas": [BULK], "Operations": operations})
    assert answer.status_code == 200, answer.text
    whole, *parts = lines(session)
    assert (whole.path, whole.outcome, whole.status, whole.person) == ("/Bulk", "read", 200, None)
    assert [(one.path, one.status, one.outcome, one.membership_no) for one in parts] == [
        ("/Users", 201, "created", "E1"),
        ("/Users", 201, "created", "E2"),
        ("/Users", 409, parts[2].outcome, "E1"),
        ("/Groups", 201, "created", None),
    ]
    assert not parts[2].accepted
    assert parts[2].scim_type == "uniqueness"


def test_a_record_that_is_wrong_says_why_in_its_own_line(session: Session, scim: SCIMClient) -> None:
    wrong = sent("")
    del wrong["data"]["externalId"]
    scim("POST", "/Bulk", {"schemas": [BULK], "Operations": [wrong, sent("E2")]})
    _, bad, good = lines(session)
    assert (bad.accepted, bad.status) == (False, 400)
    assert "externalId" in bad.detail
    assert good.accepted
