"""Activity of a programme: what happened, who did it, and the way from a reference code to its sign-in."""

import uuid
from typing import Any

from flask import current_app, g, redirect, render_template, request, url_for
from markupsafe import Markup, escape
from werkzeug.wrappers import Response

from rgapp.access import EVERY_ROLE, staff
from rgapp.extensions import db
from rgapp.manager import queries
from rgapp.manager.links import attempt_url
from rgapp.manager.queries import EventFilter
from rgapp.manager.routes import bp
from rgapp.models import AuditEvent, Programme, User
from rgapp.wording_events import GROUP_LABELS, EventGroup, actor_words, event_words

MARK = "\ue000"  # A private character; no title has one.


@bp.get("/<slug>/activity")
@staff(*EVERY_ROLE)
def activity(slug: str) -> str | Response:
    """List the audit events, newest first; with a reference code, go to that sign-in."""
    programme: Programme = g.programme
    reference = request.args.get("reference", "").strip()
    if reference:
        attempt = queries.find_attempt(db.session(), programme, reference)
        if attempt is not None:
            return redirect(attempt_url(programme, attempt))
    wanted = read_filter()
    page = queries.events_page(
        db.session(), programme, wanted, after=request.args.get("after"), before=request.args.get("before")
    )
    people = queries.people_by_id(db.session(), programme, [*(event.user_id for event in page.rows), wanted.user_id])
    actors = queries.actors_of(db.session(), programme)
    return render_template(
        "manager/activity.html",
        items=[item_of(event, programme, people) for event in page.rows],
        page=page,
        wanted=wanted,
        reference=reference,
        chips=chips_of(programme, wanted),
        actors=actors,
        person=people.get(wanted.user_id) if wanted.user_id else None,
        address=lambda **changed: address_of(programme, wanted, **changed),
        retention=current_app.config["ATTEMPT_RETENTION_DAYS"],
    )


def read_filter() -> EventFilter:
    """Read the filter from the address; what makes no sense is left out."""
    group = request.args.get("kind", "")
    return EventFilter(
        group=EventGroup(group) if group in set(EventGroup) else None,
        actor_id=read_id(request.args.get("by")),
        user_id=read_id(request.args.get("person")),
    )


def read_id(text: str | None) -> uuid.UUID | None:
    """Return an id from an address, None for anything else."""
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        return None


def chips_of(programme: Programme, wanted: EventFilter) -> list[dict[str, Any]]:
    """Return the chips of the kinds of event."""
    groups: list[EventGroup | None] = [None, *EventGroup]
    return [
        {
            "label": GROUP_LABELS[group] if group else "Everything",
            "url": address_of(programme, wanted, kind=group.value if group else None),
            "active": wanted.group is group,
        }
        for group in groups
    ]


def address_of(programme: Programme, wanted: EventFilter, **changed: str | None) -> str:
    """Return the address of this list with some of it changed."""
    values: dict[str, Any] = {
        "kind": wanted.group.value if wanted.group else None,
        "by": wanted.actor_id,
        "person": wanted.user_id,
    } | changed
    return url_for("manager.activity", slug=programme.slug, **values)


def item_of(event: AuditEvent, programme: Programme, people: dict[uuid.UUID, User]) -> dict[str, Any]:
    """Return one event as an item of a timeline, with the way to whom or what it is about."""
    person = people.get(event.user_id) if event.user_id else None
    about, url = subject_of(event, programme, person)
    # The sentence is made with a mark where the name goes, so that the name alone becomes the link.
    facts = event.facts | {"name": MARK} if event.tag.startswith("integration:") else event.facts
    words = event_words(event.tag, facts, person=MARK if person is not None else None)
    link: Markup = Markup('<a href="{}">{}</a>').format(url, about) if url else escape(about)
    return {
        "at": event.at,
        "title": link.join(escape(part) for part in words.title.split(MARK)),
        "icon": words.icon,
        "kind": words.kind,
        "who": actor_words(event.actor_kind, event.actor_label),
        "detail": words.detail,
        "changes": words.changes,
    }


def subject_of(event: AuditEvent, programme: Programme, person: User | None) -> tuple[str, str | None]:
    """Return what an event is about, and its page."""
    if person is not None:
        return person.display_name, url_for("users.person", slug=programme.slug, user_id=person.id)
    if event.integration_id is None or not event.tag.startswith("integration:"):
        return "", None
    url = url_for("dashboard.integration", slug=programme.slug, integration_id=event.integration_id)
    return str(event.facts.get("name") or "without a name"), url
