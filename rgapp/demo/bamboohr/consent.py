"""The consent page and the tokens (OAuth 2.0 authorization code, refresh with `offline_access`)."""

from typing import Any, Final
from urllib.parse import urlencode

from flask import Blueprint, jsonify, redirect, render_template_string, request

from rgapp.demo.bamboohr.answers import door_of, refusal

bp = Blueprint("consent", __name__)
PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Demo BambooHR: consent</title></head>
<body><main><h1>Demo BambooHR</h1>
<p>{{ client }} asks to read your company’s people.</p>
<form method="post">
{% for name, value in given.items() %}<input type="hidden" name="{{ name }}" value="{{ value }}">{% endfor %}
<button name="answer" value="allow">Allow</button>
<button name="answer" value="deny">Deny</button>
</form></main></body></html>
"""
KEPT: Final = ("client_id", "redirect_uri", "scope", "state", "response_type")


@bp.get("/authorize.php")
def ask() -> Any:
    """Show the consent page."""
    given = {name: request.args.get(name, "") for name in KEPT}
    if given["client_id"] != door_of().client_id or given["response_type"] != "code" or not given["redirect_uri"]:
        return refusal(400, "Invalid client or response type")
    return render_template_string(PAGE, client="Rewards", given=given)


@bp.post("/authorize.php")
def answer() -> Any:
    """Send the browser back, with a code or with the refusal."""
    uri = request.form.get("redirect_uri", "")
    if request.form.get("client_id") != door_of().client_id or not uri.startswith(("http://", "https://")):
        return refusal(400, "Invalid client")
    allowed = request.form.get("answer") == "allow"
    given = {"code": door_of().code(uri)} if allowed else {"error": "access_denied"}
    joint = "&" if "?" in uri else "?"
    return redirect(uri + joint + urlencode(given | {"state": request.form.get("state", "")}))


@bp.post("/token.php")
def token() -> Any:
    """Exchange a code or a refresh token."""
    form = request.get_json(silent=True) if request.is_json else request.form
    status, data = door_of().exchange(form if form is not None else {})
    return jsonify(data), status
