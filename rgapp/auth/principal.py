"""Find who makes a request: staff in Reward Manager, an employee on a programme's site; two realms, two cookies."""

from datetime import datetime

from flask import Flask, Request, current_app, g, request
from sqlalchemy import select, update

from rgapp.access import send_to_staff_sign_in
from rgapp.auth import staff as staff_accounts
from rgapp.auth import users as user_accounts
from rgapp.clock import utcnow
from rgapp.database import writing
from rgapp.extensions import db, login_manager
from rgapp.models import Programme, Staff, StaffSession, User, UserSession

EMPLOYEE_BLUEPRINTS = frozenset({"home", "sso"})


def init_app(app: Flask) -> None:
    """Bind Flask-Login: no session cookie of its own, the request decides."""
    login_manager.init_app(app)
    login_manager.request_loader(load_principal)
    login_manager.unauthorized_handler(send_to_staff_sign_in)
    login_manager.session_protection = None  # Our sessions are rows; nothing of Flask-Login's is in a cookie.


def staff_cookie() -> str:
    """Return the name of the staff session cookie."""
    return "__Host-rg_staff" if current_app.config["HTTPS"] else "rg_staff"


def load_principal(req: Request) -> Staff | User | None:
    """Return the staff member or the employee whose session cookie came with this request."""
    if req.blueprint in EMPLOYEE_BLUEPRINTS:
        slug = (req.view_args or {}).get("slug")
        # The page that refuses a NUL asks who is there, too, and PostgreSQL takes none in a query.
        return employee_of(slug) if slug and "\0" not in slug else None
    return staff_of_request()


def staff_of_request() -> Staff | None:
    """Return the signed-in staff member, in any realm."""
    token = request.cookies.get(staff_cookie())
    found = staff_accounts.staff_of_session(db.session(), token, now=utcnow()) if token else None
    if found is None:
        return None
    person, row = found
    g.staff_session = row
    if row.last_seen_at + staff_accounts.SEEN_EVERY <= utcnow():
        _touch(row)
    return person


def employee_of(slug: str) -> User | None:
    """Return the employee signed in to this programme, and remember programme and session for the request."""
    programme = db.session.scalar(select(Programme).where(Programme.slug == slug))
    if programme is None:
        return None
    g.programme, g.zone = programme, programme.zone
    token = request.cookies.get(user_accounts.cookie_name(slug, https=current_app.config["HTTPS"]))
    found = user_accounts.user_of_session(db.session(), programme.id, token, now=utcnow()) if token else None
    if found is None:
        return None
    person, row = found
    g.user_session = row
    if row.last_seen_at + user_accounts.SEEN_EVERY <= utcnow():
        _touch(row)
    return person


def _touch(row: StaffSession | UserSession) -> None:
    """Note that a session is in use, every few minutes only: a page view is no write.

    A session that ended meanwhile, or got another token, is simply not there any more.
    """
    now: datetime = utcnow()
    model = type(row)
    this = [column == getattr(row, column.key) for column in model.__table__.primary_key]
    with writing():
        db.session.execute(update(model).where(*this).values(last_seen_at=now))
