"""Routes of the manager blueprint."""

from flask import Blueprint

bp = Blueprint("manager", __name__)
