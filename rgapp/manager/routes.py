"""Sign-in and sign-out of staff, in one step or two, and passwords by one-time link."""

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from rgapp.access import EVERY_ROLE, public, set_cookie, staff
from rgapp.auth import staff as accounts
from rgapp.auth import throttle
from rgapp.auth.challenges import CHALLENGE_LASTS, staff_of_challenge
from rgapp.auth.passwords import MINIMUM_LENGTH, PasswordRejected
from rgapp.auth.principal import staff_cookie
from rgapp.auth.second_factor import is_app_code
from rgapp.clock import utcnow
from rgapp.database import without_lock
from rgapp.extensions import db, limiter, sealer
from rgapp.manager.accounts import SignedIn, after_password, note_refusal, second_step, sign_out
from rgapp.manager.forms import LONGEST_INPUT, CodeForm, NewPasswordForm, SignInForm
from rgapp.manager.limits import REALM, realms, take_code_try
from rgapp.models import Staff
from rgapp.redirects import safe_next
from rgapp.wording_passwords import PASSWORD_RULES, password_problems

bp = Blueprint("manager", __name__, url_prefix="/manager")

REFUSED = (
    "This e-mail address and password do not belong together. Check both, or ask for a new link to set a password."
)
TOO_MANY_TRIES = (
    "There were too many tries for this address. Use the browser you usually sign in with, ask for a new link to set a "
    "password, or wait 15 minutes."
)
TOO_MANY_CODES = (
    "Too many codes were tried for this account. Use a recovery code, the browser you usually sign in with, or wait."
)
WRONG_CODE = "This code is not right, or it was used already. Wait for the next one that your app shows."
WRONG_RECOVERY_CODE = "This is none of your recovery codes that still work. Each works once."


def guesser() -> str:
    """Return whom refused passwords count against, beside the account."""
    return throttle.guesser(REALM, request.form.get("email", "")[:LONGEST_INPUT])


@bp.route("/login", methods=["GET", "POST"])
@public
@limiter.limit("10/minute", key_func=guesser, methods=["POST"], deduct_when=throttle.is_refused)
def login() -> str | Response | tuple[str, int]:
    """Sign staff in with e-mail and password; whatever is wrong reads the same."""
    wanted = safe_next(request.args.get("next"))
    if isinstance(current_user._get_current_object(), Staff):
        return redirect(wanted or url_for("manager.index"))
    form, status = SignInForm(), 200
    if form.validate_on_submit():
        email = (form.email.data or "")[:LONGEST_INPUT]
        if not throttle.take_try(REALM, email):
            form.password.errors, status = [TOO_MANY_TRIES], 429
        elif (person := authenticated(email, (form.password.data or "")[:LONGEST_INPUT])) is not None:
            throttle.give_back(REALM, email)
            return go_on(person, wanted)
        else:
            note_refusal(db.session(), email, now=utcnow())
            db.session.commit()
            form.password.errors = [REFUSED]
    return render_template("manager/login.html", form=form), status


def authenticated(email: str, password: str) -> Staff | None:
    """Return whose address and password these are, else None; the slow comparison holds no lock of the database."""
    with without_lock():
        person = accounts.authenticate(db.session(), email, password)
    return person if person is not None and accounts.still_stands(db.session(), person) else None


@bp.route("/login/code", methods=["GET", "POST"])
@public
@limiter.limit("10/minute", methods=["POST"], deduct_when=throttle.is_refused)
def login_code() -> str | Response | tuple[str, int]:
    """Take the second step of a sign-in: a code of the authenticator app, or a recovery code."""
    wanted = safe_next(request.args.get("next"))
    recovery = "recovery" in request.args
    token = request.cookies.get(step_cookie(), "")
    with without_lock():
        person = staff_of_challenge(db.session(), token, now=utcnow())
    form, status = CodeForm(), 200
    if person is not None and form.validate_on_submit():
        typed = form.code.data or ""
        if is_app_code(typed) and not take_code_try(person):
            form.code.errors, status = [TOO_MANY_CODES], 429
        elif (signed_in := answer(token, typed)) is not None:
            return enter(signed_in, wanted)
        else:
            form.code.errors = [WRONG_RECOVERY_CODE if recovery else WRONG_CODE]
            person = staff_of_challenge(db.session(), token, now=utcnow())
    if person is None:
        flash("The time for the second step is over. Sign in again.", "info")
        return redirect(url_for("manager.login", next=wanted or None), 303)
    return render_template(
        "manager/login_code.html", form=form, person=person, recovery=recovery, wanted=wanted
    ), status


def answer(token: str, typed: str) -> SignedIn | None:
    """Open a session for the right code; a wrong one is counted and recorded."""
    signed_in = second_step(
        db.session(),
        token,
        typed,
        sealer=sealer(),
        user_agent=request.user_agent.string,
        now=utcnow(),
    )
    db.session.commit()
    return signed_in


def go_on(person: Staff, wanted: str) -> Response:
    """Sign somebody in whose password was right, or ask for their second step."""
    result = after_password(db.session(), person, user_agent=request.user_agent.string, now=utcnow())
    db.session.commit()
    if isinstance(result, SignedIn):
        return enter(result, wanted)
    response = redirect(url_for("manager.login_code", next=wanted or None), 303)
    set_cookie(response, step_cookie(), result.token, max_age=int(CHALLENGE_LASTS.total_seconds()))
    return response


def enter(signed_in: SignedIn, wanted: str) -> Response:
    """Send somebody who signed in to where they wanted to go, with the session's cookie."""
    response = redirect(wanted or url_for("manager.index"), 303)
    set_cookie(response, staff_cookie(), signed_in.token)
    throttle.remember_browser(response, signed_in.staff.email, *realms(signed_in.staff))
    response.delete_cookie(step_cookie(), secure=current_app.config["HTTPS"], httponly=True, samesite="Lax")
    return response


def step_cookie() -> str:
    """Return the name of the cookie between password and second step."""
    return "__Host-rg_step" if current_app.config["HTTPS"] else "rg_step"


@bp.post("/logout")
@staff(*EVERY_ROLE, second_factor=False)
def logout() -> Response:
    """End this browser's session."""
    sign_out(db.session(), current_user._get_current_object(), request.cookies[staff_cookie()], now=utcnow())
    db.session.commit()
    flash("You are signed out.", "success")
    response = redirect(url_for("manager.login"), 303)
    response.delete_cookie(staff_cookie(), secure=current_app.config["HTTPS"], httponly=True, samesite="Lax")
    return response


@bp.route("/password/<token>", methods=["GET", "POST"])
@public
@limiter.limit("20/minute")
def password(token: str) -> str | Response | tuple[str, int]:
    """Set a password by a one-time link, and go on signed in, after the second step where there is one."""
    form = NewPasswordForm()
    new = None
    with without_lock():
        person = accounts.staff_of_link(db.session(), token, now=utcnow())
        if person is not None and form.validate_on_submit():
            try:
                new = accounts.check_password(db.session(), person, form.password.data or "")
            except PasswordRejected as rejected:
                form.password.errors = password_problems(rejected)
    if new is not None:
        person = accounts.set_password_by_link(db.session(), token, new, now=utcnow())
        if person is not None:
            flash("Your password is set.", "success")
            return go_on(person, "")
    if person is None:
        return render_template("manager/link_expired.html"), 410
    return render_template(
        "manager/password.html", form=form, person=person, minimum=MINIMUM_LENGTH, rules=PASSWORD_RULES
    )
