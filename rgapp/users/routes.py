"""The blueprint of Users; its views are in `listing` (the list and its export) and `people` (one person)."""

from flask import Blueprint

bp = Blueprint("users", __name__, url_prefix="/users")
