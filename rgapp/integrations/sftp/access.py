"""What a declarative file says about an SFTP account is brought about: its password set, its keys exactly those."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from rgapp.audit import Actor
from rgapp.integrations.base import DeclaredContext, SettingsError, SettingsProblem
from rgapp.integrations.sftp import accounts, passwords
from rgapp.integrations.sftp.declared import AUTHORIZED_KEYS, PASSWORD, read_access
from rgapp.integrations.sftp.passwords import PasswordProblem, PasswordRejected
from rgapp.integrations.sftp.public_keys import LONGEST, KeyProblem, KeyRejected, PublicKey, read_public_key
from rgapp.models import Integration
from rgapp.sealing import Sealer

PASSWORD_WORDS: Final = {
    PasswordProblem.TOO_SHORT: f"Use {passwords.SHORTEST} characters or more.",
    PasswordProblem.TOO_LONG: f"Use at most {passwords.LONGEST} characters.",
    PasswordProblem.HIDDEN_CHARACTERS: "Use letters, digits, marks and spaces only.",
    PasswordProblem.USERNAME: "It must not contain the user name.",
}
KEY_WORDS: Final = {
    KeyProblem.UNREADABLE: "This is no SSH public key, and no file beside this one that holds one.",
    KeyProblem.PRIVATE: "This is a private key, which nobody else should see: give the public one (.pub).",
    KeyProblem.SEVERAL: "These are several keys: give each as an entry of its own.",
    KeyProblem.OPTIONS: "Leave out what stands before the key's kind: options are not known here.",
    KeyProblem.CERTIFICATE: "This is a certificate: give the public key itself.",
    KeyProblem.WEAK_KIND: "Keys of this kind are not safe: use ed25519, ECDSA, or RSA with 2048 bits or more.",
    KeyProblem.SHORT_RSA: "This RSA key is too short: 2048 bits or more are needed.",
}
# What may name a file: a key has spaces in it.
_FILE_NAME: Final = re.compile(r"[^\s\0]{1,200}")


@dataclass(frozen=True)
class Access:
    """What opens the account; None is not declared and stays as it is."""

    password: str | None = field(default=None, repr=False)
    keys: tuple[PublicKey, ...] | None = None


class SFTPAccess:
    """Keeps what opens SFTP accounts, beside the settings of their integrations."""

    def check(self, declared: Mapping[str, Any], context: DeclaredContext) -> Access:
        """Return what is declared; a key may also be the name of a file beside the declarative one.

        Raises `SettingsError`.
        """
        said = read_access(declared)
        problems: list[SettingsProblem] = []
        if said.password is not None:
            try:
                passwords.check(said.password, username="")
            except PasswordRejected as error:
                problems.append(SettingsProblem(PASSWORD, PASSWORD_WORDS[error.problem]))
        keys: dict[str, PublicKey] = {}
        for number, text in enumerate(said.authorized_keys or ()):
            try:
                key = read_public_key(_from_file(text, context))
                keys.setdefault(key.fingerprint, key)
            except KeyRejected as error:
                problems.append(SettingsProblem(f"{AUTHORIZED_KEYS}[{number}]", KEY_WORDS[error.problem]))
        if problems:
            raise SettingsError(problems)
        return Access(said.password, None if said.authorized_keys is None else tuple(keys.values()))

    def settle(
        self,
        session: Session,
        integration: Integration,
        access: Access | None,
        *,
        sealer: Sealer,
        actor: Actor,
        now: datetime,
    ) -> Sequence[str]:
        """Make the account, and bring it to what is declared; returns what was done. A second time does nothing.

        Raises `SettingsError` for a password that contains the user name.
        """
        account = accounts.ensure(session, integration, actor=actor, now=now)
        done = []
        if access is not None and access.password and not passwords.verify(account.password_hash, access.password):
            try:
                hashed = passwords.new_password(access.password, username=account.username)
            except PasswordRejected as error:
                raise SettingsError([SettingsProblem(PASSWORD, PASSWORD_WORDS[error.problem])]) from error
            changed = account.password_hash is not None
            accounts.set_password(session, integration, hashed, actor=actor, now=now)
            done.append("password changed" if changed else "password set")
        if access is not None and access.keys is not None:
            wanted = {key.fingerprint: key for key in access.keys}
            present = {row.fingerprint: row for row in accounts.keys_of(session, integration)}
            for fingerprint in present.keys() - wanted.keys():
                accounts.remove_key(session, integration, present[fingerprint].id, actor=actor, now=now)
                done.append(f"key removed ({present[fingerprint].name})")
            for fingerprint, key in wanted.items():
                if fingerprint not in present:
                    row = accounts.add_key(session, integration, key, actor=actor, now=now)
                    done.append(f"key added ({row.name})")
        return done


def _from_file(text: str, context: DeclaredContext) -> str:
    """Return what a file beside the declarative one holds, where the text names one; else the text."""
    if not _FILE_NAME.fullmatch(text):
        return text
    try:
        with (context.folder / text).open(encoding="utf-8") as opened:
            return opened.read(LONGEST + 1)
    except (OSError, ValueError):
        return text
