"""Provision many people at once, as rows of a feed give them: the rules of `decision`, and what is written in one go.

Each line gets what provisioning one by one would give it: one event, at most one mail. A batch is written in a
savepoint; where somebody else wrote one of its people meanwhile (a first sign-in), its lines are taken one by one.
People whom nobody knew can also be made without a savepoint, which on SQLite copies every page that the batch touches.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from rgapp.audit import Actor
from rgapp.models.bulk import Form
from rgapp.provisioning import batch_matching, service
from rgapp.provisioning.batch_matching import NOBODY, Known
from rgapp.provisioning.batch_writing import BatchWriter
from rgapp.provisioning.cells import Line
from rgapp.provisioning.decision import OwnedFields, decide
from rgapp.provisioning.mapping import Rules
from rgapp.provisioning.matching import Account, Match
from rgapp.provisioning.ownership import live_owners, owned_among
from rgapp.provisioning.policy import Policy
from rgapp.provisioning.record import Field, Outcome, OutcomeKind, Refusal


class Decided(NamedTuple):
    """What is decided about one line; `outcome` is None where an account is made, or nothing is to be done."""

    line: Line
    kind: OutcomeKind
    match: Match
    outcome: Outcome | None = None

    @property
    def refusal(self) -> Refusal | None:
        """Return why the line is refused."""
        return self.outcome.refusal if self.outcome else None


class Done(NamedTuple):
    """What became of one line; `user_id`, in hex, is whom it is about, None where it was refused or found nobody."""

    line: Line
    kind: OutcomeKind
    user_id: str | None
    refusal: Refusal | None = None


class Made(NamedTuple):
    """Accounts that are made and not written yet; `user_ids` are theirs, in hex, in the order of the lines."""

    user_ids: list[str]
    writer: BatchWriter

    def write(self, session: Session) -> None:
        """Write them, flush; the caller commits.

        Raises SQLAlchemy's `IntegrityError` where somebody came in between: the caller's transaction, or savepoint, is
        to be rolled back, and the lines given to `Batches.write`.
        """
        self.writer.flush(session)


class Batches:
    """Decides and writes batches of lines for one integration of one programme."""

    def __init__(self, programme_id: uuid.UUID, policy: Policy, rules: Rules, actor: Actor) -> None:
        self._programme_id = programme_id
        self._policy = policy
        self._quiet = replace(policy, reactivate=False)
        self._rules = rules
        self._actor = actor
        self._fresh: dict[bool | None, Outcome] = {}
        self._live_owners: frozenset[uuid.UUID] | None = None

    def decide(
        self,
        session: Session,
        lines: Sequence[Line],
        *,
        matches: Sequence[Match] | None = None,
        lock: bool = False,
        free: frozenset[str] = frozenset(),
    ) -> list[Decided]:
        """Return what the lines mean now, or where they match so; nothing is written.

        `free` are the accounts, in hex, whose address stands in nobody's way because they give it up at the same time.
        """
        if matches is None:
            matches = batch_matching.find_many(session, self._programme_id, lines, lock=lock)
        self._live_owners = None
        return [
            self._decide_fresh(line)
            if match is NOBODY and line.membership_no and line.email
            else self._decide_known(line, match, self._owners(session), free)
            for line, match in zip(lines, matches, strict=True)
        ]

    def _owners(self, session: Session) -> frozenset[uuid.UUID]:
        """Return which integrations own what they state, asked once for a batch."""
        if self._live_owners is None:
            self._live_owners = live_owners(session, self._programme_id)
        return self._live_owners

    def _decide_fresh(self, line: Line) -> Decided:
        """Decide about somebody whom nobody knows: that depends on nothing but whether she is active, so ask once."""
        outcome = self._fresh.get(line.active)
        if outcome is None:
            outcome = decide(line.reading(self._rules), NOBODY, self._policy, self._owned_by(frozenset()))
            self._fresh[line.active] = outcome
        if outcome.kind is OutcomeKind.CREATED:
            return Decided(line, OutcomeKind.CREATED, NOBODY)
        if line.active is False:
            return Decided(line, OutcomeKind.UNCHANGED, NOBODY)  # Who has left and was never here is no mistake.
        return Decided(line, outcome.kind, NOBODY, outcome)

    def _decide_known(self, line: Line, match: Match, owners: frozenset[uuid.UUID], free: frozenset[str]) -> Decided:
        if match.email_holder is not None and match.email_holder.id.hex in free:
            match = replace(match, email_holder=None)

        policy = self._policy if line.changed else self._quiet
        outcome = decide(line.reading(self._rules), match, policy, self._owned_by(owners))
        if outcome.refusal is Refusal.LEAVER and not line.changed:
            return Decided(line, OutcomeKind.UNCHANGED, match)  # Who was taken out otherwise stays so.
        if outcome.refusal is Refusal.NO_ACCOUNT and line.active is False:
            return Decided(line, OutcomeKind.UNCHANGED, match)
        if outcome.kind is OutcomeKind.CREATED and match.email_holder is None:
            return Decided(line, OutcomeKind.CREATED, match)
        return Decided(line, outcome.kind, match, outcome)

    def _owned_by(self, owners: frozenset[uuid.UUID]) -> OwnedFields:
        def owned(account: Account) -> frozenset[Field]:
            assert isinstance(account, Known)  # noqa: S101 - what `find_many` finds.
            return owned_among(account, owners, by_others_than=self._policy.integration_id)

        return owned

    def write(
        self, session: Session, lines: Sequence[Line], *, now: datetime, free: frozenset[str] = frozenset()
    ) -> list[Done]:
        """Decide about the lines as things stand now, and write what is decided; flushes, the caller commits.

        With `free` (people of one group who swap addresses) the lines are written together or, where somebody else
        came in between, refused together.
        """
        for fresh in (True, False) if not free and all(line.fresh for line in lines) else (False,):
            try:
                with session.begin_nested():
                    return self._write_all(session, lines, now, free, fresh)
            except IntegrityError:
                continue
        if free:
            return [Done(line, OutcomeKind.REJECTED, None, Refusal.EMAIL_CONFLICT) for line in lines]
        return [self._write_one(session, line, now) for line in lines]

    def make(self, form: Form, lines: Sequence[Line], *, now: datetime) -> Made:
        """Make accounts for fresh lines, of whom nobody is looked up; asks nothing of the database.

        Raises `ValueError` where one of them is not fresh.
        """
        one_of_each = {line.active: line for line in lines}.values()
        if not all(line.fresh for line in lines):
            raise ValueError("only people whom nobody knew are made without a look")
        if any(self._decide_fresh(line).kind is not OutcomeKind.CREATED for line in one_of_each):
            raise ValueError("the policy lets no accounts be made")
        writer = BatchWriter(form, self._programme_id, self._policy, self._actor, now)
        return Made(writer.create_all(lines, self._rules), writer)

    def _write_all(
        self, session: Session, lines: Sequence[Line], now: datetime, free: frozenset[str], fresh: bool
    ) -> list[Done]:
        """Write the lines together; of `fresh` ones nobody is looked up, for the unique constraints know her."""
        writer = BatchWriter(Form(session), self._programme_id, self._policy, self._actor, now)
        matches = [NOBODY] * len(lines) if fresh else None
        done = []
        for line, kind, match, outcome in self.decide(session, lines, matches=matches, lock=True, free=free):
            if kind is OutcomeKind.CREATED:
                done.append(Done(line, kind, writer.create(line, match, self._rules)))
                continue
            user = match.user
            if outcome is None or not outcome.accepted or user is None:
                known = user.id.hex if user is not None and kind is OutcomeKind.UNCHANGED else None
                done.append(Done(line, kind, known, outcome.refusal if outcome else None))
                continue
            writer.change(match, outcome, self._owners(session))
            done.append(Done(line, kind, user.id.hex))
        writer.flush(session)
        return done

    def _write_one(self, session: Session, line: Line, now: datetime) -> Done:
        """Provision one line alone, after a batch with it met somebody else's writing."""
        (decided,) = self.decide(session, [line])
        if decided.outcome is None and decided.kind is not OutcomeKind.CREATED:
            user = decided.match.user
            return Done(line, decided.kind, user.id.hex if user else None)
        try:
            with session.begin_nested():
                outcome = service.provision(
                    session,
                    self._programme_id,
                    line.reading(self._rules),
                    self._policy if line.changed else self._quiet,
                    self._actor,
                    now=now,
                    target_id=uuid.UUID(hex=line.user_id) if line.user_id else None,
                )
        except (IntegrityError, service.ProvisioningConflict):
            return Done(line, OutcomeKind.REJECTED, None, Refusal.EMAIL_CONFLICT)
        user_id = outcome.user_id.hex if outcome.accepted and outcome.user_id else None
        return Done(line, outcome.kind, user_id, outcome.refusal)

    def take_out(
        self, session: Session, user_ids: Sequence[uuid.UUID], *, now: datetime, facts: Mapping[str, Any]
    ) -> int:
        """Deactivate those of these people who are still active because their feed names them no more.

        `facts` are added to the event of each. Returns how many.
        """
        writer = BatchWriter(Form(session), self._programme_id, self._policy, self._actor, now)
        gone = writer.take_out(session, user_ids, facts)
        writer.flush(session)
        return gone
