"""Activity of a feed: its runs by filter, newest first."""

from flask import request

from rgapp.clock import utcnow
from rgapp.dashboard.feeds import queries
from rgapp.dashboard.feeds.sheet import sheet_of
from rgapp.dashboard.kinds import Part
from rgapp.extensions import db
from rgapp.models import Integration


def activity_part(found: Integration) -> Part:
    """Return the runs, by filter."""
    session, now = db.session(), utcnow()
    show = request.args.get("show", "all")
    show = show if show in queries.SHOWN else "all"
    after, before = request.args.get("after"), request.args.get("before")
    listed = queries.runs(session, found, show=show, after=after, before=before)
    values = {
        "show": show,
        "listed": listed,
        "rows": [sheet_of(one, now) for one in listed.rows],
        "counts": queries.counts(session, found),
    }
    return Part("feeds/activity.html", values)
