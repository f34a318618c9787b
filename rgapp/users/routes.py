"""Routes of the users blueprint."""

from flask import Blueprint

bp = Blueprint("users", __name__)
