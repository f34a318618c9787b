"""The pages of one person: what is known and what happened, and what HR may do about it."""

import uuid
from datetime import datetime

from flask import abort, flash, g, redirect, render_template, request, url_for
from flask_login import current_user
from markupsafe import Markup
from werkzeug.wrappers import Response

from rgapp import provisioning
from rgapp.access import CHANGERS, EVERY_ROLE, staff
from rgapp.audit import Actor
from rgapp.auth import users as accounts
from rgapp.auth.staff import staff_actor
from rgapp.clock import utcnow
from rgapp.extensions import db
from rgapp.models import Programme, User, UserStatus
from rgapp.provisioning import Field, OutcomeKind, ProvisioningConflict
from rgapp.templating import counted
from rgapp.users import editing, timeline
from rgapp.users import person as persons
from rgapp.users.editing import Conflict, NotMailable, Rejected, Saved
from rgapp.users.forms import PersonForm
from rgapp.users.routes import bp
from rgapp.wording import form_sentence
from rgapp.wording_events import browser_words

LONGEST_REASON = 200
NOT_MAILABLE = {
    "leaver": "No e-mail was sent: this person is a leaver. Reactivate them first.",
    "no_email": "No e-mail was sent: this person has no e-mail address. Enter one first.",
    "on_its_way": "A welcome e-mail is on its way already, so no second one was sent.",
}


@bp.get("/<slug>/<uuid:user_id>")
@staff(*EVERY_ROLE)
def person(slug: str, user_id: uuid.UUID) -> str:
    """Show a person: details, gaps, conflicts, sessions and the timeline."""
    user, programme, session, now = user_or_404(user_id), g.programme, db.session(), utcnow()
    history = persons.history_of(session, user, before=read_time(request.args.get("before")))
    names = persons.integration_names(session, [programme.id])
    details = persons.details_of(session, user, programme, now=now)
    return render_template(
        "users/person.html",
        user=user,
        details=details,
        gaps=[detail for detail in details if detail.gap],
        source=persons.source_label(user, names),
        items=timeline.items_of(history, programme, names),
        older_url=url_for("users.person", slug=slug, user_id=user.id, before=history.older_than.isoformat())
        if history.older_than
        else None,
        at_start="before" not in request.args,
        sessions=[
            (entry, browser_words(entry.row.user_agent)) for entry in persons.open_sessions(session, user, now=now)
        ],
        conflicts=[
            (attempt, timeline.attempt_item(attempt, programme, names))
            for attempt in persons.conflicts_of(session, user)
        ],
        claims=[(one, timeline.request_item(one, programme, names)) for one in persons.claims_of(session, user)],
        waiting=persons.waiting_welcome(session, user) is not None,
    )


@bp.route("/<slug>/new", methods=["GET", "POST"])
@staff(*CHANGERS)
def new(slug: str) -> str | Response | tuple[str, int]:
    """Create a person by hand."""
    form = PersonForm(welcome_email=True)
    if not form.is_submitted():
        return form_page(form, None)
    return save(form, None)


@bp.route("/<slug>/<uuid:user_id>/edit", methods=["GET", "POST"])
@staff(*CHANGERS)
def edit(slug: str, user_id: uuid.UUID) -> str | Response | tuple[str, int]:
    """Change a person's details by hand."""
    user = user_or_404(user_id)
    if user.status == UserStatus.LEAVER:
        flash("A leaver’s details stay as they are. Reactivate the account first to change them.", "attention")
        return redirect(person_url(user), 303)
    if request.method == "GET":
        return form_page(PersonForm(data=editing.values_of(user) | {"seen": state_of(user)}), user)
    return save(PersonForm(), user)


def save(form: PersonForm, user: User | None) -> str | Response | tuple[str, int]:
    """Save what was typed, or show everything that is wrong with it."""
    if not form.validate():
        return form_page(form, user), 400
    if user is not None and form.seen.data != state_of(user):
        form.form_errors.append(
            "These details changed while you were editing. Compare with what is on file now, then save again."
        )
        form.seen.data = state_of(user)
        return form_page(form, user, changed=True), 409
    try:
        result = editing.save(
            db.session(),
            g.programme,
            form.values(),
            actor=actor(),
            now=utcnow(),
            target=user,
            welcome_email=bool(form.welcome_email.data),
        )
    except ProvisioningConflict:
        db.session.rollback()
        form.form_errors.append("Somebody else saved this person at the same moment. Save again.")
        return form_page(form, user), 409
    if isinstance(result, Rejected):
        show_problems(form, result)
        db.session.rollback()
        return form_page(form, user), 422
    db.session.commit()
    flash(*said(result, form))
    return redirect(url_for("users.person", slug=g.programme.slug, user_id=result.outcome.user_id), 303)


@bp.post("/<slug>/<uuid:user_id>/deactivate")
@staff(*CHANGERS)
def deactivate(slug: str, user_id: uuid.UUID) -> Response:
    """Make a person a leaver."""
    user, now = user_or_404(user_id), utcnow()
    ended = persons.count_sessions(db.session(), user, now=now)
    reason = " ".join(request.form.get("reason", "").split())[:LONGEST_REASON]
    if provisioning.deactivate(db.session(), user, actor(), now=now, reason=reason):
        db.session.commit()
        flash(f"{user.display_name} is a leaver now. {counted(ended, 'session')} ended.", "success")
    else:
        flash(f"{user.display_name} is a leaver already, so nothing was changed.", "info")
    return redirect(person_url(user), 303)


@bp.post("/<slug>/<uuid:user_id>/reactivate")
@staff(*CHANGERS)
def reactivate(slug: str, user_id: uuid.UUID) -> Response:
    """Give a leaver access again."""
    user = user_or_404(user_id)
    if provisioning.reactivate(db.session(), user, actor(), now=utcnow()):
        db.session.commit()
        flash(f"{user.display_name} can sign in again.", "success")
    else:
        flash(f"{user.display_name} is active already, so nothing was changed.", "info")
    return redirect(person_url(user), 303)


@bp.post("/<slug>/<uuid:user_id>/resend-welcome")
@staff(*CHANGERS)
def resend_welcome(slug: str, user_id: uuid.UUID) -> Response:
    """Send the welcome e-mail once more."""
    user = user_or_404(user_id)
    try:
        editing.send_welcome_again(db.session(), user, actor=actor(), now=utcnow())
    except NotMailable as refused:
        flash(NOT_MAILABLE[refused.reason], "attention")
    else:
        db.session.commit()
        flash(f"The welcome e-mail is on its way to {user.email}.", "success")
    return redirect(person_url(user), 303)


@bp.post("/<slug>/<uuid:user_id>/end-sessions")
@staff(*CHANGERS)
def end_sessions(slug: str, user_id: uuid.UUID) -> Response:
    """Sign a person out everywhere."""
    user = user_or_404(user_id)
    ended = accounts.close_all_sessions(db.session(), user, actor(), now=utcnow())
    db.session.commit()
    flash(f"{user.display_name} is signed out everywhere. {counted(ended, 'session')} ended.", "success")
    return redirect(person_url(user), 303)


def form_page(form: PersonForm, user: User | None, *, changed: bool = False) -> str:
    """Render the form; fields that a directory owns are shown, not asked for."""
    programme: Programme = g.programme
    now = utcnow()
    details = persons.details_of(db.session(), user, programme, now=now) if user is not None else []
    return render_template(
        "users/form.html",
        form=form,
        user=user,
        owned={detail.field.value: detail for detail in details if detail.owner},
        owners=sorted({detail.owner for detail in details if detail.owner}),
        on_file={detail.field.value: detail.value or "empty" for detail in details} if changed else {},
        today=now.astimezone(programme.zone).date(),
        typed_date="mm/dd/yyyy" if programme.usual_date_format.startswith("%m") else "dd/mm/yyyy",
    )


def show_problems(form: PersonForm, rejected: Rejected) -> None:
    """Put every problem beside its field."""
    for name, problem in rejected.problems.items():
        if isinstance(problem, Conflict):
            sentence: str = conflict_words(name, problem.holder)
        else:
            sentence = form_sentence(name, problem.code, problem.data)
        form[name.value].errors = [sentence]
    if not rejected.problems:
        form.form_errors.append("Somebody else saved this person at the same moment. Save again.")


def conflict_words(name: Field, holder: User) -> Markup:
    """Name who has a value already, with the way there: both belong to the same programme."""
    what = "This address" if name is Field.EMAIL else "This number"
    then = " They are a leaver: reactivate that account instead." if holder.status == UserStatus.LEAVER else ""
    label = (
        f"{holder.display_name} ({holder.membership_no})"
        if holder.first_name or holder.last_name
        else holder.membership_no
    )
    return Markup('{} belongs to <a href="{}">{}</a>.{}').format(what, person_url(holder), label, then)


def said(saved: Saved, form: PersonForm) -> tuple[str, str]:
    """Say what saving did, with the category of the message."""
    if saved.outcome.kind is OutcomeKind.UNCHANGED:
        return "Nothing was different, so nothing was changed.", "info"
    words = "Saved."
    if saved.outcome.kind is OutcomeKind.CREATED:
        words = "The account is created."
        words += " A welcome e-mail is on its way." if form.welcome_email.data else " No welcome e-mail is sent."
    if saved.released is not None:
        words += f" The e-mail address was taken over from {saved.released.display_name}, who is a leaver."
    return words, "success"


def user_or_404(user_id: uuid.UUID) -> User:
    """Return a user of this programme; one of another answers 404, as one that is not there."""
    user = persons.get_user(db.session(), g.programme, user_id)
    if user is None:
        abort(404)
    return user


def person_url(user: User) -> str:
    """Return the address of a person's page in this programme."""
    return url_for("users.person", slug=g.programme.slug, user_id=user.id)


def actor() -> Actor:
    """Return who is signed in, as the actor of an audit event."""
    return staff_actor(current_user._get_current_object())


def state_of(user: User) -> str:
    """Return what tells one state of an account from the next."""
    return user.updated_at.isoformat()


def read_time(text: str | None) -> datetime | None:
    """Return a time from an address, None for anything else."""
    try:
        read = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return read if read is not None and read.tzinfo is not None else None
