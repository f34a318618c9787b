"""What opens an SFTP account, as the server asks: by user name alone, over all programmes."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from rgapp.integrations.sftp.accounts import USERNAME_LENGTH
from rgapp.models import Integration, SFTPAccount, SFTPKey

# Notices of the same use closer together than this are one.
USE_NOTED_EVERY: Final = timedelta(minutes=1)
MOST_KNOWN: Final = 5


@dataclass(frozen=True)
class Opening:
    """An account that may be opened now: whose it is, the hashes of its passwords, and where it is known."""

    programme_id: uuid.UUID
    integration_id: uuid.UUID
    username: str
    password_hashes: tuple[str, ...] = ()
    known_from: frozenset[str] = frozenset()


def opening(session: Session, username: str, *, now: datetime) -> Opening | None:
    """Return the account with this user name; None where there is none, or where its integration is switched off.

    A draft that was never published may be opened: its first file is the example that the set-up reads.
    """
    if not 1 <= len(username) <= USERNAME_LENGTH or not username.isascii():
        return None
    found = session.execute(
        select(SFTPAccount, Integration.live_version, Integration.enabled)
        .join(
            Integration,
            (Integration.programme_id == SFTPAccount.programme_id) & (Integration.id == SFTPAccount.integration_id),
        )
        .where(SFTPAccount.username == username)
    ).one_or_none()
    if found is None:
        return None
    account, live_version, enabled = found
    if live_version is not None and not enabled:
        return None
    earlier = account.earlier_until is not None and now < account.earlier_until
    hashes = (account.password_hash, account.earlier_hash if earlier else None)
    return Opening(
        account.programme_id,
        account.integration_id,
        account.username,
        tuple(each for each in hashes if each),
        frozenset(account.known_from),
    )


def key_with(session: Session, opened: Opening, fingerprint: str) -> str | None:
    """Return the account's key with this fingerprint, as OpenSSH's line; whoever asks compares the key itself."""
    return session.scalar(
        select(SFTPKey.public_key).where(
            SFTPKey.programme_id == opened.programme_id,
            SFTPKey.integration_id == opened.integration_id,
            SFTPKey.fingerprint == fingerprint,
        )
    )


def note_sign_in(
    session: Session, opened: Opening, *, address: str, fingerprint: str | None = None, now: datetime
) -> None:
    """Remember a good sign-in: when, with which key or the password, and from where."""
    account = session.get(SFTPAccount, (opened.programme_id, opened.integration_id), populate_existing=True)
    if account is None:
        return
    account.known_from = [address, *(each for each in account.known_from if each != address)][:MOST_KNOWN]
    account.last_sign_in_at = now
    if fingerprint is None:
        account.password_used_at = now
    else:
        session.execute(
            update(SFTPKey)
            .where(
                SFTPKey.programme_id == opened.programme_id,
                SFTPKey.integration_id == opened.integration_id,
                SFTPKey.fingerprint == fingerprint,
            )
            .values(last_used_at=now)
        )
    session.flush()
