"""How much of a request is read, and what is refused before a view, or the database, sees it."""

from flask import Flask, abort, request
from werkzeug.exceptions import RequestEntityTooLarge

FORM = "application/x-www-form-urlencoded"
# Anybody can post to these: a SAML response has at most 256 KiB, the forms of the programme's site are tiny, and what a
# SCIM client sends at once is a mebibyte at most, as its service says of bulk requests.
LARGEST_BODY = {"sso": 512 * 1024, "home": 64 * 1024, "scim": 1024 * 1024}
MOST_FIELDS = 1000


def init_app(app: Flask) -> None:
    """Look at every request first.

    The form is read here, before anything asks the database: a body that trickles in must not hold a transaction open.
    """
    app.before_request(check_request)


def check_request() -> None:
    """Refuse bodies that are too large, forms of countless fields, and NUL, which PostgreSQL takes in no text."""
    if request.blueprint in LARGEST_BODY:
        request.max_content_length = LARGEST_BODY[request.blueprint]
    # Taking a million empty fields apart keeps a processor busy for seconds.
    if request.mimetype == FORM and request.get_data().count(b"&") >= MOST_FIELDS:
        raise RequestEntityTooLarge
    # SCIM has no forms: what its clients post is read, and refused in its own words, once it is known who they are.
    posted = () if request.blueprint == "scim" else request.form.items(multi=True)
    fields = [*request.args.items(multi=True), *posted]
    if "\0" in request.path or any("\0" in name or "\0" in value for name, value in fields):
        abort(400)
