"""Mail of a programme: what was sent and what waits, one mail as it reads, and a preview of each kind."""

import uuid
from typing import Any

from flask import abort, current_app, g, render_template, request, url_for
from werkzeug.wrappers import Response

from rgapp.access import EVERY_ROLE, staff
from rgapp.clock import utcnow
from rgapp.extensions import db
from rgapp.mail.contexts import NotSent
from rgapp.mail.outbox import MailKind
from rgapp.manager import mailbox
from rgapp.manager.routes import bp
from rgapp.models import MailStatus, OutboxMail, Programme

# A mail is a document of its own, with styles inside and nothing else: no script, no form, no request to anywhere.
DOCUMENT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-popups"
)


@bp.get("/<slug>/mail")
@staff(*EVERY_ROLE)
def mail(slug: str) -> str:
    """List the mails, newest first."""
    asked = request.args.get("status", "")
    status = MailStatus(asked) if asked in set(MailStatus) else None
    page = mailbox.mails_page(
        db.session(), g.programme, status, after=request.args.get("after"), before=request.args.get("before")
    )
    return render_template(
        "manager/mail.html",
        page=page,
        status=status,
        chips=chips_of(slug, status),
        kind_label=mailbox.kind_label,
        previews=[{"label": tab["label"], "url": tab["url"]} for tab in preview_tabs(slug, None)],
        to_folder=not current_app.config["SMTP_URL"],
    )


@bp.get("/<slug>/mail/<uuid:mail_id>")
@staff(*EVERY_ROLE)
def mail_message(slug: str, mail_id: uuid.UUID) -> str:
    """Show one mail: where it stands, and how it reads."""
    found = mail_or_404(mail_id)
    reading = read(found, g.programme)
    return render_template(
        "manager/mail_message.html",
        mail=found,
        kind=mailbox.kind_label(found.kind),
        reading=None if isinstance(reading, NotSent) else reading,
        reason=reading.value if isinstance(reading, NotSent) else "",
        person=mailbox.recipient_of(db.session(), found),
        overdue=found.due_at <= utcnow(),
        to_folder=not current_app.config["SMTP_URL"],
    )


@bp.get("/<slug>/mail/<uuid:mail_id>/html")
@staff(*EVERY_ROLE)
def mail_html(slug: str, mail_id: uuid.UUID) -> Response:
    """Serve a mail's HTML as a document of its own."""
    reading = read(mail_or_404(mail_id), g.programme)
    if isinstance(reading, NotSent):
        abort(404)
    return document(reading.message.html)


@bp.get("/<slug>/mail/preview/<kind>")
@staff(*EVERY_ROLE)
def mail_preview(slug: str, kind: str) -> str:
    """Show a kind of mail with a made-up person."""
    chosen = kind_or_404(kind)
    message = mailbox.sample_of(
        db.session(), chosen, g.programme, base_url=current_app.config["BASE_URL"], now=utcnow()
    )
    return render_template(
        "manager/mail_preview.html",
        message=message,
        kind=chosen,
        label=mailbox.kind_label(chosen),
        sentence=mailbox.KIND_SENTENCES.get(chosen, ""),
        tabs=preview_tabs(slug, chosen),
    )


@bp.get("/<slug>/mail/preview/<kind>/html")
@staff(*EVERY_ROLE)
def mail_preview_html(slug: str, kind: str) -> Response:
    """Serve the preview's HTML as a document of its own."""
    message = mailbox.sample_of(
        db.session(), kind_or_404(kind), g.programme, base_url=current_app.config["BASE_URL"], now=utcnow()
    )
    return document(message.html)


def preview_tabs(slug: str, chosen: MailKind | None) -> list[dict[str, Any]]:
    """Return the kinds of mail with the addresses of their previews."""
    return [
        {
            "label": mailbox.kind_label(kind),
            "url": url_for("manager.mail_preview", slug=slug, kind=kind.value),
            "active": kind is chosen,
        }
        for kind in MailKind
    ]


def read(mail: OutboxMail, programme: Programme) -> mailbox.Reading | NotSent:
    """Return how a mail reads; the delivered copy is shown in the demo only, for it holds one-time links."""
    config = current_app.config
    folder = config["MAIL_FOLDER"] if config["DEMO"] and not config["SMTP_URL"] else None
    return mailbox.reading_of(db.session(), mail, programme, folder=folder, base_url=config["BASE_URL"], now=utcnow())


def document(html: str) -> Response:
    """Return a mail's HTML under its own policy, which pages of this site alone may frame."""
    response = current_app.response_class(html, mimetype="text/html")
    response.headers["Content-Security-Policy"] = DOCUMENT_POLICY
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response


def mail_or_404(mail_id: uuid.UUID) -> OutboxMail:
    """Return a mail of this programme, or answer 404."""
    found = mailbox.get_mail(db.session(), g.programme, mail_id)
    if found is None:
        abort(404)
    return found


def kind_or_404(kind: str) -> MailKind:
    """Return a kind of mail, or answer 404."""
    if kind not in set(MailKind):
        abort(404)
    return MailKind(kind)


def chips_of(slug: str, status: MailStatus | None) -> list[dict[str, Any]]:
    """Return the chips of the states."""
    states: list[MailStatus | None] = [None, *MailStatus]
    return [
        {
            "label": state.value.capitalize() if state else "All",
            "url": url_for("manager.mail", slug=slug, status=state.value if state else None),
            "active": state is status,
        }
        for state in states
    ]
