"""Identifier check of a SCIM client: what it called people last, compared with the people already here."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from rgapp.integrations.identifiers import MOST_LOOKED_AT, Claimed, IdentifierCheck, Known, compare, shape_of
from rgapp.integrations.scim.paths import values_of
from rgapp.models import Integration, SCIMRequest, SCIMUser
from rgapp.provisioning.record import Field, InvalidValue
from rgapp.provisioning.validation import clean_identifier, email_key

__all__ = ["Claimed", "IdentifierCheck", "Known", "check", "shape_of"]


def check(session: Session, integration: Integration) -> IdentifierCheck:
    """Compare what the client sent last, read with the draft's mapping, with the people of the programme."""
    mapping = integration.draft.get("mapping") or {}
    attribute = str((mapping.get(Field.MEMBERSHIP_NO.value) or {}).get("attribute") or "")
    from_log, stale = _from_log(session, integration, attribute)
    claimed = {one.number: one for one in from_log}
    for one in _from_resources(session, integration, attribute, mapping):
        claimed.setdefault(one.number, one)
    return compare(session, integration, list(claimed.values()), attribute=attribute, stale=stale)


def _from_log(session: Session, integration: Integration, attribute: str) -> tuple[list[Claimed], int]:
    rows = session.execute(
        select(SCIMRequest.membership_no, SCIMRequest.email_key, SCIMRequest.person, SCIMRequest.fields)
        .where(
            SCIMRequest.programme_id == integration.programme_id,
            SCIMRequest.integration_id == integration.id,
            SCIMRequest.membership_no.is_not(None),
        )
        .order_by(SCIMRequest.at.desc())
        .limit(MOST_LOOKED_AT)
    )
    found, stale = [], 0
    for number, address, person, fields in rows:
        if _looked_for(fields) == attribute:
            name = (person or "").removesuffix(f"({number})").strip()
            found.append(Claimed(number, address, name if name != number else ""))
        else:
            stale += 1
    return found, stale


def _looked_for(fields: list[Any]) -> str:
    entry = next((one for one in fields if one["field"] == Field.MEMBERSHIP_NO), None)
    return str(entry["looked_for"]) if entry else ""


def _from_resources(
    session: Session, integration: Integration, attribute: str, mapping: dict[str, Any]
) -> Iterable[Claimed]:
    if not attribute:
        return
    rows = session.scalars(
        select(SCIMUser.resource)
        .where(SCIMUser.programme_id == integration.programme_id, SCIMUser.integration_id == integration.id)
        .limit(MOST_LOOKED_AT)
    )
    address_path = str((mapping.get(Field.EMAIL.value) or {}).get("attribute") or "")
    for resource in rows:
        numbers = values_of(resource, attribute)
        addresses = values_of(resource, address_path) if address_path else []
        if len(numbers) != 1:
            continue
        try:
            number = clean_identifier(numbers[0])
        except InvalidValue:
            continue
        address = email_key(addresses[0]) if len(addresses) == 1 else None
        yield Claimed(number, address, addresses[0] if address else "")
