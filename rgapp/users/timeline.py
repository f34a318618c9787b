"""One timeline for a person: account events, sign-ins good and refused, and mails, newest first."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import url_for

from rgapp.manager.links import attempt_url, request_url
from rgapp.manager.mailbox import kind_label
from rgapp.models import AuditEvent, MailStatus, OutboxMail, Programme, SCIMRequest, SignInAttempt
from rgapp.users.person import History
from rgapp.wording import outcome_sentence
from rgapp.wording_events import actor_words, event_words
from rgapp.wording_scim import request_fix, request_sentence

# What one sign-in caused has one and the same time; the account comes first, then its mail, then the sign-in.
EVENT, MAIL, ATTEMPT, REQUEST = range(4)
MAIL_WORDS = {
    MailStatus.WAITING: ("{} e-mail on its way to {}", "clock", "info"),
    MailStatus.SENDING: ("{} e-mail on its way to {}", "clock", "info"),
    MailStatus.SENT: ("{} e-mail sent to {}", "envelope-check", "ok"),
    MailStatus.FAILED: ("{} e-mail could not be delivered to {}", "envelope-x", "failed"),
    MailStatus.CANCELLED: ("{} e-mail not sent to {}", "envelope-slash", "off"),
}


def items_of(history: History, programme: Programme, names: Mapping[uuid.UUID, str]) -> list[dict[str, Any]]:
    """Return the items of a timeline, newest first."""
    # What a directory sent and what came of it are one item: both were written at one instant.
    caused = {(one.at, one.integration_id): one for one in history.requests if one.accepted}
    told = {(event.at, event.integration_id) for event in history.events}
    items: list[tuple[datetime, int, dict[str, Any]]] = [
        *((event.at, EVENT, event_item(event) | request_link(event, caused, programme)) for event in history.events),
        *((mail.created_at, MAIL, mail_item(mail, programme)) for mail in history.mails),
        *((attempt.at, ATTEMPT, attempt_item(attempt, programme, names)) for attempt in history.attempts),
        *(
            (request.at, REQUEST, request_item(request, programme, names))
            for request in history.requests
            if not request.accepted or (request.at, request.integration_id) not in told
        ),
    ]
    return [item for _, _, item in sorted(items, key=lambda entry: entry[:2], reverse=True)]


def event_item(event: AuditEvent) -> dict[str, Any]:
    """Return an account event as an item."""
    words = event_words(event.tag, event.facts)
    return {
        "at": event.at,
        "title": words.title,
        "icon": words.icon,
        "kind": words.kind,
        "who": actor_words(event.actor_kind, event.actor_label),
        "detail": words.detail,
        "changes": words.changes,
    }


def request_link(
    event: AuditEvent, caused: Mapping[tuple[datetime, uuid.UUID], SCIMRequest], programme: Programme
) -> dict[str, Any]:
    """Return the way to the request of a directory that an event came of."""
    request = caused.get((event.at, event.integration_id)) if event.integration_id is not None else None
    return {"url": request_url(programme, request), "url_label": "Open the request"} if request is not None else {}


def mail_item(mail: OutboxMail, programme: Programme) -> dict[str, Any]:
    """Return a mail as an item."""
    sentence, icon, kind = MAIL_WORDS[MailStatus(mail.status)]
    detail = ""
    if mail.status == MailStatus.FAILED:
        detail = f"After {mail.tries} {'try' if mail.tries == 1 else 'tries'}. The mail server said: {mail.last_error}."
    elif mail.status == MailStatus.CANCELLED:
        detail = f"Because {mail.last_error}."
    return {
        "at": mail.sent_at or mail.created_at,
        "title": sentence.format(kind_label(mail.kind), mail.recipient),
        "icon": icon,
        "kind": kind,
        "detail": detail,
        "url": url_for("manager.mail_message", slug=programme.slug, mail_id=mail.id),
        "url_label": "Read it",
    }


def attempt_item(attempt: SignInAttempt, programme: Programme, names: Mapping[uuid.UUID, str]) -> dict[str, Any]:
    """Return a sign-in as an item."""
    name = names.get(attempt.integration_id, "a connection that is gone")
    item = {
        "at": attempt.at,
        "title": f"Signed in with {name}" if attempt.accepted else f"Sign-in with {name} refused",
        "icon": "box-arrow-in-right" if attempt.accepted else "x-circle",
        "kind": "ok" if attempt.accepted else "failed",
        "detail": "",
        "url": attempt_url(programme, attempt),
        "url_label": f"Attempt {attempt.reference}",
    }
    if not attempt.accepted:
        item["detail"] = refusal_words(attempt)
    elif attempt.idp_initiated:
        item["detail"] = "Started from the company’s portal."
    return item


def refusal_words(attempt: SignInAttempt) -> str:
    """Say why a sign-in was refused; nothing where an older version had no words for it."""
    try:
        return outcome_sentence("refused", attempt.reason, attempt.person, dry_run=False, fields=attempt.fields)
    except (KeyError, ValueError):
        return ""


def request_item(request: SCIMRequest, programme: Programme, names: Mapping[uuid.UUID, str]) -> dict[str, Any]:
    """Return a request of a directory as an item; what it changed stands with the event that followed."""
    name = names.get(request.integration_id, "a connection that is gone")
    detail = request_sentence(request)
    if not request.accepted:
        detail = f"{detail} {request_fix(request)[1]}".strip()
    return {
        "at": request.at,
        "title": f"Sent by {name}" if request.accepted else f"Request of {name} refused",
        "icon": "arrow-left-right" if request.accepted else "x-circle",
        "kind": "info" if request.accepted else "failed",
        "detail": detail,
        "url": request_url(programme, request),
        "url_label": "Open the request",
    }
