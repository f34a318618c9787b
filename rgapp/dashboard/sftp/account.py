"""Account: the name, where a client finds our server, what opens the account, and the key that opens its files."""

import uuid
from typing import Any

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from rgapp.access import CHANGERS, EVERY_ROLE, staff
from rgapp.clock import utcnow
from rgapp.dashboard.common import actor, bp, changed_meanwhile, page, say_saved, seen
from rgapp.dashboard.sftp.connection import account_of, connection, limits, server
from rgapp.dashboard.steps import differs, steps_of
from rgapp.extensions import db
from rgapp.integrations import service
from rgapp.integrations.sftp import accounts
from rgapp.integrations.sftp.forms import AccountForm, KeyForm, PasswordForm
from rgapp.models import Integration

TAKEN = "Another integration of this programme has this name."


@bp.get("/<uuid:integration_id>/sftp/account")
@staff(*EVERY_ROLE)
def sftp_account(slug: str, integration_id: uuid.UUID) -> str:
    """Show Account."""
    integration = connection(integration_id)
    form = AccountForm(formdata=None, data={"name": integration.name, "seen": seen(integration)})
    return account_page(integration, form)


@bp.post("/<uuid:integration_id>/sftp/account")
@staff(*CHANGERS)
def sftp_save_account(slug: str, integration_id: uuid.UUID) -> str | Response:
    """Save the name and go on."""
    integration, form = connection(integration_id), AccountForm()
    conflict = changed_meanwhile(form, integration)
    if not form.validate() or conflict:
        return account_page(integration, form, conflict=conflict)
    try:
        changed = service.save_draft(db.session(), integration, actor=actor(), now=utcnow(), name=form.name.data)
    except service.NameTaken:
        db.session.rollback()
        form.name.errors = [TAKEN]
        return account_page(connection(integration_id), form)
    db.session.commit()
    if changed or "stay" in request.form:
        say_saved(changed, [])
    target = "dashboard.sftp_account" if "stay" in request.form else "dashboard.sftp_example"
    return redirect(url_for(target, slug=slug, integration_id=integration_id), 303)


def account_page(
    integration: Integration, form: AccountForm, *, key_form: KeyForm | None = None, conflict: bool = False
) -> str:
    """Render Account."""
    return page(
        "sftp/account.html",
        integration,
        form=form,
        steps=steps_of(integration),
        current="account",
        conflict=differs(integration) if conflict else None,
        **access_values(integration, key_form),
    )


def access_values(integration: Integration, key_form: KeyForm | None = None) -> dict[str, Any]:
    """Return what the parts about server, password and keys show."""
    session, now = db.session(), utcnow()
    account = account_of(integration)
    keys = accounts.keys_of(session, integration)
    return {
        "server": server(),
        "limits": limits(),
        "account": account,
        "earlier": account is not None and accounts.has_earlier(account, now),
        "keys": keys,
        "can_add_key": len(keys) < accounts.MOST_KEYS,
        "password_form": PasswordForm(formdata=None),
        "key_form": key_form or KeyForm(formdata=None),
        "openpgp": integration.service_certificate,
        "overlap_hours": int(accounts.OVERLAP.total_seconds() // 3600),
    }


def has_access(integration: Integration) -> bool:
    """Tell whether anything opens the account."""
    account = account_of(integration)
    opened = account is not None and account.password_hash is not None
    return opened or bool(accounts.keys_of(db.session(), integration))
