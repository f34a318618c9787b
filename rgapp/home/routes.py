"""A programme's site: sign-in page, home, details, sign-out, and passwords where the programme has them."""

from flask import Blueprint, abort, current_app, flash, g, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from rgapp.access import employee, public, set_cookie
from rgapp.auth import throttle
from rgapp.auth import users as accounts
from rgapp.auth.passwords import MINIMUM_LENGTH, PasswordRejected
from rgapp.auth.principal import employee_of
from rgapp.auth.user_passwords import check_password, set_password_by_link, still_stands
from rgapp.clock import utcnow
from rgapp.database import without_lock
from rgapp.extensions import db, limiter
from rgapp.home import queries
from rgapp.home.forms import ForgottenForm, NewPasswordForm, PasswordForm
from rgapp.mail.outbox import MailKind, put
from rgapp.models import Programme, User
from rgapp.pace import evened_out
from rgapp.redirects import programme_path
from rgapp.security import allow_form_action
from rgapp.tokens import new_token
from rgapp.wording_passwords import PASSWORD_RULES, password_problems

bp = Blueprint("home", __name__, url_prefix="/p/<slug>")

WRONG_PASSWORD = "This e-mail address and password do not belong together."  # noqa: S105 - a sentence.
TOO_MANY_TRIES = (
    "There were too many tries for this address. Choose “I do not know my password” to get a link, or wait 15 minutes."
)


def guesser() -> str:
    """Return whom refused passwords count against, beside the account."""
    return throttle.guesser((request.view_args or {})["slug"], request.form.get("email", ""))


@bp.get("/")
@employee
def index(slug: str) -> str:
    """Greet the person by name, with the details their employer sent."""
    return signed_in_page("home/index.html")


@bp.get("/details")
@employee
def details(slug: str) -> str:
    """Show the person's details and who holds them."""
    return signed_in_page("home/details.html")


@bp.route("/login", methods=["GET", "POST"])
@public
@limiter.limit("20/minute", key_func=guesser, methods=["POST"], deduct_when=throttle.is_refused)
def login(slug: str) -> Response:
    """Offer the programme's ways to sign in."""
    programme = programme_of(slug)
    wanted = programme_path(slug, request.args.get("next", ""))
    if isinstance(current_user._get_current_object(), User):
        return redirect(wanted or url_for("home.index", slug=slug))
    form = PasswordForm() if programme.password_sign_in else None
    status = 200
    if form is not None and form.validate_on_submit():
        email = form.email.data or ""
        if not throttle.take_try(slug, email):
            form.password.errors, status = [TOO_MANY_TRIES], 429
        elif (user := authenticated(programme, email, form.password.data or "")) is not None:
            throttle.give_back(slug, email)
            return sign_in(programme, user, wanted)
        else:
            form.password.errors = [WRONG_PASSWORD]
    elif form is None and request.method == "POST":
        abort(405)
    connections = queries.sign_in_buttons(db.session(), programme)
    page = render_template(
        "home/login.html", programme=programme, connections=connections, form=form, wanted=wanted or None
    )
    return Response(page, status, mimetype="text/html")


@bp.post("/logout")
@public
def logout(slug: str) -> Response:
    """End the session here; where the identity provider takes part in logout, go on to it."""
    programme = programme_of(slug)
    session_row = g.get("user_session")
    public_id = queries.logout_connection(db.session(), session_row) if session_row is not None else None
    if public_id is not None:
        return redirect(url_for("sso.logout", public_id=public_id), 307)  # The form goes along, with its token.
    return end_session(programme)


@bp.get("/signed-out")
@public
def signed_out(slug: str) -> str:
    """Confirm that the person is signed out here."""
    return render_template("home/signed_out.html", programme=programme_of(slug))


@bp.route("/password/forgotten", methods=["GET", "POST"])
@public
@limiter.limit("5/minute", methods=["POST"])
def forgotten(slug: str) -> str | Response:
    """Send a link to set a new password; the answer is the same whether or not the address is known."""
    programme = programme_with_passwords(slug)
    form = ForgottenForm()
    if form.validate_on_submit():
        with evened_out():
            send_link(programme, form.email.data or "")
        flash("If this address has an account, an e-mail with a link is on its way.", "success")
        return redirect(url_for("home.login", slug=slug), 303)
    return render_template("home/forgotten.html", programme=programme, form=form)


@bp.route("/password/<token>", methods=["GET", "POST"])
@public
@limiter.limit("20/minute")
def set_password(slug: str, token: str) -> str | Response | tuple[str, int]:
    """Set a password by the one-time link from an e-mail."""
    form = NewPasswordForm()
    new = None
    with without_lock():
        programme = programme_with_passwords(slug)
        user = accounts.user_of_link(db.session(), programme, token, now=utcnow())
        if user is not None and form.validate_on_submit():
            try:
                new = check_password(db.session(), programme, user, form.password.data or "")
            except PasswordRejected as rejected:
                form.password.errors = password_problems(rejected)
    if new is not None:
        user = set_password_by_link(db.session(), programme, token, new, now=utcnow())
        if user is not None:
            return sign_in(programme, user, "")
    if user is None:
        return render_template("home/link_expired.html", programme=programme), 410
    return render_template(
        "home/set_password.html", programme=programme, form=form, minimum=MINIMUM_LENGTH, rules=PASSWORD_RULES
    )


def send_link(programme: Programme, email: str) -> None:
    """Put a link to set a password on its way to the person with this address, where there is one."""
    user = queries.active_by_email(db.session(), programme, email)
    if user is not None and user.email and queries.may_send_link(db.session(), user, now=utcnow()):
        put(
            db.session(),
            MailKind.PASSWORD_RESET,
            user.email,
            programme_id=programme.id,
            once_key=f"password:{user.id}:{new_token(8)}",
            now=utcnow(),
            user_id=user.id,
        )
    db.session.commit()


def signed_in_page(template: str) -> str:
    """Render a page of somebody who is signed in; its Sign out may lead on to the identity provider."""
    programme, person = g.programme, current_user._get_current_object()
    if slo_url := queries.logout_address(db.session(), g.user_session):
        allow_form_action(slo_url)
    return render_template(template, programme=programme, person=person, fields=queries.details_of(person))


def authenticated(programme: Programme, email: str, password: str) -> User | None:
    """Return whose address and password these are, else None; the slow comparison holds no lock of the database."""
    with without_lock():
        user = accounts.authenticate(db.session(), programme, email, password)
    return user if user is not None and still_stands(db.session(), user) else None


def sign_in(programme: Programme, user: User, wanted: str) -> Response:
    """Open a session for somebody who gave the right password."""
    agent = request.user_agent.string
    token = accounts.open_session(db.session(), programme.id, user.id, user_agent=agent, now=utcnow())
    accounts.note_password_sign_in(db.session(), user, now=utcnow())
    db.session.commit()
    response = redirect(wanted or url_for("home.index", slug=programme.slug), 303)
    set_cookie(response, accounts.cookie_name(programme.slug, https=current_app.config["HTTPS"]), token)
    throttle.remember_browser(response, user.email or "", programme.slug)
    return response


def end_session(programme: Programme) -> Response:
    """End this browser's session of the programme and say so."""
    name = accounts.cookie_name(programme.slug, https=current_app.config["HTTPS"])
    if token := request.cookies.get(name):
        accounts.close_session(db.session(), programme.id, token)
        db.session.commit()
    response = redirect(url_for("home.signed_out", slug=programme.slug), 303)
    response.delete_cookie(name, secure=current_app.config["HTTPS"], httponly=True, samesite="Lax")
    return response


def programme_of(slug: str) -> Programme:
    """Return the programme, or answer 404; loads who is signed in on the way."""
    if "programme" not in g:
        employee_of(slug)
    programme: Programme | None = g.get("programme")
    if programme is None or programme.slug != slug:
        abort(404)
    return programme


def programme_with_passwords(slug: str) -> Programme:
    """Return the programme where it has passwords, else answer 404."""
    programme = programme_of(slug)
    if not programme.password_sign_in:
        abort(404)
    return programme
