"""The last passwords of staff and employees, as hashes: read before a new one is chosen, kept when it is stored."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from rgapp.auth.passwords import NOT_REUSED, NewPassword
from rgapp.models import Staff, StaffPassword, User, UserPassword


def earlier_hashes(session: Session, person: Staff | User) -> list[str]:
    """Return the hashes of the last ten passwords of somebody, the present one among them, newest first."""
    hashes = [row.password_hash for row in _rows(session, person)]
    if person.password_hash and person.password_hash not in hashes:
        hashes.insert(0, person.password_hash)  # It was set before hashes were kept.
    return hashes[:NOT_REUSED]


def store_password(session: Session, person: Staff | User, new: NewPassword, *, now: datetime) -> None:
    """Make this the person's password, and keep the hashes of the last ten."""
    rows = _rows(session, person)
    if person.password_hash and person.password_hash not in {row.password_hash for row in rows}:
        rows.insert(0, _add(session, person, person.password_hash, now))
    for row in rows[NOT_REUSED - 1 :]:
        session.delete(row)
    _add(session, person, new.hashed, now)
    person.password_hash = new.hashed
    session.flush()


def _rows(session: Session, person: Staff | User) -> list[StaffPassword | UserPassword]:
    if isinstance(person, Staff):
        mine = select(StaffPassword).where(StaffPassword.staff_id == person.id)
        return list(session.scalars(mine.order_by(StaffPassword.set_at.desc(), StaffPassword.id.desc())))
    theirs = select(UserPassword).where(
        UserPassword.programme_id == person.programme_id, UserPassword.user_id == person.id
    )
    return list(session.scalars(theirs.order_by(UserPassword.set_at.desc(), UserPassword.id.desc())))


def _add(session: Session, person: Staff | User, hashed: str, now: datetime) -> StaffPassword | UserPassword:
    row: StaffPassword | UserPassword
    if isinstance(person, Staff):
        row = StaffPassword(staff_id=person.id, password_hash=hashed, set_at=now)
    else:
        row = UserPassword(programme_id=person.programme_id, user_id=person.id, password_hash=hashed, set_at=now)
    session.add(row)
    session.flush()
    return row
