"""The test of a way in: asked for when one is saved, and noted with what is wrong."""

from rgapp.clock import utcnow
from rgapp.dashboard.pulls.asking import must_ask
from rgapp.dashboard.pulls.sources import PullSource
from rgapp.extensions import db
from rgapp.integrations.pulls import access
from rgapp.integrations.pulls.account import Account, AccountError
from rgapp.models import Integration


def test_way_in(integration: Integration, source: PullSource) -> bool:
    """Ask whether we get in and may read people, note the answer, and return it. Commits."""
    try:
        must_ask(integration, source, check)
    except AccountError as error:
        access.note_bad(db.session(), integration, error, now=utcnow())
        db.session.commit()
        return False
    access.note_good(db.session(), integration, now=utcnow())
    db.session.commit()
    return True


def check(account: Account) -> None:
    """Make sure that we get in and may read people.

    Raises `AccountError`.
    """
    account.check()
