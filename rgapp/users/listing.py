"""The list of users: search, filters, order, pages, and its export."""

import uuid
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any

from flask import current_app, redirect, render_template, request, url_for
from flask_login import current_user
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from rgapp.access import EVERY_ROLE, staff
from rgapp.audit import Tag, record_event
from rgapp.auth.staff import staff_actor
from rgapp.clock import utcnow
from rgapp.database import reading, writing
from rgapp.extensions import db, limiter
from rgapp.manager.links import attempt_url
from rgapp.models import Programme, User, UserStatus
from rgapp.provisioning import Source
from rgapp.users import groups, queries
from rgapp.users.asked import Request, in_words, read_request
from rgapp.users.export import csv_head, csv_lines
from rgapp.users.kinds import MOST_COUNTED, Facets
from rgapp.users.person import integration_names, source_label
from rgapp.users.routes import bp
from rgapp.users.scope import MOST_PROGRAMMES, Scope
from rgapp.wording_events import SOURCE_LABELS

# More groups than this are a list to choose from.
MOST_CHIPS = 8
STATUS_LABELS = {UserStatus.ACTIVE: "Active", UserStatus.LEAVER: "Leavers"}


@bp.get("/")
@staff(*EVERY_ROLE)
def index() -> str:
    """List the users that the person may see, with search, filters and counts."""
    asked = read_request()
    if asked.too_wide:
        return render_template("users/index.html", asked=asked, rows=None, page=None, facets=None, attempt=None)
    session = db.session()
    listing = queries.Listing(session, asked.scope, asked.wanted, within=within_of(asked))
    if asked.sort not in listing.sorts():
        asked = replace(asked, sort=queries.DEFAULT_SORT)
    page = listing.page(asked.sort, after=request.args.get("after"), before=request.args.get("before"))
    facets = listing.facets()
    found = queries.find_attempt(session, asked.scope, asked.wanted.search) if asked.wanted.words else None
    return render_template(
        "users/index.html",
        asked=asked,
        rows=rows_of(page.rows),
        page=page,
        facets=facets,
        groups=groups_of(asked, facets),
        heads=heads_of(asked, listing.sorts()),
        shown=amount(facets.total, facets) + (" person" if facets.total == 1 else " people"),
        attempt=(found[1].reference, attempt_url(*found)) if found is not None else None,
        one_programme=asked.chosen is not None,
        **offered_groups(asked),
        **pager_of(asked, page),
    )


def within_of(asked: Request) -> Scope | None:
    """Return the wider scope whose programmes are counted beside the list; none for a group, which has only one."""
    return None if asked.whole.wide or asked.group is not None else asked.whole


@bp.get("/export.csv")
@staff(*EVERY_ROLE)
@limiter.limit("10/minute")
def export() -> Response:
    """Send the people of the list as CSV, in pieces; who took it is recorded."""
    asked = read_request()
    if asked.too_wide:
        return redirect(asked.url())
    with writing():
        record_event(
            db.session(),
            Tag.USERS_EXPORTED,
            staff_actor(current_user._get_current_object()),
            now=utcnow(),
            programme_id=asked.chosen.id if asked.chosen is not None else None,
            facts={"filters": in_words(asked.wanted)},
        )
    name = asked.chosen.slug if asked.chosen is not None else "programmes"
    response = current_app.response_class(pieces_of(asked, db.engine), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="users-{name}-{utcnow():%Y-%m-%d}.csv"'
    return response


def pieces_of(asked: Request, engine: Engine) -> Iterator[str]:
    """Yield the CSV file of what was asked for; runs after the request is over, so with sessions of its own."""
    programmes: dict[uuid.UUID, Programme] = {}
    sources: dict[uuid.UUID, str] = {}
    yield csv_head()
    after: str | None = None
    while True:
        with reading(), Session(engine, expire_on_commit=False) as session:
            page = queries.export_batch(session, asked.scope, asked.wanted, after)
            if unknown := [user for user in page.rows if user.programme_id not in programmes]:
                programmes.update(queries.programmes_by_id(session, unknown))
                sources.update(integration_names(session, {user.programme_id for user in unknown}))
            session.expunge_all()
        yield csv_lines(page.rows, programmes, sources, SOURCE_LABELS)
        if page.next_cursor is None:
            return
        after = page.next_cursor


def rows_of(users: Sequence[User]) -> list[dict[str, Any]]:
    """Return what the table shows of each user, with two look-ups for the whole page."""
    programmes = queries.programmes_by_id(db.session(), users) if users else {}
    names = integration_names(db.session(), programmes) if users else {}
    return [
        {
            "user": user,
            "programme": programmes[user.programme_id],
            "source": source_label(user, names),
            "url": url_for("users.person", slug=programmes[user.programme_id].slug, user_id=user.id),
        }
        for user in users
    ]


def groups_of(asked: Request, facets: Facets) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return the groups of filter chips with their counts."""
    wanted = asked.wanted
    statuses = [
        chip(label, asked, "status", status, wanted.status, amount(facets.statuses.get(status, 0), facets))
        for status, label in STATUS_LABELS.items()
    ]
    sources = [
        chip(
            SOURCE_LABELS[source], asked, "source", source, wanted.source, amount(facets.sources.get(source, 0), facets)
        )
        for source in Source
        if facets.sources.get(source) or wanted.source is source
    ]
    gaps = [
        {
            "label": "Incomplete details",
            "url": asked.url(incomplete=None if wanted.incomplete else "1"),
            "active": wanted.incomplete,
            "count": amount(facets.incomplete, facets),
        }
    ]
    groups = [("Status", statuses), ("Source", sources), ("Details", gaps)]
    if 1 < len(asked.visible) <= MOST_PROGRAMMES:
        slug = asked.chosen.slug if asked.chosen is not None else None
        counted = {} if asked.group is not None else facets.programmes
        programmes = [
            chip(item.name, asked, "programme", item.slug, slug, amount(counted.get(item.id, 0), facets))
            for item in asked.visible
        ]
        for one in programmes if asked.group is not None else ():
            one["count"] = None  # A group belongs to one programme, so the others are not counted beside it.
        groups.insert(0, ("Programme", programmes))
    return groups


def offered_groups(asked: Request) -> dict[str, Any]:
    """Return the groups of the chosen programme: chips while they are few, else choices for a list."""
    if asked.chosen is None:
        return {"group_chips": [], "group_choices": []}
    found = groups.groups_of(db.session(), asked.chosen.id)
    current = str(asked.group.id) if asked.group is not None else None
    labelled = [(str(one.id), one.name, group_size(one)) for one in found]
    if len(labelled) > MOST_CHIPS:
        return {"group_chips": [], "group_choices": labelled}
    chips = [chip(name, asked, "group", value, current, size) for value, name, size in labelled]
    return {"group_chips": chips, "group_choices": []}


def group_size(group: groups.Group) -> str:
    """Write how many are in a group, and with a plus where it is not counted to the end."""
    most = groups.MOST_MEMBERS_COUNTED
    return f"{most:,}+" if group.count > most else f"{group.count:,}"


def amount(count: int, facets: Facets) -> str:
    """Write how many there are: exactly as far as that is counted, and with a plus where there may be more."""
    if count > MOST_COUNTED:
        return f"{MOST_COUNTED:,}+"
    return f"{count:,}+" if facets.partial else f"{count:,}"


def chip(label: str, asked: Request, name: str, value: str, current: str | None, count: str) -> dict[str, Any]:
    """Return one chip; choosing the active one again lets go of it."""
    active = current == value
    changed = {name: None if active else value} | ({"group": None} if name == "programme" else {})
    return {"label": label, "url": asked.url(**changed), "active": active, "count": count}


def heads_of(asked: Request, sorts: Collection[str]) -> dict[str, dict[str, str | None]]:
    """Return for each column the address that sorts by it, where the list can be, and its direction now."""
    heads: dict[str, dict[str, str | None]] = {}
    for name in ("name", "number", "email", "seen"):
        first = "-seen" if name == "seen" else name
        other = name if first == f"-{name}" else f"-{name}"
        target = other if asked.sort == first else first
        direction = {name: "ascending", f"-{name}": "descending"}.get(asked.sort)
        heads[name] = {
            "url": asked.url(sort=None if target == queries.DEFAULT_SORT else target) if name in sorts else None,
            "direction": direction,
        }
    return heads


def pager_of(asked: Request, page: Any) -> dict[str, str | None]:
    """Return the addresses of the neighbouring pages."""
    return {
        "next_url": asked.url(after=page.next_cursor) if page.next_cursor else None,
        "prev_url": asked.url(before=page.prev_cursor) if page.prev_cursor else None,
        "export_url": url_for("users.export", **asked.arguments(sort=None)),
    }
