"""How much of a request is read, and what is refused before a view, or the database, sees it."""

from flask import Flask, Request, abort, request
from werkzeug.exceptions import RequestEntityTooLarge

from rgapp.auth.principal import staff_cookie

FORM = "application/x-www-form-urlencoded"
# Anybody can post to these: a SAML response has at most 256 KiB, the forms of the programme's site are tiny, and what a
# SCIM client sends at once is a mebibyte at most, as its service says of bulk requests.
LARGEST_BODY = {"sso": 512 * 1024, "home": 64 * 1024, "scim": 1024 * 1024}
# Files that staff choose in their browser; whoever is not signed in gets no further than the usual limit.
LARGEST_UPLOAD = {"dashboard.sftp_upload_example": 32 * 1024 * 1024}
MOST_FIELDS = 1000


def init_app(app: Flask) -> None:
    """Look at every request first.

    The form is read here, before anything asks the database: a body that trickles in must not hold a transaction open.
    """
    app.before_request(check_request)


def check_request() -> None:
    """Refuse bodies that are too large, forms of countless fields, and NUL, which PostgreSQL takes in no text."""
    asked: Request = request._get_current_object()  # type: ignore[attr-defined]  # Each look through it takes a while.
    if asked.blueprint in LARGEST_BODY:
        asked.max_content_length = LARGEST_BODY[asked.blueprint]
    elif asked.endpoint in LARGEST_UPLOAD and staff_cookie() in asked.cookies:
        asked.max_content_length = LARGEST_UPLOAD[asked.endpoint]
    # Taking a million empty fields apart keeps a processor busy for seconds.
    if asked.mimetype == FORM and asked.get_data().count(b"&") >= MOST_FIELDS:
        raise RequestEntityTooLarge
    # SCIM has no forms: what its clients post is read, and refused in its own words, once it is known who they are.
    posted = () if asked.blueprint == "scim" else asked.form.items(multi=True)
    fields = [*asked.args.items(multi=True), *posted]
    if "\0" in asked.path or any("\0" in name or "\0" in value for name, value in fields):
        abort(400)
