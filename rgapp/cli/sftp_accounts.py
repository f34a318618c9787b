"""`flask sftp account`, `password`, `add-key`, `remove-key`, `openpgp`: what opens an SFTP account, and its files."""

from datetime import timedelta
from typing import TextIO

import click
from flask import current_app

from rgapp.audit import Tag
from rgapp.audit.service import COMMAND_LINE
from rgapp.cli.integrations import chosen
from rgapp.cli.sftp import sftp
from rgapp.cli.support import CommandError, json_option, note, print_json, print_table, reads, utcnow, writes
from rgapp.database import without_lock
from rgapp.extensions import db, sealer
from rgapp.integrations import service
from rgapp.integrations.registry import FILES, kind_of
from rgapp.integrations.sftp import accounts, passwords
from rgapp.integrations.sftp.access import KEY_WORDS
from rgapp.integrations.sftp.accounts import KeyKnown, TooManyKeys
from rgapp.integrations.sftp.openpgp import NoKeyMade, make_key_pair
from rgapp.integrations.sftp.public_keys import LONGEST, KeyRejected, read_public_key
from rgapp.models import Integration, SFTPKey


@sftp.command("account")
@click.argument("integration_id", metavar="ID")
@json_option
@reads
def show_account(integration_id: str, as_json: bool) -> None:
    """Show what opens an integration's account: never a password, and of keys their fingerprints."""
    found = _with_account(integration_id)
    account, keys = accounts.of_integration(db.session(), found), accounts.keys_of(db.session(), found)
    address = kind_of(found.kind).urls(found, current_app.config["BASE_URL"])
    if as_json:
        set_at = account.password_set_at if account is not None else None
        earlier = account.earlier_until if account is not None and accounts.has_earlier(account, utcnow()) else None
        print_json(
            address
            | {
                "password_set": set_at.isoformat() if set_at else None,
                "earlier_password_until": earlier.isoformat() if earlier else None,
                "keys": [_as_data(key) for key in keys],
            }
        )
        return
    for name, value in address.items():
        click.echo(f"{name}: {value}")
    click.echo(f"password: {'set' if account is not None and account.password_hash else 'none'}")
    rows = [(key.name, key.fingerprint, _as_data(key)["last_used"]) for key in keys]
    print_table(("key", "fingerprint", "last used"), rows, empty="There is no key yet.")


@sftp.command("password")
@click.argument("integration_id", metavar="ID")
@click.option("--at-once", is_flag=True, help="Let the password before end now, not in 24 hours.")
@writes
def change_password(integration_id: str, at_once: bool) -> None:
    """Make a new password and print it, once; the one before works for 24 hours longer."""
    session, found, now = db.session(), _with_account(integration_id), utcnow()
    password = passwords.make_password()
    hashed = passwords.new_password(password, username="")
    overlap = timedelta(0) if at_once else accounts.OVERLAP
    accounts.set_password(session, found, hashed, actor=COMMAND_LINE, now=now, overlap=overlap)
    session.commit()  # It is printed only once it opens something.
    click.echo(password)
    note("It is not shown again.")


@sftp.command("add-key")
@click.argument("integration_id", metavar="ID")
@click.argument("file", type=click.File("r", encoding="utf-8"))
@click.option("--name", default="", help="What to call it; its comment where no name is given.")
@writes
def add_key(integration_id: str, file: TextIO, name: str) -> None:
    """Let the public key in FILE open an integration's account; `-` is stdin."""
    found = _with_account(integration_id)
    try:
        key = read_public_key(file.read(LONGEST + 1))
        row = accounts.add_key(db.session(), found, key, name=name, actor=COMMAND_LINE, now=utcnow())
    except KeyRejected as error:
        raise CommandError(KEY_WORDS[error.problem]) from error
    except UnicodeDecodeError as error:
        raise CommandError("This file is no SSH public key.") from error
    except KeyKnown as error:
        raise CommandError(f"The account has this key already, as {error.name!r}.") from error
    except TooManyKeys as error:
        raise CommandError("The account has as many keys as it may have: remove one first.") from error
    click.echo(row.fingerprint)


@sftp.command("remove-key")
@click.argument("integration_id", metavar="ID")
@click.argument("key", metavar="KEY")
@writes
def remove_key(integration_id: str, key: str) -> None:
    """Let a key, named by its fingerprint or its name, open nothing from now on."""
    session, found = db.session(), _with_account(integration_id)
    matching = [row for row in accounts.keys_of(session, found) if key in {row.fingerprint, row.name}]
    if len(matching) != 1:
        problem = "Several keys have this name: give the fingerprint." if matching else "There is no such key."
        raise CommandError(f"{problem} `flask sftp account` shows them.")
    accounts.remove_key(session, found, matching[0].id, actor=COMMAND_LINE, now=utcnow())
    note("Removed: it opens nothing from now on.")


@sftp.command("openpgp")
@click.argument("integration_id", metavar="ID")
@click.option("--make", is_flag=True, help="Make a key pair where there is none yet.")
@writes
def openpgp_key(integration_id: str, make: bool) -> None:
    """Print the public OpenPGP key with which files can be encrypted for an integration."""
    session, found = db.session(), _with_account(integration_id)
    if found.service_certificate is None and not make:
        raise CommandError("There is no OpenPGP key yet: --make makes one.")
    if found.service_certificate is None:
        try:
            with without_lock():
                private, public = make_key_pair(found.live_name or found.name)
        except NoKeyMade as error:
            raise CommandError("The key could not be made. Try again in a moment.") from error
        session.refresh(found, with_for_update=True)
        if found.service_certificate is None:
            found.service_key, found.service_certificate = sealer().seal(private), public
            service.note_change(session, found, Tag.SFTP_KEY_ADDED, COMMAND_LINE, utcnow(), key="OpenPGP")
            session.commit()  # It is printed only once we can open what is encrypted with it.
            note("Made. Give this public half to whoever encrypts the files.")
    click.echo(found.service_certificate.strip())


def _with_account(integration_id: str) -> Integration:
    _, (found,) = chosen(integration_id, None)
    if found.kind != FILES.key:
        raise CommandError(f"{found.name} is an integration of the kind {found.kind}, which takes no files.")
    return found


def _as_data(key: SFTPKey) -> dict[str, str | None]:
    return {
        "name": key.name,
        "fingerprint": key.fingerprint,
        "added": key.added_at.isoformat(),
        "added_by": key.added_by,
        "last_used": key.last_used_at.isoformat() if key.last_used_at else None,
    }


__all__ = ["sftp"]
