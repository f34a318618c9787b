"""A SCIM integration as a draft and live, with requests in its log."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from rgapp.clock import utcnow
from rgapp.integrations.registry import kind_of
from rgapp.integrations.scim.kind import KIND
from rgapp.models import Integration, Programme, SCIMRequest
from rgapp.models.base import new_id
from tests.factories import Factory


@pytest.fixture
def scim_settings(acme: Programme) -> dict[str, Any]:
    """Return what a new draft of a SCIM integration says."""
    return kind_of(KIND).new_draft("scim", acme)


@pytest.fixture
def draft(make: Factory, acme: Programme, scim_settings: dict[str, Any]) -> Integration:
    """Return a complete draft that nobody tested."""
    return make.integration(acme, scim_settings, name="Entra", published=False, kind=KIND, provider="entra-scim")


@pytest.fixture
def live(make: Factory, acme: Programme, scim_settings: dict[str, Any]) -> Integration:
    """Return a published integration."""
    return make.integration(acme, scim_settings, name="Entra", kind=KIND, provider="entra-scim")


def field(name: str, value: str | None, looked_for: str, **changed: Any) -> dict[str, Any]:
    """Return one verdict on a field, as the log keeps it."""
    return {
        "field": name,
        "level": "mandatory" if name in ("membership_no", "email") else "recommended",
        "looked_for": looked_for,
        "raw": [value] if value else [],
        "value": value,
        "state": "ok" if value else "missing",
        "code": "" if value else "missing",
        "data": {},
        "suggestion": None,
    } | changed


@pytest.fixture
def logged(session: Session) -> Callable[..., SCIMRequest]:
    """Return a function that stores a line of the log."""

    def store(integration: Integration, at: datetime | None = None, **values: Any) -> SCIMRequest:
        moment = at or utcnow()
        number = values.get("membership_no", "E1001")
        details: dict[str, Any] = {
            "method": "POST",
            "path": "/Users",
            "status": 201,
            "outcome": "created",
            "accepted": True,
            "listening": False,
            "person": f"Jane Carter ({number})",
            "membership_no": number,
            "email_key": "jane.carter@acme.example",
            "fields": [
                field("membership_no", number, "externalId"),
                field("email", "jane.carter@acme.example", "emails[primary eq true].value"),
            ],
            "arrived": ["externalId", "userName", "name.givenName"],
            "token_hint": "ab12",
        } | values
        row = SCIMRequest(
            programme_id=integration.programme_id,
            id=new_id(),
            integration_id=integration.id,
            at=moment,
            expires_at=moment + timedelta(days=30),
            **details,
        )
        session.add(row)
        session.flush()
        return row

    return store


REFUSED = {
    "status": 409,
    "accepted": False,
    "outcome": "rejected",
    "reason": "email_conflict",
    "scim_type": "uniqueness",
    "detail": "The address belongs to another Membership No.",
}
