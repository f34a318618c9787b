"""`flask integration token`: bearer tokens for integrations whose other side calls us."""

from datetime import timedelta

import click

from rgapp.audit.service import COMMAND_LINE
from rgapp.cli.integrations import chosen, integration
from rgapp.cli.support import CommandError, json_option, note, print_json, print_table, reads, utcnow, writes
from rgapp.extensions import db
from rgapp.integrations.registry import kind_of
from rgapp.integrations.scim import tokens
from rgapp.models import Integration

LONGEST_DAYS = 3650


@integration.command("token")
@click.argument("integration_id", metavar="ID")
@click.option("--days", type=click.IntRange(1, LONGEST_DAYS), default=365, show_default=True, help="How long it lasts.")
@click.option("--no-expiry", is_flag=True, help="Let it last until it is revoked.")
@click.option("--label", default="", help="What it is for, to tell it from the other one.")
@writes
def issue_token(integration_id: str, days: int, no_expiry: bool, label: str) -> None:
    """Issue a bearer token and print it, once; two can be alive, so that one replaces the other without a gap."""
    lifetime = None if no_expiry else timedelta(days=days)
    try:
        row, token = tokens.issue(
            db.session(), _with_tokens(integration_id), actor=COMMAND_LINE, now=utcnow(), label=label, lifetime=lifetime
        )
    except tokens.TooManyTokens as error:
        raise CommandError("Two tokens are alive. Revoke one first: `flask integration revoke-token`.") from error
    db.session.commit()  # It is printed only once it opens something.
    click.echo(token)
    lasts = f"until {row.expires_at:%Y-%m-%d}" if row.expires_at else "until it is revoked"
    note(f"Valid {lasts}. It is not shown again.")


@integration.command("tokens")
@click.argument("integration_id", metavar="ID")
@json_option
@reads
def list_tokens(integration_id: str, as_json: bool) -> None:
    """List the tokens of an integration: their last characters, never the tokens."""
    now = utcnow()
    found = [
        {
            "id": str(row.id),
            "label": row.label,
            "ends_with": row.hint,
            "state": str(tokens.state_of(row, now)),
            "created": row.created_at.isoformat(),
            "created_by": row.created_by,
            "expires": row.expires_at.isoformat() if row.expires_at else None,
            "last_used": row.last_used_at.isoformat() if row.last_used_at else None,
        }
        for row in tokens.of_integration(db.session(), _with_tokens(integration_id))
    ]
    if as_json:
        print_json(found)
        return
    columns = ("label", "ends_with", "state", "expires", "last_used", "id")
    print_table(columns, [[row[name] for name in columns] for row in found], empty="There is no token yet.")


# A token's last characters may begin with a hyphen.
@integration.command("revoke-token", context_settings={"ignore_unknown_options": True})
@click.argument("integration_id", metavar="ID")
@click.argument("token", metavar="TOKEN")
@writes
def revoke_token(integration_id: str, token: str) -> None:
    """Revoke a token, named by its id or by its last characters."""
    session, found, now = db.session(), _with_tokens(integration_id), utcnow()
    matching = [
        row
        for row in tokens.of_integration(session, found)
        if token in {str(row.id), row.hint} and row.revoked_at is None
    ]
    if len(matching) != 1:
        problem = "More than one token ends so: name it by its id." if matching else "There is no such token."
        raise CommandError(f"{problem} `flask integration tokens` lists them.")
    tokens.revoke(session, found, matching[0].id, actor=COMMAND_LINE, now=now)
    note("Revoked: it opens nothing from now on.")


def _with_tokens(integration_id: str) -> Integration:
    _, (found,) = chosen(integration_id, None)
    if not kind_of(found.kind).has_tokens:
        raise CommandError(f"{found.name} is an integration of the kind {found.kind}, which has no tokens.")
    return found


__all__ = ["integration"]
