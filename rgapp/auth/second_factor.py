"""The second factor of staff: codes of an authenticator app (TOTP, RFC 6238) and recovery codes."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from pyotp import TOTP, random_base32
from pyotp.exceptions import OTPVerificationError
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from rgapp.audit import Actor, Tag
from rgapp.auth.staff_events import record_access_event, staff_actor
from rgapp.auth.staff_sessions import drop_sessions
from rgapp.models import Staff, StaffRecoveryCode, StaffSecondFactor, StaffSession
from rgapp.sealing import Sealer
from rgapp.tokens import REFERENCE_ALPHABET, hash_token

ISSUER = "Reward Manager"
DIGITS = 6
WINDOW = 1  # Steps of 30 seconds that a clock may be off, either way (RFC 6238 section 5.2).
BEGUN_LASTS = timedelta(minutes=30)
RECOVERY_CODES = 10
RECOVERY_GROUPS = 4  # of four letters: 78 bits, which nobody finds from the hash.


class Proof(StrEnum):
    """By what somebody took the second step."""

    APP = "app"
    RECOVERY_CODE = "recovery-code"


@dataclass(frozen=True)
class Enrolment:
    """What the authenticator app has to learn: the secret, and the address that a QR code shows."""

    secret: str
    uri: str


def begin(session: Session, staff: Staff, browser: StaffSession, sealer: Sealer, *, now: datetime) -> None:
    """Make a new secret, which counts for nothing until this browser confirms it; does nothing where one counts."""
    # The row of the person is the lock that two requests at once queue for.
    session.execute(select(Staff.id).where(Staff.id == staff.id).with_for_update())
    row = session.get(StaffSecondFactor, staff.id, populate_existing=True)
    if row is None:
        row = StaffSecondFactor(staff_id=staff.id, last_step=0)
        session.add(row)
    elif row.confirmed_at is not None:
        return
    row.sealed_secret = sealer.seal(random_base32())
    row.begun_at, row.begun_by = now, browser.token_hash
    session.flush()


def enrolment_of(
    session: Session, staff: Staff, browser: StaffSession, sealer: Sealer, *, now: datetime
) -> Enrolment | None:
    """Return what this browser began lately and has not confirmed yet, else None."""
    row = _begun(session, staff, browser, now)
    if row is None:
        return None
    secret = sealer.unseal(row.sealed_secret)
    return Enrolment(secret, TOTP(secret).provisioning_uri(name=staff.email, issuer_name=ISSUER))


def confirm(
    session: Session, staff: Staff, browser: StaffSession, sealer: Sealer, typed: str, *, now: datetime
) -> list[str] | None:
    """Switch the second step on by a code of the app, ending other sessions; None where the code is not right.

    Returns the recovery codes, which can be shown this once only.
    """
    row = _begun(session, staff, browser, now)
    step = _step_of(sealer.unseal(row.sealed_secret), typed, now) if row is not None else None
    if step is None:
        return None
    done = session.execute(
        update(StaffSecondFactor)
        .where(StaffSecondFactor.staff_id == staff.id, StaffSecondFactor.confirmed_at.is_(None))
        .values(confirmed_at=now, last_step=step)
    )
    if done.rowcount != 1:  # type: ignore[attr-defined]  # CursorResult has it. Another request was first.
        return None
    staff.second_factor_at = now
    ended = drop_sessions(session, staff, keep=browser)
    record_access_event(session, Tag.STAFF_SECOND_STEP_ON, staff, staff_actor(staff), now=now, sessions=ended)
    return _make_recovery_codes(session, staff)


def prove(session: Session, staff: Staff, sealer: Sealer, typed: str, *, now: datetime) -> Proof | None:
    """Accept a code of the app or a recovery code, each once only; None where it is neither."""
    if is_app_code(typed):
        return Proof.APP if _accept_app_code(session, staff, sealer, typed, now) else None
    used = session.execute(
        update(StaffRecoveryCode)
        .where(
            StaffRecoveryCode.staff_id == staff.id,
            StaffRecoveryCode.code_hash == _recovery_hash(staff, _bare(typed)),
            StaffRecoveryCode.used_at.is_(None),
        )
        .values(used_at=now)
    )
    if used.rowcount != 1 or not staff.has_second_factor:  # type: ignore[attr-defined]  # CursorResult has it.
        return None
    left = recovery_codes_left(session, staff)
    record_access_event(session, Tag.STAFF_RECOVERY_CODE_USED, staff, staff_actor(staff), now=now, left=left)
    return Proof.RECOVERY_CODE


def is_app_code(typed: str) -> bool:
    """Tell whether this has the form of a code of the app, and not of a recovery code."""
    code = _bare(typed)
    return len(code) == DIGITS and code.isascii() and code.isdigit()


def new_recovery_codes(session: Session, staff: Staff, *, now: datetime) -> list[str]:
    """Replace the recovery codes; returns the new ones, which can be shown this once only."""
    record_access_event(session, Tag.STAFF_RECOVERY_CODES_MADE, staff, staff_actor(staff), now=now)
    return _make_recovery_codes(session, staff)


def recovery_codes_left(session: Session, staff: Staff) -> int:
    """Count the recovery codes that still work."""
    unused = select(func.count()).where(StaffRecoveryCode.staff_id == staff.id, StaffRecoveryCode.used_at.is_(None))
    return session.scalar(unused) or 0


def switch_off(
    session: Session, staff: Staff, actor: Actor, *, now: datetime, keep: StaffSession | None = None
) -> bool:
    """Forget the second factor, ending sessions but the one to keep; returns whether there was one.

    The event says whether the person did it, or somebody reset it for them.
    """
    session.execute(delete(StaffRecoveryCode).where(StaffRecoveryCode.staff_id == staff.id))
    session.execute(delete(StaffSecondFactor).where(StaffSecondFactor.staff_id == staff.id))
    if not staff.has_second_factor:
        return False
    staff.second_factor_at = None
    ended = drop_sessions(session, staff, keep=keep)
    tag = Tag.STAFF_SECOND_STEP_OFF if actor.id == staff.id else Tag.STAFF_SECOND_STEP_RESET
    record_access_event(session, tag, staff, actor, now=now, sessions=ended)
    return True


def _begun(session: Session, staff: Staff, browser: StaffSession, now: datetime) -> StaffSecondFactor | None:
    row = session.get(StaffSecondFactor, staff.id)
    if row is None or row.confirmed_at is not None or row.begun_by != browser.token_hash:
        return None
    return row if row.begun_at + BEGUN_LASTS > now else None


def _accept_app_code(session: Session, staff: Staff, sealer: Sealer, typed: str, now: datetime) -> bool:
    """Accept a code once: only a time step later than the last one moves it on, in whichever process comes first."""
    row = session.get(StaffSecondFactor, staff.id)
    if row is None or row.confirmed_at is None:
        return False
    step = _step_of(sealer.unseal(row.sealed_secret), typed, now)
    if step is None:
        return False
    moved = session.execute(
        update(StaffSecondFactor)
        .where(StaffSecondFactor.staff_id == staff.id, StaffSecondFactor.last_step < step)
        .values(last_step=step)
    )
    return bool(moved.rowcount == 1)  # type: ignore[attr-defined]  # CursorResult has it.


def _step_of(secret: str, typed: str, now: datetime) -> int | None:
    """Return the time step of a code that is valid now, else None."""
    if not is_app_code(typed):
        return None
    try:
        return TOTP(secret, digits=DIGITS).verify_and_get_timecode(_bare(typed), for_time=now, valid_window=WINDOW)
    except OTPVerificationError:
        return None


def _make_recovery_codes(session: Session, staff: Staff) -> list[str]:
    session.execute(delete(StaffRecoveryCode).where(StaffRecoveryCode.staff_id == staff.id))
    codes = [
        "-".join("".join(secrets.choice(REFERENCE_ALPHABET) for _ in range(4)) for _ in range(RECOVERY_GROUPS))
        for _ in range(RECOVERY_CODES)
    ]
    session.add_all(
        StaffRecoveryCode(staff_id=staff.id, code_hash=_recovery_hash(staff, _bare(code))) for code in codes
    )
    session.flush()
    return codes


def _bare(typed: str) -> str:
    """Return a code as it counts, however it was typed: without spaces and hyphens, in capitals."""
    return "".join(letter for letter in typed[:100] if letter.isalnum()).upper()


def _recovery_hash(staff: Staff, code: str) -> str:
    return hash_token(f"{staff.id}:{code}")
