"""What opens an SFTP account, changed by an admin: a password, which is shown once, public keys, an OpenPGP key."""

import uuid
from datetime import timedelta

from flask import abort, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from rgapp.access import CHANGERS, EVERY_ROLE, staff
from rgapp.audit import Tag
from rgapp.clock import utcnow
from rgapp.dashboard.common import actor, bp, page, seen
from rgapp.dashboard.sftp.account import account_page
from rgapp.dashboard.sftp.connection import connection, made_account, server
from rgapp.dashboard.steps import steps_of
from rgapp.database import without_lock
from rgapp.extensions import db, limiter, sealer
from rgapp.integrations import service
from rgapp.integrations.sftp import accounts, passwords
from rgapp.integrations.sftp.access import KEY_WORDS
from rgapp.integrations.sftp.forms import AccountForm, KeyForm, PasswordForm
from rgapp.integrations.sftp.openpgp import NoKeyMade, make_key_pair
from rgapp.integrations.sftp.public_keys import KeyRejected, read_public_key
from rgapp.models import Integration

BACK = {"tools": "dashboard.tools", "account": "dashboard.sftp_account"}
TOO_MANY = f"The account has {accounts.MOST_KEYS} keys, which is as many as it may have. Remove one first."


def back_to(integration: Integration, place: str) -> str:
    """Return the page that this was asked from, at a place in it."""
    endpoint = BACK.get(request.form.get("back", ""), BACK["account"])
    return f"{url_for(endpoint, slug=(request.view_args or {})['slug'], integration_id=integration.id)}#{place}"


@bp.post("/<uuid:integration_id>/sftp/password")
@staff(*CHANGERS)
@limiter.limit("30/minute")
def sftp_issue_password(slug: str, integration_id: uuid.UUID) -> str | Response:
    """Make a password and show it, once; the one before works for a day longer, unless it is ended at once."""
    integration, form = connection(integration_id), PasswordForm()
    if not form.validate():
        return redirect(back_to(integration, "password"), 303)
    username = made_account(integration).username
    password = passwords.make_password()
    with without_lock():
        hashed = passwords.new_password(password, username=username)
    integration = connection(integration_id)
    overlap = timedelta(0) if form.at_once.data else accounts.OVERLAP
    accounts.set_password(db.session(), integration, hashed, actor=actor(), now=utcnow(), overlap=overlap)
    db.session.commit()
    return page(
        "sftp/password.html",
        integration,
        password=password,
        username=username,
        server=server(),
        account=made_account(integration),
        next_url=back_to(integration, "password"),
        steps=steps_of(integration),
        current="account",
    )


@bp.post("/<uuid:integration_id>/sftp/password/end-earlier")
@staff(*CHANGERS)
def sftp_end_earlier_password(slug: str, integration_id: uuid.UUID) -> Response:
    """Let the earlier password open nothing from now on."""
    integration = connection(integration_id)
    if accounts.end_earlier_password(db.session(), integration, actor=actor(), now=utcnow()):
        flash("The earlier password opens nothing any more.", "success")
    else:
        flash("There was no earlier password that still worked, so nothing was changed.", "info")
    db.session.commit()
    return redirect(back_to(integration, "password"), 303)


@bp.post("/<uuid:integration_id>/sftp/password/remove")
@staff(*CHANGERS)
def sftp_remove_password(slug: str, integration_id: uuid.UUID) -> Response:
    """Let keys alone open the account."""
    integration = connection(integration_id)
    if accounts.remove_password(db.session(), integration, actor=actor(), now=utcnow()):
        flash("The password opens nothing any more.", "success")
    else:
        flash("There was no password, so nothing was changed.", "info")
    db.session.commit()
    return redirect(back_to(integration, "password"), 303)


@bp.post("/<uuid:integration_id>/sftp/keys")
@staff(*CHANGERS)
@limiter.limit("30/minute")
def sftp_add_key(slug: str, integration_id: uuid.UUID) -> str | Response:
    """Let a public key open the account."""
    integration, form = connection(integration_id), KeyForm()
    if not form.validate():
        return key_page(integration, form)
    try:
        key = read_public_key(form.public_key.data or "")
        row = accounts.add_key(
            db.session(), integration, key, name=form.key_name.data or "", actor=actor(), now=utcnow()
        )
    except KeyRejected as error:
        form.public_key.errors = [KEY_WORDS[error.problem]]
        return key_page(integration, form)
    except accounts.KeyKnown as error:
        form.public_key.errors = [f"The account has this key already, under the name “{error.name}”."]
        return key_page(integration, form)
    except accounts.TooManyKeys:
        form.public_key.errors = [TOO_MANY]
        return key_page(integration, form)
    db.session.commit()
    flash(f"The key “{row.name}” opens the account from now on.", "success")
    return redirect(back_to(integration, "keys"), 303)


@bp.post("/<uuid:integration_id>/sftp/keys/<uuid:key_id>/remove")
@staff(*CHANGERS)
def sftp_remove_key(slug: str, integration_id: uuid.UUID, key_id: uuid.UUID) -> Response:
    """Let a key open nothing from now on."""
    integration = connection(integration_id)
    if accounts.remove_key(db.session(), integration, key_id, actor=actor(), now=utcnow()):
        flash("The key opens nothing any more.", "success")
    else:
        flash("This key was removed already, so nothing was changed.", "info")
    db.session.commit()
    return redirect(back_to(integration, "keys"), 303)


@bp.post("/<uuid:integration_id>/sftp/openpgp")
@staff(*CHANGERS)
@limiter.limit("5/minute")
def sftp_make_openpgp_key(slug: str, integration_id: uuid.UUID) -> Response:
    """Make the key pair with which files can be encrypted for us, where there is none yet."""
    integration = connection(integration_id)
    if integration.service_certificate is None:
        try:
            with without_lock():
                private, public = make_key_pair(integration.live_name or integration.name)
        except NoKeyMade:
            flash("The key could not be made. Try again in a moment.", "error")
            return redirect(back_to(integration, "openpgp"), 303)
        integration = connection(integration_id)
        db.session().refresh(integration, with_for_update=True)
        if integration.service_certificate is None:
            integration.service_key, integration.service_certificate = sealer().seal(private), public
            service.note_change(db.session(), integration, Tag.SFTP_KEY_ADDED, actor(), utcnow(), key="OpenPGP")
            db.session.commit()
            flash("The OpenPGP key is made. Give its public half to whoever encrypts the files.", "success")
    return redirect(back_to(integration, "openpgp"), 303)


@bp.get("/<uuid:integration_id>/sftp/openpgp.asc")
@staff(*EVERY_ROLE)
def sftp_openpgp_key(slug: str, integration_id: uuid.UUID) -> Response:
    """Give the public half of the OpenPGP key."""
    integration = connection(integration_id)
    if integration.service_certificate is None:
        abort(404)
    answer = Response(integration.service_certificate, mimetype="application/pgp-keys")
    answer.headers["Content-Disposition"] = f'attachment; filename="rewards-{slug}.asc"'
    return answer


def key_page(integration: Integration, form: KeyForm) -> str:
    """Render Account again, with what is wrong with a key beside it."""
    name = AccountForm(formdata=None, data={"name": integration.name, "seen": seen(integration)})
    return account_page(integration, name, key_form=form)
