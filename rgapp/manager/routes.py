"""Sign-in and sign-out of staff, passwords by one-time link, and the way to a programme."""

from flask import Blueprint, abort, current_app, flash, g, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from rgapp.access import EVERY_ROLE, public, set_cookie, staff
from rgapp.auth import staff as accounts
from rgapp.auth import throttle
from rgapp.auth.passwords import MINIMUM_LENGTH, PasswordRejected
from rgapp.auth.principal import staff_cookie
from rgapp.clock import utcnow
from rgapp.extensions import db, limiter
from rgapp.manager import queries
from rgapp.manager.accounts import sign_in, sign_out
from rgapp.manager.current import last_programme
from rgapp.manager.forms import LONGEST_INPUT, NewPasswordForm, SignInForm
from rgapp.manager.links import DEFAULT_SECTION, SECTIONS, section_url
from rgapp.models import Staff
from rgapp.redirects import safe_next

bp = Blueprint("manager", __name__, url_prefix="/manager")

REFUSED = (
    "This e-mail address and password do not belong together. Check both, or ask for a new link to set a password."
)
REALM = "staff/"  # No programme's slug.
PASSWORD_PROBLEMS = {
    "too_short": f"Use at least {MINIMUM_LENGTH} characters. A few words in a row are easy to remember.",
    "too_long": "Use at most 200 characters.",
    "too_simple": "This is too easy to guess. Use more different characters.",
}


def account_key() -> str:
    """Return the account that a sign-in is for, as a key of the rate limit; the address itself is not kept."""
    return "account:" + throttle.account_key(REALM, request.form.get("email", "")[:LONGEST_INPUT])


def was_refused(_: Response) -> bool:
    """Tell whether this request was a refused sign-in: only those count against an account."""
    return bool(g.get("sign_in_refused"))


@bp.route("/login", methods=["GET", "POST"])
@public
@limiter.limit("10/minute", methods=["POST"])
@limiter.limit("20/hour", key_func=account_key, methods=["POST"], deduct_when=was_refused)
def login() -> str | Response:
    """Sign staff in with e-mail and password; whatever is wrong reads the same."""
    wanted = safe_next(request.args.get("next"))
    if isinstance(current_user._get_current_object(), Staff):
        return redirect(wanted or url_for("manager.index"))
    form = SignInForm()
    if form.validate_on_submit():
        signed_in = sign_in(
            db.session(),
            (form.email.data or "")[:LONGEST_INPUT],
            (form.password.data or "")[:LONGEST_INPUT],
            user_agent=request.user_agent.string,
            now=utcnow(),
        )
        db.session.commit()
        if signed_in is not None:
            response = redirect(wanted or url_for("manager.index"), 303)
            set_cookie(response, staff_cookie(), signed_in.token)
            throttle.remember_browser(response, REALM, signed_in.staff.email)
            return response
        g.sign_in_refused = True
        form.password.errors = [REFUSED]
    return render_template("manager/login.html", form=form)


@bp.post("/logout")
@staff(*EVERY_ROLE)
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
    """Set a password by a one-time link, and go on signed in."""
    person = accounts.staff_of_link(db.session(), token, now=utcnow())
    if person is None:
        return render_template("manager/link_expired.html"), 410
    form = NewPasswordForm()
    if form.validate_on_submit():
        try:
            done = accounts.set_password_by_link(db.session(), token, form.password.data or "", now=utcnow())
        except PasswordRejected as rejected:
            db.session.rollback()
            form.password.errors = [PASSWORD_PROBLEMS[rejected.reason]]
        else:
            if done is None:
                return render_template("manager/link_expired.html"), 410
            agent = request.user_agent.string
            session_token = accounts.open_session(db.session(), done, user_agent=agent, now=utcnow())
            db.session.commit()
            flash("Your password is set, and you are signed in.", "success")
            response = redirect(url_for("manager.index"), 303)
            set_cookie(response, staff_cookie(), session_token)
            throttle.remember_browser(response, REALM, done.email)
            return response
    return render_template("manager/password.html", form=form, person=person, minimum=MINIMUM_LENGTH)


@bp.get("/")
@staff(*EVERY_ROLE)
def index() -> Response:
    """Go to where the person left off, or let them choose."""
    return _go(DEFAULT_SECTION)


@bp.get("/integrations")
@staff(*EVERY_ROLE)
def integrations() -> Response:
    """Go to the Integrations Dashboard of the programme used last, or let the person choose one."""
    return _go("integrations")


@bp.get("/mailbox")
@staff(*EVERY_ROLE)
def mailbox() -> Response:
    """Go to the mails of the programme used last: the demo's mailbox."""
    return _go("mail")


@bp.get("/programmes")
@staff(*EVERY_ROLE)
def programmes() -> str:
    """Choose a programme, with a search for those who see many."""
    section = request.args.get("to", "")
    search = request.args.get("q", "")
    found = queries.find_programmes(db.session(), current_user._get_current_object(), search)
    rows = [(programme, section_url(section, programme)) for programme in found[: queries.MOST_PROGRAMMES]]
    return render_template(
        "manager/programmes.html",
        rows=rows,
        more=len(found) > queries.MOST_PROGRAMMES,
        search=search,
        section=section if section in SECTIONS else "",
    )


@bp.post("/programme")
@staff(*EVERY_ROLE)
def switch() -> Response:
    """Go to the same part of another programme."""
    section = request.args.get("to", "")
    slug = request.form.get("programme", "")
    if not slug:
        return redirect(url_for("manager.programmes", to=section or None), 303)
    programme = accounts.programme_for(db.session(), current_user._get_current_object(), slug)
    if programme is None:
        abort(404)
    g.programme = programme
    return redirect(section_url(section, programme), 303)


def _go(section: str) -> Response:
    person = current_user._get_current_object()
    few = accounts.programmes_of(db.session(), person, limit=2)
    return redirect(section_url(section, last_programme(person, few)))
