"""Write what a decision means for an account that exists: its details, its status, who owns what, and the event."""

import uuid
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from rgapp.audit import Actor, Tag, record_event
from rgapp.mail.outbox import put_welcome
from rgapp.models import User, UserSession, UserStatus
from rgapp.models.prepared import Prepared
from rgapp.models.rows import update_row
from rgapp.provisioning import guard
from rgapp.provisioning.facts import change_facts, gaps_of, sources_after
from rgapp.provisioning.matching import Account
from rgapp.provisioning.ownership import sources_with_claims
from rgapp.provisioning.policy import Policy
from rgapp.provisioning.record import Field, Outcome, OutcomeKind
from rgapp.provisioning.validation import email_key, name_key

TAG_OF = {
    OutcomeKind.UPDATED: Tag.USER_UPDATED,
    OutcomeKind.DEACTIVATED: Tag.USER_DEACTIVATED,
    OutcomeKind.REACTIVATED: Tag.USER_REACTIVATED,
}


class State(NamedTuple):
    """An account as it is now, with what deciding does not need and writing does."""

    programme_id: uuid.UUID
    id: uuid.UUID
    membership_no: str
    email: str | None
    email_key: str | None
    first_name: str | None
    last_name: str | None
    date_of_birth: date | None
    field_sources: dict[str, Any]
    created_at: datetime
    deactivated_at: datetime | None
    last_sign_in_at: datetime | None


_USERS, _SESSIONS = User.__table__.c, UserSession.__table__.c
_COLUMNS = [_USERS[name] for name in State._fields]
_FOUND = select(*_COLUMNS).where(_USERS.programme_id == bindparam("of_programme"), _USERS.id == bindparam("of_user"))
_STATE = Prepared(lambda _: _FOUND, _COLUMNS)
_STATE_TO_CHANGE = Prepared(lambda _: _FOUND.with_for_update(), _COLUMNS)
_END_SESSIONS = Prepared(
    lambda _: delete(UserSession).where(
        _SESSIONS.programme_id == bindparam("of_programme"), _SESSIONS.user_id == bindparam("of_user")
    )
)


def state_of(session: Session, account: Account, *, to_change: bool = False) -> State:
    """Return an account as it is now; `to_change` keeps others from changing it until the transaction ends."""
    session.flush()
    wanted = {"of_programme": account.programme_id, "of_user": account.id}
    (found,) = (_STATE_TO_CHANGE if to_change else _STATE).rows(session, wanted)
    return State(*found)


def change(session: Session, account: Account, outcome: Outcome, policy: Policy, actor: Actor, now: datetime) -> None:
    """Write an accepted outcome about an account that exists; nothing where it changes nothing and claims nothing."""
    if outcome.kind is OutcomeKind.UNCHANGED and not policy.owns:
        return
    state = state_of(session, account, to_change=True)
    sources = sources_with_claims(session, state, outcome, policy, now) if policy.owns else state.field_sources
    values: dict[str, Any] = {}
    if outcome.changes:
        values = _details(state, outcome)
        sources = sources_after(sources, outcome.changes, policy, now)
    if sources is not state.field_sources:
        values["field_sources"] = sources
    if outcome.kind is not OutcomeKind.UNCHANGED:
        values |= _status(session, state, outcome, policy, now)
    if values:
        update_row(session, User, {"programme_id": state.programme_id, "id": state.id}, values)
    if outcome.kind is OutcomeKind.UNCHANGED:
        return
    record_event(
        session,
        TAG_OF[outcome.kind],
        actor,
        now=now,
        programme_id=state.programme_id,
        user_id=state.id,
        integration_id=policy.integration_id,
        facts=change_facts(policy, outcome.changes),
    )


def let_go(session: Session, programme_id: uuid.UUID, user_id: uuid.UUID, integration_id: uuid.UUID) -> None:
    """Own nothing any more of a user whom the integration names no longer; who gave each value stays known."""
    session.flush()
    (found,) = _STATE_TO_CHANGE.rows(session, {"of_programme": programme_id, "of_user": user_id})
    before, own = State(*found).field_sources, str(integration_id)
    after = {
        name: {**given, "integration_id": None} if given.get("integration_id") == own else given
        for name, given in before.items()
    }
    if after != before:
        update_row(session, User, {"programme_id": programme_id, "id": user_id}, {"field_sources": after})


def _details(state: State, outcome: Outcome) -> dict[str, Any]:
    after: dict[Field, Any] = {field: getattr(state, field.value) for field in Field}
    after |= {change.field: change.after for change in outcome.changes}
    email, gaps = after[Field.EMAIL], gaps_of(outcome.reading, after)
    return {
        **{change.field.value: change.after for change in outcome.changes},
        "email_key": email_key(email) if email else None,
        "first_key": name_key(after[Field.FIRST_NAME]),
        "last_key": name_key(after[Field.LAST_NAME]),
        "gaps": gaps,
        "incomplete": bool(gaps),
    }


def _status(session: Session, state: State, outcome: Outcome, policy: Policy, now: datetime) -> dict[str, Any]:
    values: dict[str, Any] = {"updated_at": now}
    if outcome.kind is OutcomeKind.DEACTIVATED:
        _END_SESSIONS.run(session, {"of_programme": state.programme_id, "of_user": state.id})
        guard.remember(session, state.programme_id, state.id, policy, now)
        return values | {"status": UserStatus.LEAVER, "deactivated_at": now}
    if outcome.kind is OutcomeKind.REACTIVATED:
        begins = state.deactivated_at == state.created_at  # The account was made before the first day.
        email = next((change.after for change in outcome.changes if change.field is Field.EMAIL), state.email)
        if begins and policy.welcome_email and email and state.last_sign_in_at is None:
            put_welcome(session, state.programme_id, state.id, str(email), now=now)
        return values | {"status": UserStatus.ACTIVE, "deactivated_at": None}
    return values
