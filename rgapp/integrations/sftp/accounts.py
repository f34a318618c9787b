"""The SFTP account of an integration: made on first need, its password changed without a gap, its keys by name."""

import secrets
import uuid
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, object_session

from rgapp.audit import Actor, Tag, record_event
from rgapp.integrations.sftp.passwords import NewPassword
from rgapp.integrations.sftp.public_keys import PublicKey
from rgapp.models import Integration, Programme, SFTPAccount, SFTPKey
from rgapp.models.base import new_id

USERNAME_LENGTH: Final = 32  # What Linux allows: production may let OpenSSH serve the same accounts.
# No letters that look alike; users of files read them out on the telephone.
ALPHABET: Final = "23456789abcdefghjkmnpqrstvwxyz"
RANDOM_LETTERS: Final = 6
NAME_LENGTH: Final = 100
MOST_KEYS: Final = 20
# How long an earlier password works beside the new one, unless it is ended at once.
OVERLAP: Final = timedelta(hours=24)
TRIES: Final = 5


class TooManyKeys(ValueError):
    """The account has as many keys as it may have: remove one first."""


class KeyKnown(ValueError):
    """The account has this key already, under this name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def of_integration(session: Session, integration: Integration) -> SFTPAccount | None:
    """Return the account of an integration, None before its first need."""
    return session.get(SFTPAccount, (integration.programme_id, integration.id))


def username_of(integration: Integration) -> str | None:
    """Return the user name of an integration's account, None before its first need."""
    session = object_session(integration)
    found = of_integration(session, integration) if session is not None else None
    return found.username if found is not None else None


def ensure(session: Session, integration: Integration, *, actor: Actor, now: datetime) -> SFTPAccount:
    """Return the account of an integration, made where there is none yet; its user name never changes."""
    for _ in range(TRIES):
        found = of_integration(session, integration)
        if found is not None:
            return found
        made = SFTPAccount(
            programme_id=integration.programme_id,
            integration_id=integration.id,
            username=new_username(session.get_one(Programme, integration.programme_id).slug),
            known_from=[],
            created_at=now,
        )
        # Somebody may make it at the same time, or another account may have drawn the same letters.
        try:
            with session.begin_nested():
                session.add(made)
                session.flush()
        except IntegrityError:
            continue
        _note(session, integration, Tag.SFTP_ACCOUNT_CREATED, actor, now, username=made.username)
        session.flush()
        return made
    raise RuntimeError("no free user name was drawn")


def new_username(slug: str) -> str:
    """Draw a user name that says whose it is and that nobody guesses soon: `acme-7k2m9q`."""
    drawn = "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_LETTERS))
    return f"{slug[: USERNAME_LENGTH - RANDOM_LETTERS - 1].rstrip('-')}-{drawn}"


def set_password(
    session: Session,
    integration: Integration,
    password: NewPassword,
    *,
    actor: Actor,
    now: datetime,
    overlap: timedelta = OVERLAP,
) -> None:
    """Set or change the password; the one before works for `overlap` longer, so that clients can follow."""
    account = ensure(session, integration, actor=actor, now=now)
    earlier = account.password_hash if overlap > timedelta(0) else None
    account.earlier_hash, account.earlier_until = earlier, now + overlap if earlier else None
    account.password_hash, account.password_set_at, account.password_set_by = password.hashed, now, actor.label
    account.password_used_at = None
    facts: dict[str, Any] = {"earlier_until": account.earlier_until.isoformat()} if account.earlier_until else {}
    _note(session, integration, Tag.SFTP_PASSWORD_SET, actor, now, **facts)
    session.flush()


def end_earlier_password(session: Session, integration: Integration, *, actor: Actor, now: datetime) -> bool:
    """Let the earlier password open nothing from now on; returns whether there was one."""
    account = of_integration(session, integration)
    if account is None or not has_earlier(account, now):
        return False
    account.earlier_hash = account.earlier_until = None
    _note(session, integration, Tag.SFTP_PASSWORD_ENDED, actor, now, which="earlier")
    session.flush()
    return True


def remove_password(session: Session, integration: Integration, *, actor: Actor, now: datetime) -> bool:
    """Let keys alone open the account; returns whether there was a password."""
    account = of_integration(session, integration)
    if account is None or account.password_hash is None:
        return False
    account.password_hash = account.password_set_at = account.password_used_at = None
    account.earlier_hash = account.earlier_until = None
    _note(session, integration, Tag.SFTP_PASSWORD_ENDED, actor, now, which="all")
    session.flush()
    return True


def has_earlier(account: SFTPAccount, now: datetime) -> bool:
    """Tell whether an earlier password still works."""
    return account.earlier_hash is not None and account.earlier_until is not None and now < account.earlier_until


def keys_of(session: Session, integration: Integration) -> list[SFTPKey]:
    """Return the keys of an integration's account, oldest first."""
    query = select(SFTPKey).where(
        SFTPKey.programme_id == integration.programme_id, SFTPKey.integration_id == integration.id
    )
    return list(session.scalars(query.order_by(SFTPKey.id)))


def add_key(
    session: Session, integration: Integration, key: PublicKey, *, name: str = "", actor: Actor, now: datetime
) -> SFTPKey:
    """Let a key open the account, under a name: the one given, else its comment.

    Raises `KeyKnown` and `TooManyKeys`.
    """
    ensure(session, integration, actor=actor, now=now)
    # Whoever adds one holds the integration's row, so that two admins at once do not pass the limit.
    session.refresh(integration, with_for_update=True)
    present = keys_of(session, integration)
    for other in present:
        if other.fingerprint == key.fingerprint:
            raise KeyKnown(other.name)
    if len(present) >= MOST_KEYS:
        raise TooManyKeys
    row = SFTPKey(
        programme_id=integration.programme_id,
        id=new_id(),
        integration_id=integration.id,
        name=(" ".join(name.split()) or key.comment or key.kind)[:NAME_LENGTH],
        public_key=key.line,
        fingerprint=key.fingerprint,
        added_at=now,
        added_by=actor.label,
    )
    session.add(row)
    _note(session, integration, Tag.SFTP_KEY_ADDED, actor, now, key=row.name, fingerprint=row.fingerprint)
    session.flush()
    return row


def remove_key(session: Session, integration: Integration, key_id: uuid.UUID, *, actor: Actor, now: datetime) -> bool:
    """Let a key open nothing from now on; returns whether there was such a key."""
    row = session.get(SFTPKey, (integration.programme_id, key_id))
    if row is None or row.integration_id != integration.id:
        return False
    session.delete(row)
    _note(session, integration, Tag.SFTP_KEY_REMOVED, actor, now, key=row.name, fingerprint=row.fingerprint)
    session.flush()
    return True


def _note(session: Session, integration: Integration, tag: Tag, actor: Actor, now: datetime, **facts: Any) -> None:
    """Record what happened; the service's own helper is out of reach, for the registry of kinds imports this."""
    record_event(
        session,
        tag,
        actor,
        now=now,
        programme_id=integration.programme_id,
        integration_id=integration.id,
        facts={"name": integration.name} | facts,
    )
