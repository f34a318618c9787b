"""The state between password and second step: short, on the server, for one browser, and never signed in."""

from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from rgapp.models import Staff, StaffChallenge
from rgapp.tokens import hash_token, new_token

CHALLENGE_LASTS = timedelta(minutes=10)
# After so many wrong codes the password is asked for again.
MOST_REFUSED = 5


def open_challenge(session: Session, staff: Staff, *, now: datetime) -> str:
    """Let a browser that gave the right password take the second step; returns the token for its cookie."""
    token = new_token()
    session.add(
        StaffChallenge(
            token_hash=hash_token(token), staff_id=staff.id, created_at=now, expires_at=now + CHALLENGE_LASTS
        )
    )
    session.flush()
    return token


def staff_of_challenge(session: Session, token: str, *, now: datetime) -> Staff | None:
    """Return who owes the second step in the browser with this token, else None."""
    row = session.get(StaffChallenge, hash_token(token))
    if row is None or row.expires_at <= now or row.refused >= MOST_REFUSED:
        return None
    staff = session.get(Staff, row.staff_id)
    return staff if staff is not None and staff.is_active and staff.has_second_factor else None


def use_up(session: Session, token: str) -> bool:
    """End the state; returns whether it was this call that did, so that it opens one session at most."""
    gone = session.execute(delete(StaffChallenge).where(StaffChallenge.token_hash == hash_token(token)))
    return bool(gone.rowcount == 1)  # type: ignore[attr-defined]  # CursorResult has it.


def note_refusal(session: Session, token: str) -> None:
    """Count a wrong code."""
    row = session.get(StaffChallenge, hash_token(token), with_for_update=True)
    if row is not None:
        row.refused += 1
        session.flush()
