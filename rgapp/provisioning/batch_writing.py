"""Collect what a batch of decisions means for the tables, and write each table once."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from rgapp.audit import Actor, Tag
from rgapp.mail.outbox import WAITING_MAIL, MailKind
from rgapp.models import AuditEvent, Deactivation, MailStatus, OutboxMail, User, UserSession, UserStatus
from rgapp.models.bulk import Form, insert_many, new_hex, update_many
from rgapp.models.sources import pack
from rgapp.provisioning.batch_matching import Known
from rgapp.provisioning.cells import Line
from rgapp.provisioning.facts import change_facts, creation_facts, gaps_of, source_of, sources_after
from rgapp.provisioning.mapping import Rules
from rgapp.provisioning.matching import Match
from rgapp.provisioning.ownership import claimed, owned_among
from rgapp.provisioning.policy import Policy
from rgapp.provisioning.record import Change, Field, Outcome, OutcomeKind
from rgapp.provisioning.validation import email_key, name_key

USER: Final = (
    "programme_id", "id", "membership_no", "email", "email_key", "first_name", "last_name", "first_key", "last_key",
    "date_of_birth", "status", "source", "source_integration_id", "field_sources", "gaps", "incomplete", "created_at",
    "updated_at", "deactivated_at",
)  # fmt: skip
DETAILS: Final = (
    "membership_no", "email", "email_key", "first_name", "last_name", "first_key", "last_key", "date_of_birth",
    "field_sources", "gaps", "incomplete",
)  # fmt: skip
STATUS: Final = ("status", "deactivated_at", "updated_at")
EVENT: Final = (
    "id", "programme_id", "at", "tag", "actor_kind", "actor_id", "actor_label", "user_id", "integration_id", "facts",
)  # fmt: skip
MAIL: Final = (
    "programme_id", "id", "user_id", "kind", "once_key", "recipient", "data", "status", "tries", "due_at",
    "created_at", "last_error",
)  # fmt: skip
DEACTIVATION: Final = ("programme_id", "id", "at", "user_id", "source", "integration_id")
KEYS: Final = ("programme_id", "id")
# Values of enumerations, once: asking for them costs as much as making the row.
CREATED: Final = Tag.USER_CREATED.value
WELCOME: Final = MailKind.WELCOME.value
WAITING: Final = MailStatus.WAITING.value
TAG_OF: Final = {
    OutcomeKind.UPDATED: Tag.USER_UPDATED,
    OutcomeKind.DEACTIVATED: Tag.USER_DEACTIVATED,
    OutcomeKind.REACTIVATED: Tag.USER_REACTIVATED,
}


class BatchWriter:
    """What a batch writes, table by table, until `flush`; everything in it happens at `now`.

    `create_all` and `change` ask nothing of the database: they may work while it does something else.
    """

    def __init__(self, form: Form, programme_id: uuid.UUID, policy: Policy, actor: Actor, now: datetime) -> None:
        self._policy = policy
        self._now = now
        self._form = form
        self._programme = programme_id.hex
        self._programme_id = programme_id
        self._integration = form.identifier(policy.integration_id)
        self._at = form.time(now)
        self._actor = (str(actor.kind), form.identifier(actor.id), actor.label)
        self._given = source_of(policy, now)
        self._source = policy.source.value
        self._patterns: dict[Any, tuple[str, str, bool, str]] = {}
        self._users: list[tuple[Any, ...]] = []
        self._events: list[tuple[Any, ...]] = []
        self._mails: list[tuple[Any, ...]] = []
        self._deactivations: list[tuple[Any, ...]] = []
        self._freed: list[tuple[Any, ...]] = []
        self._emptied: list[tuple[Any, ...]] = []
        self._details: list[tuple[Any, ...]] = []
        self._statuses: list[tuple[Any, ...]] = []
        self._claims: list[tuple[Any, ...]] = []
        self._ended: list[uuid.UUID] = []

    def create(self, line: Line, match: Match, rules: Rules) -> str:
        """Make an account; returns its id in hex."""
        if match.email_holder is not None:
            self._free(match)
        return self.create_all([line], rules)[0]

    def create_all(self, lines: Sequence[Line], rules: Rules) -> list[str]:
        """Make accounts; returns their ids in hex. One loop, for this is where a first load spends its time."""
        at, programme, integration, source, actor = (
            self._at,
            self._programme,
            self._integration,
            self._source,
            self._actor,
        )
        patterns, welcomes = self._patterns, self._policy.welcome_email
        users, events, mails, made = self._users, self._events, self._mails, list[str]()
        for line in lines:
            user_id = new_hex()
            _, _, number, email, first, last, born, active, _, _, found, *_ = line
            # What is noted beside the values depends on which of them there are: it is made once for each pattern.
            gaps_found = tuple(map(tuple, found)) if found else ()
            pattern = (first is None, last is None, born is None, active, gaps_found)
            sources, gaps, incomplete, facts = patterns.get(pattern) or self._note(pattern, line, rules)
            waits = active is False
            assert email is not None  # noqa: S101 - nobody is created without an address.
            users.append(
                (
                    programme, user_id, number, email, email_key(email), first, last, _name_key(first),
                    _name_key(last), born, "leaver" if waits else "active", source, integration, sources,
                    gaps, incomplete, at, at, at if waits else None,
                )
            )  # fmt: skip
            events.append((new_hex(), programme, at, CREATED, *actor, user_id, integration, facts))
            if welcomes and not waits:
                mails.append(self._welcome(user_id, email))
            made.append(user_id)
        return made

    def change(self, match: Match, outcome: Outcome, owners: frozenset[uuid.UUID]) -> None:
        """Write what a decision about an account that exists means."""
        user = match.user
        assert isinstance(user, Known)  # noqa: S101 - what batches are matched with.
        changes, user_id = outcome.changes, user.id.hex
        if match.email_holder is not None and any(change.field is Field.EMAIL for change in changes):
            self._free(match)
        sources: Mapping[str, Any] = user.field_sources
        if self._policy.owns:
            names = claimed(
                user,
                outcome,
                self._policy,
                lambda: owned_among(user, owners, by_others_than=self._policy.integration_id),
            )
            if names:
                sources = {**sources, **dict.fromkeys(names, self._given)}
        if changes:
            self._change_details(user, outcome, sources)
        elif sources is not user.field_sources:
            self._claims.append((self._form.json(pack(sources)), self._programme, user_id))
        if outcome.kind is OutcomeKind.UNCHANGED:
            return
        self._change_status(user, outcome)
        facts = self._form.json(change_facts(self._policy, changes))
        self._event(TAG_OF[outcome.kind].value, user_id, facts)

    def take_out(self, session: Session, user_ids: Sequence[uuid.UUID], facts: Mapping[str, Any]) -> int:
        """Deactivate those who are active; returns how many."""
        active = session.scalars(
            select(User.id)
            .where(User.programme_id == self._programme_id, User.id.in_(user_ids), User.status == UserStatus.ACTIVE)
            .order_by(User.id)
            .with_for_update()
        ).all()
        noted = self._form.json(change_facts(self._policy) | dict(facts))
        for user_id in active:
            self._statuses.append((UserStatus.LEAVER.value, self._at, self._at, self._programme, user_id.hex))
            self._leave(user_id)
            self._event(Tag.USER_DEACTIVATED.value, user_id.hex, noted)
        return len(active)

    def flush(self, session: Session) -> None:
        """Write every table; addresses are given up before anybody takes them."""
        update_many(session, User, KEYS, ("email", "email_key", "field_sources"), self._freed)
        update_many(session, User, KEYS, ("email_key",), self._emptied)
        update_many(session, User, KEYS, DETAILS, self._details)
        update_many(session, User, KEYS, STATUS, self._statuses)
        update_many(session, User, KEYS, ("field_sources",), self._claims)
        insert_many(session, User, USER, self._users)
        insert_many(session, AuditEvent, EVENT, self._events)
        insert_many(session, OutboxMail, MAIL, self._mails)
        insert_many(session, Deactivation, DEACTIVATION, self._deactivations)
        if self._ended:
            session.execute(
                delete(UserSession).where(
                    UserSession.programme_id == self._programme_id, UserSession.user_id.in_(self._ended)
                )
            )
        if self._mails:
            session.info[WAITING_MAIL] = True  # The job queue wakes the mailer once this transaction is committed.

    def _note(self, pattern: Any, line: Line, rules: Rules) -> tuple[str, str, bool, str]:
        reading = line.reading(rules)
        values = {field: reading.person.get(field) or None for field in Field}
        sources = {field.value: self._given for field, value in values.items() if value is not None}
        gaps = gaps_of(reading, values)
        json = self._form.json
        noted = (json(pack(sources)), json(gaps), bool(gaps), json(creation_facts(self._policy, reading)))
        self._patterns[pattern] = noted
        return noted

    def _change_details(self, user: Known, outcome: Outcome, sources: Mapping[str, Any]) -> None:
        values: dict[Field, Any] = {field: getattr(user, field.value) for field in Field}
        values |= {change.field: change.after for change in outcome.changes}
        if any(change.field is Field.EMAIL for change in outcome.changes):
            # Two people who swap addresses: each is without one for a moment.
            self._emptied.append((None, self._programme, user.id.hex))
        born, email = values[Field.DATE_OF_BIRTH], values[Field.EMAIL]
        gaps = gaps_of(outcome.reading, values)
        self._details.append(
            (
                values[Field.MEMBERSHIP_NO], email, email_key(email) if email else None, values[Field.FIRST_NAME],
                values[Field.LAST_NAME], name_key(values[Field.FIRST_NAME]), name_key(values[Field.LAST_NAME]),
                born.isoformat() if born else None,
                self._form.json(pack(sources_after(sources, outcome.changes, self._policy, self._now))),
                self._form.json(gaps), bool(gaps), self._programme, user.id.hex,
            )
        )  # fmt: skip

    def _change_status(self, user: Known, outcome: Outcome) -> None:
        status, left = user.status, user.deactivated_at
        if outcome.kind is OutcomeKind.DEACTIVATED:
            status, left = UserStatus.LEAVER, self._now
            self._leave(user.id)
        elif outcome.kind is OutcomeKind.REACTIVATED:
            begins = user.deactivated_at == user.created_at  # The account was made before the first day.
            status, left = UserStatus.ACTIVE, None
            email = _after(outcome.changes, Field.EMAIL, user.email)
            if begins and self._policy.welcome_email and email and user.last_sign_in_at is None:
                self._mails.append(self._welcome(user.id.hex, email))
        at = self._form.time(left) if left else None
        self._statuses.append((str(status), at, self._at, self._programme, user.id.hex))

    def _leave(self, user_id: uuid.UUID) -> None:
        self._ended.append(user_id)
        if self._policy.counted:
            self._deactivations.append(
                (self._programme, new_hex(), self._at, user_id.hex, self._policy.source.value, self._integration)
            )

    def _free(self, match: Match) -> None:
        """Let an address that only a leaver holds pass on; the leaver's row gives it up."""
        holder = match.email_holder
        assert isinstance(holder, Known)  # noqa: S101 - what batches are matched with.
        left = {name: value for name, value in holder.field_sources.items() if name != Field.EMAIL}
        self._freed.append((None, None, self._form.json(pack(left)), self._programme, holder.id.hex))
        facts = {"source": self._policy.source, "via": self._policy.name}
        self._event(Tag.USER_EMAIL_RELEASED.value, holder.id.hex, self._form.json(facts))

    def _event(self, tag: str, user_id: str, facts: str) -> None:
        self._events.append(
            (new_hex(), self._programme, self._at, tag, *self._actor, user_id, self._integration, facts)
        )

    def _welcome(self, user_id: str, recipient: str) -> tuple[Any, ...]:
        once = f"welcome:{user_id[:8]}-{user_id[8:12]}-{user_id[12:16]}-{user_id[16:20]}-{user_id[20:]}"
        return (
            self._programme, new_hex(), user_id, WELCOME, once, recipient, "{}", WAITING, 0, self._at, self._at, "",
        )  # fmt: skip


@lru_cache(maxsize=30_000)
def _name_key(name: str | None) -> str:
    return name_key(name)


def _after(changes: Sequence[Change], field: Field, before: Any) -> Any:
    return next((change.after for change in changes if change.field is field), before)
