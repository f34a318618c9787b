"""Programmes whose staff sign in with a second step: who has to set one up first."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from rgapp.models import Programme, Staff, StaffGrant


def programme_that_asks(session: Session, staff: Staff, programme: Programme | None = None) -> Programme | None:
    """Return a programme that asks this person for a second step which they have not set up, else None.

    `programme`: the one they want to open; without it, any of those that they may see.
    """
    if staff.has_second_factor:
        return None
    if programme is not None:
        return programme if programme.second_factor_required else None
    asking = select(Programme).where(Programme.second_factor_required).order_by(Programme.name).limit(1)
    if not staff.sees_all:
        asking = asking.join(StaffGrant, StaffGrant.programme_id == Programme.id).where(StaffGrant.staff_id == staff.id)
    return session.scalar(asking)
