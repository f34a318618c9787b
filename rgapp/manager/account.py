"""Account: somebody's own password, second step and sessions."""

from flask import flash, g, redirect, render_template, url_for
from flask_login import current_user
from werkzeug.wrappers import Response
from wtforms import PasswordField

from rgapp.access import EVERY_ROLE, set_cookie, staff
from rgapp.auth import second_factor, staff_sessions, throttle
from rgapp.auth import staff as accounts
from rgapp.auth.passwords import MINIMUM_LENGTH, NewPassword, PasswordRejected, verify_password
from rgapp.auth.principal import staff_cookie
from rgapp.auth.staff_events import staff_actor
from rgapp.clock import utcnow
from rgapp.database import without_lock
from rgapp.extensions import db, limiter
from rgapp.manager.forms import LONGEST_INPUT, ChangePasswordForm
from rgapp.manager.limits import REALM
from rgapp.manager.routes import bp
from rgapp.models import Staff
from rgapp.wording_events import browser_words
from rgapp.wording_passwords import PASSWORD_RULES, password_problems

NOT_YOURS = "This is not your password."
TOO_MANY_TRIES = "There were too many tries. Wait 15 minutes."


@bp.get("/account")
@staff(*EVERY_ROLE, second_factor=False)
def account() -> str:
    """Show how somebody signs in, and where they are signed in."""
    person, now = me(), utcnow()
    found = staff_sessions.open_sessions(db.session(), person, now=now, idle_since=now - accounts.SESSION_IDLE)
    return render_template(
        "manager/account.html",
        person=person,
        sessions=[
            {
                "row": row,
                "browser": browser_words(row.user_agent),
                "key": staff_sessions.session_key(row),
                "here": row.token_hash == g.staff_session.token_hash,
            }
            for row in sorted(found, key=lambda row: row.token_hash != g.staff_session.token_hash)
        ],
        codes_left=second_factor.recovery_codes_left(db.session(), person) if person.has_second_factor else 0,
    )


@bp.route("/account/password", methods=["GET", "POST"])
@staff(*EVERY_ROLE, second_factor=False)
@limiter.limit("10/minute", methods=["POST"])
def change_password() -> str | Response:
    """Choose another password; other browsers are signed out."""
    person, form = me(), ChangePasswordForm()
    new = None
    with without_lock():
        if form.validate_on_submit() and is_my_password(form.present):
            new = checked(person, form)
    if new is None:
        return render_template(
            "manager/account_password.html", form=form, person=person, minimum=MINIMUM_LENGTH, rules=PASSWORD_RULES
        )
    ended = accounts.change_password(db.session(), person, new, now=utcnow(), keep=g.staff_session)
    flash("Your password is changed." + ended_words(ended), "success")
    return with_new_token()


@bp.post("/account/sessions/<key>/end")
@staff(*EVERY_ROLE, second_factor=False)
def end_session(key: str) -> Response:
    """Sign one browser out."""
    ended = staff_sessions.end_session(db.session(), me(), key, now=utcnow())
    db.session.commit()
    flash("That browser is signed out." if ended else "That browser was signed out already.", "success")
    return redirect(url_for("manager.account"), 303)


@bp.post("/account/sessions/end-others")
@staff(*EVERY_ROLE, second_factor=False)
def end_other_sessions() -> Response:
    """Sign every browser out but this one."""
    person = me()
    ended = staff_sessions.end_sessions(db.session(), person, staff_actor(person), now=utcnow(), keep=g.staff_session)
    db.session.commit()
    flash(ended_words(ended).strip() or "No other browser was signed in.", "success")
    return redirect(url_for("manager.account"), 303)


def me() -> Staff:
    """Return who is signed in; the access decorator has seen to it that it is staff."""
    person: Staff = current_user._get_current_object()
    return person


def is_my_password(field: PasswordField) -> bool:
    """Compare what was typed with the password of who is signed in; the field says what is wrong."""
    person = me()
    if not throttle.take_try(REALM, person.email):
        field.errors = [TOO_MANY_TRIES]
        return False
    if not verify_password(person.password_hash, (field.data or "")[:LONGEST_INPUT]):
        field.errors = [NOT_YOURS]
        return False
    throttle.give_back(REALM, person.email)
    return True


def checked(person: Staff, form: ChangePasswordForm) -> NewPassword | None:
    """Return the new password where it keeps every rule; else the field says which ones it breaks."""
    try:
        return accounts.check_password(db.session(), person, form.password.data or "")
    except PasswordRejected as rejected:
        form.password.errors = password_problems(rejected)
        return None


def with_new_token() -> Response:
    """Commit a change of what protects the account, go back to it, and give this browser's session a new token."""
    response = redirect(url_for("manager.account"), 303)
    renew_token(response)
    return response


def renew_token(response: Response) -> None:
    """Commit, with a new token for this browser's session: one known from before opens nothing any more."""
    token = staff_sessions.renew_session(db.session(), g.staff_session)
    db.session.commit()
    set_cookie(response, staff_cookie(), token)


def ended_words(ended: int) -> str:
    """Say how many other browsers were signed out, as one more sentence."""
    if not ended:
        return ""
    return " One other browser is signed out." if ended == 1 else f" {ended} other browsers are signed out."
