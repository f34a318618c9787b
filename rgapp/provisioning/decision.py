"""Decide what a record means for a programme: pure rules, the same for the dry run and for the real thing."""

from collections.abc import Callable
from datetime import date

from rgapp.models import UserStatus
from rgapp.provisioning.matching import Account, Match
from rgapp.provisioning.policy import Policy
from rgapp.provisioning.record import (
    UNSET,
    Change,
    Field,
    Outcome,
    OutcomeKind,
    Reading,
    Refusal,
)
from rgapp.provisioning.validation import email_key

OwnedFields = Callable[[Account], frozenset[Field]]


def decide(reading: Reading, match: Match, policy: Policy, owned: OwnedFields) -> Outcome:
    """Return what the record means; nothing is written.

    `owned` is asked for the fields that somebody else owns, and only where there is something to change.
    """
    user = match.user
    leaving = reading.person.active is False and policy.deactivate
    if user is not None and leaving and _is_unsound(reading, match, policy):
        # Who has left goes at once, whatever else is wrong with the record; the rest of it is not taken.
        if user.status != UserStatus.LEAVER:
            return Outcome(OutcomeKind.DEACTIVATED, reading, user.id, only_leaves=True)
        if not policy.whole:
            return Outcome(OutcomeKind.UNCHANGED, reading, user.id)
    if reading.errors:
        return _rejected(reading, Refusal.FIELDS, user=match.user)
    if match.membership_holder is not None:
        return _rejected(reading, Refusal.MEMBERSHIP_CONFLICT, user=match.user, conflict=match.membership_holder)
    if _email_conflicts(match, policy):
        return _rejected(reading, Refusal.EMAIL_CONFLICT, user=match.user, conflict=match.email_holder)
    if _identity_conflicts(match):
        return _rejected(reading, Refusal.IDENTITY_CONFLICT, user=match.user, conflict=match.identity_holder)
    if match.user is None:
        if not policy.create or (reading.person.active is False and not policy.creates_inactive):
            return _rejected(reading, Refusal.NO_ACCOUNT)
        return Outcome(OutcomeKind.CREATED, reading)
    return _decide_existing(reading, match.user, policy, owned)


def _decide_existing(reading: Reading, user: Account, policy: Policy, owned: OwnedFields) -> Outcome:
    person = reading.person
    leaver = user.status == UserStatus.LEAVER
    stays = person.active is False and policy.deactivate
    returns = person.active is not False and policy.reactivate
    if leaver and not (stays or returns):
        return _rejected(reading, Refusal.LEAVER, user=user)
    known, said = user.date_of_birth, person.date_of_birth
    if policy.identifies and said and known and said != known:
        return _rejected(reading, Refusal.BIRTH_DATE_CONFLICT, user=user)
    changes = _changes(reading, user) if policy.update else ()
    blocked: tuple[Field, ...] = ()
    if changes:
        others = owned(user)
        blocked = tuple(change.field for change in changes if change.field in others)
        changes = tuple(change for change in changes if change.field not in others)
    if stays and not leaver:
        kind = OutcomeKind.DEACTIVATED
    elif leaver and not stays:
        kind = OutcomeKind.REACTIVATED
    else:
        kind = OutcomeKind.UPDATED if changes else OutcomeKind.UNCHANGED
    asked_for = tuple(field for field in blocked if field not in policy.repeats)
    if asked_for and policy.whole and kind is not OutcomeKind.DEACTIVATED:
        # Leaving them out silently would look like success.
        return Outcome(OutcomeKind.REJECTED, reading, user.id, refusal=Refusal.OWNED_FIELDS, blocked=asked_for)
    return Outcome(kind, reading, user.id, changes=changes, blocked=blocked)


def _is_unsound(reading: Reading, match: Match, policy: Policy) -> bool:
    conflicts = match.membership_holder is not None or _email_conflicts(match, policy) or _identity_conflicts(match)
    return bool(reading.errors) or conflicts


def _identity_conflicts(match: Match) -> bool:
    """Tell whether the source's own identifier is somebody else's, who has not left: a leaver's may pass on."""
    return match.identity_holder is not None and match.identity_holder.status != UserStatus.LEAVER


def _email_conflicts(match: Match, policy: Policy) -> bool:
    holder = match.email_holder
    if holder is None:
        return False
    return not (policy.takes_leaver_email and holder.status == UserStatus.LEAVER)


def _changes(reading: Reading, user: Account) -> tuple[Change, ...]:
    changes = []
    for field in Field:
        after = reading.person.get(field)
        before: str | date | None = getattr(user, field.value)
        if after is UNSET or after == before:
            continue
        if field is Field.EMAIL and user.email_key == email_key(str(after)):
            continue  # A change of case alone is no update.
        changes.append(Change(field, before, after))
    return tuple(changes)


def _rejected(
    reading: Reading, refusal: Refusal, *, user: Account | None = None, conflict: Account | None = None
) -> Outcome:
    return Outcome(
        OutcomeKind.REJECTED,
        reading,
        user.id if user else None,
        refusal=refusal,
        conflict_user_id=conflict.id if conflict else None,
    )
