"""The flask commands: each calls the same services as the web."""

from flask import Flask

from rgapp.cli import mail, programmes, sftp_accounts, staff_access, sync, tokens, users, worker


def init_app(app: Flask) -> None:
    """Register the commands."""
    for command in (
        programmes.programme,
        staff_access.group,
        tokens.integration,  # The commands about tokens belong to the same group.
        sync.sync,
        users.user,
        mail.mail,
        sftp_accounts.sftp,  # The commands about accounts belong to the same group.
        worker.worker,
    ):
        app.cli.add_command(command)
