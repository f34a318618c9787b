"""The one write path for records of users: what each means, and what is written, with its event and its mail."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, update
from sqlalchemy.orm import Session

from rgapp.audit import Actor, Tag, record_event
from rgapp.mail.outbox import put_welcome
from rgapp.models import ExternalIdentity, User, UserStatus
from rgapp.models.base import new_id
from rgapp.models.prepared import Prepared
from rgapp.models.rows import insert_if_new, together
from rgapp.provisioning import matching
from rgapp.provisioning.changing import change, state_of
from rgapp.provisioning.decision import decide
from rgapp.provisioning.facts import creation_facts, gaps_of, source_of
from rgapp.provisioning.ownership import owned_fields
from rgapp.provisioning.policy import Policy
from rgapp.provisioning.record import (
    Field,
    FieldValue,
    Outcome,
    OutcomeKind,
    PersonRecord,
    Reading,
    Refusal,
)
from rgapp.provisioning.validation import email_key, name_key

RACES_LOST_BEFORE_GIVING_UP = 3


_USERS = User.__table__.c
_SIGNED_IN = Prepared(
    lambda _: (
        update(User)
        .where(
            _USERS.programme_id == bindparam("of_programme"),
            _USERS.id == bindparam("of_user"),
            _USERS.status == bindparam("active"),
        )
        .values(last_sign_in_at=bindparam("now"))
    )
)


_IDENTITIES = ExternalIdentity.__table__.c
_UNLINK = Prepared(
    lambda _: delete(ExternalIdentity).where(
        _IDENTITIES.programme_id == bindparam("of_programme"),
        _IDENTITIES.integration_id == bindparam("of_integration"),
        _IDENTITIES.external_id == bindparam("gone"),
        _IDENTITIES.user_id == bindparam("of_user"),
    )
)


class ProvisioningConflict(RuntimeError):
    """The same person was written by others again and again while we tried; the caller may try later."""


def preview(
    session: Session,
    programme_id: uuid.UUID,
    reading: Reading,
    policy: Policy,
    *,
    target_id: uuid.UUID | None = None,
) -> Outcome:
    """Return what `provision` would decide now, writing nothing (the dry run)."""
    outcome, _ = _decide(session, programme_id, reading, policy, target_id)
    return outcome


def provision(
    session: Session,
    programme_id: uuid.UUID,
    reading: Reading,
    policy: Policy,
    actor: Actor,
    *,
    now: datetime,
    target_id: uuid.UUID | None = None,
    signs_in: bool = False,
) -> Outcome:
    """Decide about one record and write what follows in the caller's transaction, which the caller commits.

    With `signs_in` the person signs in with this record; that is noted where it is accepted.

    Exactly one audit event follows from a change and none from UNCHANGED or REJECTED; at most one welcome e-mail, on
    CREATED. Two first sign-ins at once both insert; the unique constraints let one win, and the other finds the
    winner's row on its next look and goes on with it.

    Raises `ProvisioningConflict` when that race is lost three times in a row, or that for an external identity once.
    """
    for _ in range(RACES_LOST_BEFORE_GIVING_UP):
        outcome, match = _decide(session, programme_id, reading, policy, target_id)
        if outcome.kind is not OutcomeKind.CREATED:
            if match.user is not None and outcome.accepted:
                user = {"of_programme": programme_id, "of_user": match.user.id}
                if signs_in and _SIGNED_IN.run(session, {**user, "active": UserStatus.ACTIVE, "now": now}) != 1:
                    # She left after we looked. From here on her row is locked: who takes her out now waits until the
                    # session is there, and ends it.
                    return Outcome(OutcomeKind.REJECTED, reading, match.user.id, refusal=Refusal.LEAVER)
                _release_email(session, match, outcome, policy, actor, now)
                if not (match.linked or outcome.only_leaves):
                    _link(session, programme_id, match.user.id, reading.person, policy, now, match.identity_holder)
                change(session, match.user, outcome, policy, actor, now)
            return outcome
        _release_email(session, match, outcome, policy, actor, now)
        user_id = _insert(session, programme_id, reading, policy, now, signs_in)
        if user_id is not None:
            return _finish_creation(session, programme_id, user_id, outcome, policy, actor, now)
    raise ProvisioningConflict


def _decide(
    session: Session, programme_id: uuid.UUID, reading: Reading, policy: Policy, target_id: uuid.UUID | None
) -> tuple[Outcome, matching.Match]:
    match = matching.find(
        session, programme_id, reading.person, integration_id=policy.integration_id, target_id=target_id
    )
    outcome = decide(
        reading,
        match,
        policy,
        lambda user: owned_fields(session, state_of(session, user), by_others_than=policy.integration_id),
    )
    return outcome, match


def _insert(
    session: Session, programme_id: uuid.UUID, reading: Reading, policy: Policy, now: datetime, signs_in: bool
) -> uuid.UUID | None:
    """Insert the account; return None where another transaction holds its Membership No. or e-mail by now."""
    user_id = new_id()
    person = reading.person
    waits = person.active is False  # She has an account, and access from the day on which her source says so.
    names = {field: _value(person, field) for field in Field}
    sources = {field.value: source_of(policy, now) for field, value in names.items() if value is not None}
    gaps = gaps_of(reading, names)
    row: dict[str, Any] = {
        "programme_id": programme_id,
        "id": user_id,
        **{field.value: value for field, value in names.items()},
        "email_key": email_key(str(names[Field.EMAIL])),
        "first_key": name_key(person.first_name or None),
        "last_key": name_key(person.last_name or None),
        "status": UserStatus.LEAVER if waits else UserStatus.ACTIVE,
        "source": policy.source,
        "source_integration_id": policy.integration_id,
        "field_sources": sources,
        "gaps": gaps,
        "incomplete": bool(gaps),
        "created_at": now,
        "updated_at": now,
        "deactivated_at": now if waits else None,
        "last_sign_in_at": now if signs_in else None,
    }
    return user_id if insert_if_new(session, User, row) else None


def _finish_creation(
    session: Session,
    programme_id: uuid.UUID,
    user_id: uuid.UUID,
    outcome: Outcome,
    policy: Policy,
    actor: Actor,
    now: datetime,
) -> Outcome:
    person = outcome.reading.person
    _link(session, programme_id, user_id, person, policy, now)
    with together(session):
        record_event(
            session,
            Tag.USER_CREATED,
            actor,
            now=now,
            programme_id=programme_id,
            user_id=user_id,
            integration_id=policy.integration_id,
            facts=creation_facts(policy, outcome.reading),
        )
        if policy.welcome_email and person.active is not False:
            put_welcome(session, programme_id, user_id, str(person.email), now=now)
    return Outcome(OutcomeKind.CREATED, outcome.reading, user_id)


def _release_email(
    session: Session, match: matching.Match, outcome: Outcome, policy: Policy, actor: Actor, now: datetime
) -> None:
    """Let an address that only a leaver holds pass to the new person; the leaver's row gives it up."""
    takes = outcome.kind is OutcomeKind.CREATED or any(change.field is Field.EMAIL for change in outcome.changes)
    if match.email_holder is None or not takes:
        return
    holder = match.email_holder.row(session)
    holder.email, holder.email_key = None, None
    holder.field_sources = {name: value for name, value in holder.field_sources.items() if name != Field.EMAIL}
    record_event(
        session,
        Tag.USER_EMAIL_RELEASED,
        actor,
        now=now,
        programme_id=holder.programme_id,
        user_id=holder.id,
        integration_id=policy.integration_id,
        facts={"source": policy.source, "via": policy.name},
    )
    session.flush()


def _link(
    session: Session,
    programme_id: uuid.UUID,
    user_id: uuid.UUID,
    person: PersonRecord,
    policy: Policy,
    now: datetime,
    holder: matching.Account | None = None,
) -> None:
    """Remember what the integration calls this user, where it has an identifier of its own.

    The `holder` is a leaver who gives it up. Raises `ProvisioningConflict` where somebody else was given it meanwhile.
    """
    if person.external_id is None or policy.integration_id is None:
        return
    if holder is not None:
        unlink(session, programme_id, holder.id, person.external_id, integration_id=policy.integration_id)
    row = {
        "programme_id": programme_id,
        "integration_id": policy.integration_id,
        "external_id": person.external_id,
        "user_id": user_id,
        "created_at": now,
    }
    if not insert_if_new(session, ExternalIdentity, row):
        raise ProvisioningConflict


def unlink(
    session: Session, programme_id: uuid.UUID, user_id: uuid.UUID, external_id: str, *, integration_id: uuid.UUID
) -> None:
    """Forget an identifier by which an integration calls this user no more: it may come to mean somebody else."""
    values = {"of_programme": programme_id, "of_integration": integration_id, "of_user": user_id, "gone": external_id}
    _UNLINK.run(session, values)


def _value(person: PersonRecord, field: Field) -> FieldValue:
    return person.get(field) or None
