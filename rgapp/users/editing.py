"""Create and change people by hand: the same rules and the same write path as every other source."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from rgapp.audit import Actor, Tag, record_event
from rgapp.mail.outbox import resend_welcome
from rgapp.models import Programme, User, UserStatus
from rgapp.provisioning import (
    Field,
    FieldRule,
    Outcome,
    OutcomeKind,
    Problem,
    ProblemCode,
    Reading,
    Refusal,
    SourceRecord,
    hand_policy,
    provision,
    read_record,
)
from rgapp.provisioning.matching import find
from rgapp.provisioning.ownership import owned_fields
from rgapp.users.person import waiting_welcome

ISO_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}")


@dataclass(frozen=True)
class Conflict:
    """A value that identifies somebody else already."""

    holder: User


@dataclass(frozen=True)
class Rejected:
    """Everything that is wrong, by field; nothing was written."""

    problems: Mapping[Field, Problem | Conflict] = field(default_factory=dict)


@dataclass(frozen=True)
class Saved:
    """What was decided and written; `released` is the leaver whose e-mail address passed to this person."""

    outcome: Outcome
    released: User | None = None


class NotMailable(ValueError):
    """No welcome e-mail can go to this person; `reason` is `leaver`, `no_email` or `on_its_way`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def read_values(values: Mapping[Field, str], programme: Programme, *, now: datetime) -> Reading:
    """Read what a person typed; an empty recommended field clears the value.

    Browsers send dates in ISO form; where one has no calendar, people write the region's usual form.
    """
    typed = values.get(Field.DATE_OF_BIRTH, "").strip()
    date_format = "%Y-%m-%d" if ISO_DATE.fullmatch(typed) or not typed else programme.usual_date_format
    rules = {name: FieldRule(name.value, date_format if name is Field.DATE_OF_BIRTH else None) for name in Field}
    record = SourceRecord("a form", {name.value: [values.get(name, "")] for name in Field})
    today = now.astimezone(programme.zone).date()
    return read_record(record, rules, today=today, blank_clears=True)


def save(
    session: Session,
    programme: Programme,
    values: Mapping[Field, str],
    *,
    actor: Actor,
    now: datetime,
    target: User | None = None,
    welcome_email: bool = False,
) -> Saved | Rejected:
    """Create a person, or change `target`; every problem comes back at once. The caller commits, or rolls back."""
    values = dict(values)
    if target is not None:
        for name in owned_fields(session, target, by_others_than=None):
            values[name] = as_text(getattr(target, name.value))
    reading = read_values(values, programme, now=now)
    problems: dict[Field, Problem | Conflict] = {e.field: e.problem for e in reading.fields if e.problem is not None}
    match = find(session, programme.id, reading.person, target_id=target.id if target is not None else None)
    holder = match.membership_holder if target is not None else match.user
    if holder is not None:
        problems.setdefault(Field.MEMBERSHIP_NO, Conflict(holder.row(session)))
    released = match.email_holder.row(session) if match.email_holder is not None else None
    if released is not None and released.status == UserStatus.ACTIVE:
        problems.setdefault(Field.EMAIL, Conflict(released))
    if problems:
        return Rejected(problems)
    policy = hand_policy(staff_name=actor.label, welcome_email=welcome_email)
    outcome = provision(
        session, programme.id, reading, policy, actor, now=now, target_id=target.id if target is not None else None
    )
    if not outcome.accepted or (target is None and outcome.kind is not OutcomeKind.CREATED):
        # Somebody else was quicker between our look and the write; the caller undoes whatever was written.
        return _lost_race(session, programme, outcome)
    return Saved(outcome, released if outcome.kind is not OutcomeKind.UNCHANGED else None)


def _lost_race(session: Session, programme: Programme, outcome: Outcome) -> Rejected:
    if outcome.refusal is Refusal.OWNED_FIELDS:
        return Rejected({name: Problem(ProblemCode.OWNED) for name in outcome.blocked})
    name = Field.EMAIL if outcome.refusal is Refusal.EMAIL_CONFLICT else Field.MEMBERSHIP_NO
    holder_id = outcome.conflict_user_id or outcome.user_id
    holder = session.get(User, (programme.id, holder_id)) if holder_id is not None else None
    return Rejected({name: Conflict(holder)} if holder is not None else {})


def send_welcome_again(session: Session, user: User, *, actor: Actor, now: datetime) -> None:
    """Put the welcome e-mail on its way once more.

    Raises `NotMailable`.
    """
    if user.status != UserStatus.ACTIVE:
        raise NotMailable("leaver")
    if user.email is None:
        raise NotMailable("no_email")
    if waiting_welcome(session, user) is not None:
        raise NotMailable("on_its_way")
    resend_welcome(session, user.programme_id, user.id, user.email, now=now)
    record_event(
        session,
        Tag.USER_WELCOME_RESENT,
        actor,
        now=now,
        programme_id=user.programme_id,
        user_id=user.id,
        facts={"recipient": user.email},
    )
    session.flush()


def values_of(user: User) -> dict[str, str]:
    """Return a person's fields as a form shows them."""
    return {name.value: as_text(getattr(user, name.value)) for name in Field}


def as_text(value: Any) -> str:
    """Return a stored value as the text of a form field; dates in ISO form."""
    return "" if value is None else str(value)
