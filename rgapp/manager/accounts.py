"""Sign staff in, in one step or two, and out, with the event of each."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from rgapp.audit import Tag, record_event
from rgapp.auth import challenges
from rgapp.auth import staff as accounts
from rgapp.auth.second_factor import prove
from rgapp.auth.staff_events import record_access_event, staff_actor
from rgapp.models import Staff
from rgapp.sealing import Sealer


@dataclass(frozen=True)
class SignedIn:
    """Who signed in, and the token for the cookie."""

    staff: Staff
    token: str


@dataclass(frozen=True)
class OwesSecondStep:
    """Who gave the right password only, and the token of the cookie for the second step."""

    staff: Staff
    token: str


def after_password(session: Session, person: Staff, *, user_agent: str, now: datetime) -> SignedIn | OwesSecondStep:
    """Open a session for somebody whose password was right, or let them take the second step first."""
    if person.has_second_factor:
        return OwesSecondStep(person, challenges.open_challenge(session, person, now=now))
    return SignedIn(person, accounts.open_session(session, person, user_agent=user_agent, now=now))


def note_refusal(session: Session, email: str, *, now: datetime) -> None:
    """Record that a password was refused for somebody known; what was typed is not kept, it may be a password too."""
    known = accounts.find_staff(session, email.strip())
    if known is not None:
        facts = {"deactivated": known.deactivated_at is not None}
        actor = staff_actor(known)
        record_event(session, Tag.STAFF_SIGN_IN_REFUSED, actor, now=now, programme_id=None, facts=facts)


def second_step(
    session: Session, token: str, typed: str, *, sealer: Sealer, user_agent: str, now: datetime
) -> SignedIn | None:
    """Open a session, with a token of its own, for the right code; None where the code is not, or was used before."""
    person = challenges.staff_of_challenge(session, token, now=now)
    if person is None:
        return None
    proof = prove(session, person, sealer, typed, now=now)
    if proof is None:
        challenges.note_refusal(session, token)
        note_refused_code(session, person, now=now)
        return None
    if not challenges.use_up(session, token):
        return None
    opened = accounts.open_session(session, person, user_agent=user_agent, now=now, second_step=proof.value)
    return SignedIn(person, opened)


def note_refused_code(session: Session, person: Staff, *, now: datetime) -> None:
    """Record that somebody gave the right password and a wrong code, at a sign-in or signed in."""
    record_access_event(session, Tag.STAFF_SECOND_STEP_REFUSED, person, staff_actor(person), now=now)


def sign_out(session: Session, person: Staff, token: str, *, now: datetime) -> None:
    """End this browser's session."""
    accounts.close_session(session, token)
    record_event(session, Tag.STAFF_SIGNED_OUT, staff_actor(person), now=now, programme_id=None)
