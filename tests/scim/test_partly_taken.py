"""What a request says and we do not take: the answer does not claim it, and the log says so."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from rgapp.integrations.scim.log import ONLY_LEAVES
from rgapp.models import SCIMRequest, User, UserStatus
from tests.scim.conftest import SCIMClient, jane
from tests.scim.test_protocol import patch


def line(session: Session) -> SCIMRequest:
    """Return the newest line of the log."""
    return session.scalars(select(SCIMRequest).order_by(SCIMRequest.id.desc()).limit(1)).one()


def test_who_leaves_with_somebody_elses_address_leaves_and_nothing_else_is_claimed(
    scim: SCIMClient, session: Session
) -> None:
    scim("POST", "/Users", jane(userName="bob", externalId="E9", emails=[{"value": "bob@acme.example"}]))
    made: dict[str, Any] = scim("POST", "/Users", jane()).json
    change = patch(
        {"op": "replace", "path": "active", "value": False},
        {"op": "replace", "path": "emails", "value": [{"value": "bob@acme.example", "primary": True}]},
    )
    answer = scim("PATCH", f"/Users/{made['id']}", change)
    assert (answer.status_code, answer.json["active"]) == (200, False)
    assert answer.json["emails"] == made["emails"]
    user = session.scalars(select(User).where(User.membership_no == "E1001")).one()
    assert (user.status, user.email) == (UserStatus.LEAVER, "jane.carter@acme.example")
    assert (line(session).outcome, line(session).detail) == ("deactivated", ONLY_LEAVES)
