"""The page of one run: how far it is, what came of it, its report, and what is done about a held one."""

import uuid
from collections.abc import Iterator
from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask_login import current_user
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from rgapp.access import CHANGERS, EVERY_ROLE, staff
from rgapp.clock import utcnow
from rgapp.dashboard.common import actor, bp, load, page, programme
from rgapp.dashboard.feeds import queries
from rgapp.dashboard.feeds.sheet import Sheet, facts_of, sheet_of
from rgapp.dashboard.steps import first_step
from rgapp.database import reading
from rgapp.extensions import db
from rgapp.integrations.registry import kind_of
from rgapp.integrations.sync import report, settling
from rgapp.integrations.sync.settling import CannotSettle, Obstacle, Settled
from rgapp.models import Integration, SyncRun
from rgapp.templating import counted, exact_time
from rgapp.wording_sync import OBSTACLES, problem_words


def loaded(integration_id: uuid.UUID, run_id: uuid.UUID) -> tuple[Integration, SyncRun]:
    """Return the integration and the run in the URL; 404 for what is no feed, or no run of it."""
    integration = load(integration_id)
    run = queries.run_of(db.session(), integration, run_id) if kind_of(integration.kind).feeds is not None else None
    if run is None:
        abort(404)
    return integration, run


@bp.get("/<uuid:integration_id>/runs/<uuid:run_id>")
@staff(*EVERY_ROLE)
def run(slug: str, integration_id: uuid.UUID, run_id: uuid.UUID) -> str:
    """Show one run."""
    integration, found = loaded(integration_id, run_id)
    sheet = sheet_of(found, utcnow())
    return page(
        "feeds/run.html",
        integration,
        sheet=sheet,
        facts=facts_of(sheet, lambda moment: exact_time(moment, programme().zone)),
        first_url=first_step(integration),
        **report_values(found),
        **settling_values(sheet),
    )


@bp.get("/<uuid:integration_id>/runs/<uuid:run_id>/progress")
@staff(*EVERY_ROLE)
def run_progress(slug: str, integration_id: uuid.UUID, run_id: uuid.UUID) -> str:
    """Return how far a run is, alone, which its page asks for again and again."""
    integration, found = loaded(integration_id, run_id)
    return page("feeds/_progress.html", integration, sheet=sheet_of(found, utcnow()))


@bp.get("/<uuid:integration_id>/runs/<uuid:run_id>/report.csv")
@staff(*EVERY_ROLE)
def run_report(slug: str, integration_id: uuid.UUID, run_id: uuid.UUID) -> Response:
    """Give the report as CSV."""
    _, found = loaded(integration_id, run_id)
    answer = Response(pieces_of(db.engine, found.programme_id, found.id), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="report-{slug}-{found.received_at:%Y-%m-%d}.csv"'
    return answer


@bp.post("/<uuid:integration_id>/runs/<uuid:run_id>/release")
@staff(*CHANGERS)
def release_run(slug: str, integration_id: uuid.UUID, run_id: uuid.UUID) -> Response:
    """Let a held run be applied as it is; where the programme wants it, a second person has to confirm."""
    _, found = loaded(integration_id, run_id)
    try:
        settled = settling.release(db.session(), found, actor(), now=utcnow())
    except CannotSettle as error:
        db.session.rollback()
        flash(OBSTACLES[error.obstacle], "warning")
    else:
        db.session.commit()
        if settled is Settled.NEEDS_SECOND_PERSON:
            flash("You have asked for the release. Another admin has to confirm it.", "success")
        else:
            flash("Released: it is applied at its turn.", "success")
    return redirect(url_for("dashboard.run", slug=slug, integration_id=integration_id, run_id=run_id), 303)


@bp.post("/<uuid:integration_id>/runs/<uuid:run_id>/discard")
@staff(*CHANGERS)
def discard_run(slug: str, integration_id: uuid.UUID, run_id: uuid.UUID) -> Response:
    """Put a held run away."""
    _, found = loaded(integration_id, run_id)
    try:
        settling.discard(db.session(), found, actor(), now=utcnow())
    except CannotSettle as error:
        db.session.rollback()
        flash(OBSTACLES[error.obstacle], "warning")
    else:
        db.session.commit()
        flash("Discarded: nothing of it is applied.", "success")
    return redirect(url_for("dashboard.run", slug=slug, integration_id=integration_id, run_id=run_id), 303)


def pieces_of(engine: Engine, programme_id: uuid.UUID, run_id: uuid.UUID) -> Iterator[str]:
    """Yield the report; runs after the request is over, so with a session of its own."""
    with Session(engine, expire_on_commit=False) as session:
        pieces = report.problems_as_csv(session, programme_id, run_id)
        while True:
            with reading():
                piece = next(pieces, None)
            if piece is None:
                return
            yield piece


def report_values(found: SyncRun) -> dict[str, Any]:
    """Return refused rows, warnings and leavers of a run, as the address asks for their pages."""
    session = db.session()
    refused = queries.problems(session, found, refused=True, behind=number("refused"))
    warned = queries.problems(session, found, refused=False, behind=number("warned"))
    people = queries.leavers(session, found, after=request.args.get("after"), before=request.args.get("before"))
    return {
        "refused": refused,
        "warned": warned,
        "people": people,
        "reason_of": lambda problem: problem_words(problem.code, problem.facts, problem.column_name),
        "behind": {"refused": number("refused"), "warned": number("warned")},
    }


def settling_values(sheet: Sheet) -> dict[str, Any]:
    """Return what can be done about a held run, and what each way means, with how many people it touches."""
    if not sheet.is_held:
        return {"settle": None}
    found, session = sheet.run, db.session()
    obstacle = settling.obstacle_to_release(session, found)
    asked = found.release_asked_at is not None
    own = asked and found.release_asked_by == current_user.id
    if obstacle is None and programme().guard_second_person and own:
        obstacle = Obstacle.SAME_PERSON
    people = counted(found.leavers, "person", "people")
    nothing = "Nothing more" if found.checked_at is not None else "Nothing"
    size = f"This takes out {people} now" if found.leavers else "This takes nobody out"
    return {
        "settle": {
            "obstacle": OBSTACLES[obstacle] if obstacle is not None else "",
            "asks": programme().guard_second_person and not asked,
            "asked_by": queries.staff_name(session, found.release_asked_by) if asked else "",
            "release": f"{size}. Everything else in it is applied already."
            if found.checked_at is not None
            else f"{size}, and creates and updates the others in it: {counted(found.row_count, 'row')} in all.",
            "discard": f"{nothing} of it is applied. {people[0].upper()}{people[1:]} "
            f"{'keeps' if found.leavers == 1 else 'keep'} their access, until a newer {sheet.thing} says otherwise."
            if found.leavers
            else f"{nothing} of it is applied. Nobody is concerned.",
            "word": f"{people} would leave" if found.leavers else "Nobody would leave",
        }
    }


def number(name: str) -> int:
    """Return a whole number of the address, 0 for none."""
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
