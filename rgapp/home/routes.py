"""Routes of the home blueprint."""

from flask import Blueprint

bp = Blueprint("home", __name__)
