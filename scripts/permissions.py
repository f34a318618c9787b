"""Write docs/permissions.md: every address, who may call it, and whether a form token guards it."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from flask import Flask

from rgapp import create_app
from rgapp.access import access_of, asks_second_step
from rgapp.extensions import csrf

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "permissions.md"
FILES = frozenset({"static", "bootstrap.static"})
READING = frozenset({"GET", "HEAD", "OPTIONS"})
HEAD = """# Permissions

Who may call what. `make permissions` writes this page from the decorators of the views; a test fails while the two
differ, so a change of rights is seen in review.

- **everybody**: no sign-in. What such a view still asks for (a one-time link, a signed response) is said beside it.
- **employee**: signed in to the programme in the address; others are sent to its sign-in page.
- **admin, support, operator**: staff. Where the address names a programme, admins need a grant for it; without one it
  answers 404, as a programme that does not exist. Staff whose programme asks for a second step have to set it up before
  anything but the views marked *before the second step*.
- **bearer token**: a SCIM client with a live token of the programme in the address; others are answered 401. A browser
  sends no such token by itself, so it stands in for the form token.
- **form token**: what changes something is posted with the token of our own page. The exceptions are the ACS and
  the address for logout messages, to which identity providers post: a signature stands in for it, at the ACS with the
  one-use request and the browser's binding cookie.

| address | method | who | form token |
|---|---|---|---|
"""
NOTES = {
    "sso.acs": "everybody, with a response signed by the programme's identity provider",
    "sso.sls": "everybody, with a message signed by the programme's identity provider",
    "sso.posted_sls": "everybody, with a message signed by the programme's identity provider",
    "sso.test_login": "admin, operator of the programme; 404 for everybody else",
    "sso.logout": "everybody; ends the session of this browser only",
    "home.logout": "everybody; ends the session of this browser only",
    "home.set_password": "everybody with the one-time link",
    "manager.password": "everybody with the one-time link",
    "manager.login_code": "everybody who gave the right password in this browser within ten minutes",
    "probes.metrics": "loopback, or whoever has the token; 404 for everybody else",
}


def who(app: Flask, endpoint: str) -> str:
    """Return who may call a view, in words."""
    view = app.view_functions[endpoint]
    declared = access_of(view)
    if declared is None:
        return "**nobody said who**"
    if endpoint in NOTES:
        return NOTES[endpoint]
    if declared == "public":
        return "everybody"
    if declared in {"employee", "bearer"}:
        return {"employee": "employee", "bearer": "bearer token"}[declared]
    roles = declared.removeprefix("staff:").replace(",", ", ")
    return roles if asks_second_step(view) else f"{roles}, *before the second step*"


def form_token(app: Flask, endpoint: str, method: str) -> str:
    """Return whether a form token is asked for."""
    if method in READING:
        return ""
    view = app.view_functions[endpoint]
    exempt = f"{view.__module__}.{view.__name__}" in csrf._exempt_views
    return "**no**" if exempt else "yes"


def document(app: Flask) -> str:
    """Return the page."""
    views = sorted(
        (rule.rule, method, rule.endpoint)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.endpoint not in FILES
    )
    rows = [
        f"| `{address}` | {method} | {who(app, endpoint)} | {form_token(app, endpoint, method)} |\n"
        for address, method, endpoint in views
    ]
    return HEAD + "".join(rows)


if __name__ == "__main__":
    with TemporaryDirectory() as instance:
        DOCUMENT.write_text(document(create_app({"RGAPP_ENV": "testing", "INSTANCE": instance})))
    sys.stdout.write(f"{DOCUMENT.name} is written.\n")
