"""`flask integration …`: the set-up pages' twin, from a declarative file."""

import os
import sys
import uuid
from pathlib import Path
from typing import Any

import click
from flask import current_app
from sqlalchemy import select

from rgapp.audit.service import COMMAND_LINE
from rgapp.cli.support import (
    CommandError,
    group,
    json_option,
    note,
    print_json,
    print_table,
    programme_called,
    programme_option,
    reads,
    utcnow,
    writes,
)
from rgapp.extensions import db, sealer
from rgapp.integrations import applying, declared, service
from rgapp.integrations.base import DeclaredContext
from rgapp.integrations.registry import kind_of
from rgapp.integrations.service import NameTaken
from rgapp.models import Integration, Programme

LARGEST_FILE = 4 * 1024 * 1024

integration = group("integration", "Set up integrations from a file, export and list them.")


@integration.command("list")
@programme_option
@json_option
@reads
def list_integrations(slug: str, as_json: bool) -> None:
    """List the integrations of a programme with the addresses that the other side needs."""
    found = [as_data(each) for each in service.list_all(db.session(), programme_called(slug))]
    if as_json:
        print_json(found)
        return
    rows = [(each["name"], each["kind"], each["state"], each["id"]) for each in found]
    print_table(("name", "kind", "state", "id"), rows, empty="There is no integration yet.")


@integration.command("export")
@click.argument("integration_id", required=False, metavar="[ID]")
@click.option("--programme", "slug", metavar="SLUG", help="All integrations of this programme.")
@reads
def export(integration_id: str | None, slug: str | None) -> None:
    """Print the file that `apply` takes, for a programme or for one integration."""
    programme, found = chosen(integration_id, slug)
    text, left_out = applying.export(db.session(), programme, found)
    for each in left_out:
        note(f"Left out: {each.name} is a draft that is not complete.")
    click.echo(text, nl=False)


@integration.command("apply")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--dry-run", is_flag=True, help="Print what would change, and write nothing.")
@writes
def apply(file: Path, dry_run: bool) -> None:
    """Bring a programme's integrations to what FILE declares; applying it again changes nothing."""
    now = utcnow()
    content = declared.parse(_read(file))
    slug = content.get("programme")
    if not isinstance(slug, str):
        raise CommandError("programme: name the programme by its slug.")
    context = DeclaredContext(
        folder=Path() if str(file) == "-" else file.resolve().parent,
        programme=programme_called(slug),
        now=now,
        environment=os.environ,
        outbound_allow=current_app.config["OUTBOUND_ALLOW"],
    )
    # Metadata may be fetched here: end the transaction first, so that a slow server holds nobody up.
    db.session.rollback()
    declaration = declared.check(db.session(), content, context)
    try:
        done = applying.apply(db.session(), declaration, sealer=sealer(), actor=COMMAND_LINE, now=now)
    except NameTaken as error:
        raise CommandError(f"Somebody else has just taken the name {error}. Apply the file again.") from error
    if dry_run:
        db.session.rollback()
        note("Dry run: nothing was written.")
    else:
        db.session.commit()
    for applied in done:
        _print_applied(applied, dry_run)


def _print_applied(applied: applying.Applied, dry_run: bool) -> None:
    if not applied.actions:
        click.echo(f"{applied.name}: unchanged")
        return
    click.echo(f"{applied.name}: {'would be ' if dry_run else ''}{', '.join(applied.actions)}")
    for change in applied.changes:
        click.echo(f"  {change}")
    if applied.created is not None and not dry_run:
        for name, url in kind_of(applied.created.kind).urls(applied.created, current_app.config["BASE_URL"]).items():
            click.echo(f"  {name}: {url}")


def as_data(found: Integration) -> dict[str, Any]:
    """Return what `integration list --json` gives of each; part of the public interface."""
    return {
        "id": str(found.id),
        "kind": found.kind,
        "provider": found.provider,
        "name": found.live_name or found.name,
        "state": state_of(found),
        "urls": kind_of(found.kind).urls(found, current_app.config["BASE_URL"]),
    }


def state_of(found: Integration) -> str:
    """Return `live`, `paused`, `tested` (a draft that passed a test) or `draft`."""
    if found.live_version is not None:
        return "live" if found.enabled else "paused"
    return "tested" if service.is_tested(found) else "draft"


def chosen(integration_id: str | None, slug: str | None) -> tuple[Programme, list[Integration]]:
    """Return the programme and the integrations that the arguments name.

    Raises `CommandError`.
    """
    if integration_id is None and slug is None:
        raise click.UsageError("Give an integration's ID, or --programme SLUG for all of them.")
    programme = programme_called(slug) if slug is not None else None
    if integration_id is None:
        assert programme is not None  # noqa: S101 - one of the two is given.
        return programme, service.list_all(db.session(), programme)
    try:
        wanted = uuid.UUID(integration_id)
    except ValueError as error:
        raise CommandError(f"{integration_id!r} is not an integration's ID.") from error
    found = db.session.scalar(select(Integration).where(Integration.id == wanted))
    if found is None or (programme is not None and found.programme_id != programme.id):
        raise CommandError(f"There is no integration {integration_id}. `flask integration list` shows the IDs.")
    return db.session.get_one(Programme, found.programme_id), [found]


def _read(file: Path) -> str:
    """Return the file's text; `-` is stdin.

    Raises `CommandError`.
    """
    try:
        data = sys.stdin.buffer.read(LARGEST_FILE + 1) if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
    if len(data) > LARGEST_FILE:
        raise CommandError(f"{file} is larger than 4 MiB.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CommandError(f"{file} is not UTF-8 text.") from error
