"""`flask mail …`: deliver what waits in the outbox."""

import click
from flask import current_app

from rgapp.cli.support import group, utcnow, writes
from rgapp.extensions import db
from rgapp.jobs.tasks import send_mails

mail = group("mail", "Deliver what waits in the outbox.")


@mail.command("send")
@writes
def send() -> None:
    """Deliver the mails that are due now, as the worker does each minute."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # The proxy has it.
    sent = send_mails(app, db.session(), now=utcnow())
    click.echo(f"Sent {sent} {'mail' if sent == 1 else 'mails'}.")
