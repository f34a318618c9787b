"""Sign staff in and out, with the event of each."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from rgapp.audit import Tag, record_event
from rgapp.auth import staff as accounts
from rgapp.models import Staff


@dataclass(frozen=True)
class SignedIn:
    """Who signed in, and the token for the cookie."""

    staff: Staff
    token: str


def sign_in(session: Session, email: str, password: str, *, user_agent: str, now: datetime) -> SignedIn | None:
    """Open a session for the right password; None for every cause of refusal, which all look the same outside."""
    person = accounts.authenticate(session, email, password)
    if person is None:
        known = accounts.find_staff(session, email.strip())
        if known is not None:
            # What was typed is not kept: it may be a password in the wrong box.
            record_event(
                session,
                Tag.STAFF_SIGN_IN_REFUSED,
                accounts.staff_actor(known),
                now=now,
                programme_id=None,
                facts={"deactivated": known.deactivated_at is not None},
            )
        return None
    return SignedIn(person, accounts.open_session(session, person, user_agent=user_agent, now=now))


def sign_out(session: Session, person: Staff, token: str, *, now: datetime) -> None:
    """End this browser's session."""
    accounts.close_session(session, token)
    record_event(session, Tag.STAFF_SIGNED_OUT, accounts.staff_actor(person), now=now, programme_id=None)
