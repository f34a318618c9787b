"""Users: find people, see why somebody cannot get in, and keep their details by hand."""

from rgapp.users import listing, people
from rgapp.users.routes import bp

__all__ = ["bp", "listing", "people"]
