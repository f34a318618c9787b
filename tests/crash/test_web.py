"""A web process killed at any point of a first sign-in: all of it is there afterwards, or nothing, and she gets in."""

import pytest

from tests.crash import faults
from tests.crash.house import House, Traces, wait_until

NOTHING = Traces(0, 0, 0, 0, 0)
ALL = Traces(1, 1, 1, 1, 1)
WRITES = r"INSERT INTO users\b"
POINTS = {
    "before the request is used up": ("before", r"DELETE FROM saml_requests\b", ""),
    "after the request is used up": ("after", r"DELETE FROM saml_requests\b", ""),
    "after the assertion is remembered": ("after", r"INSERT INTO saml_replays\b", ""),
    "before the user is inserted": ("before", WRITES, ""),
    "after the user is inserted": ("after", WRITES, ""),
    "after the event is written": ("after", r"INSERT INTO audit_events\b", ""),
    "after the mail is in the outbox": ("after", r"INSERT INTO outbox_mails\b", ""),
    "after the attempt is stored": ("after", r"INSERT INTO sign_in_attempts\b", ""),
    "after the session is opened": ("after", r"INSERT INTO user_sessions\b", ""),
    "before the commit": ("before", "COMMIT", WRITES),
    "after the commit": ("after", "COMMIT", WRITES),
}


@pytest.mark.parametrize("point", POINTS)
def test_a_web_process_that_dies_leaves_a_whole_user_or_none(home: House, point: str) -> None:
    number = f"W{list(POINTS).index(point)}"
    when, what, since = POINTS[point]
    visit = home.visit(number)
    faults.arm(home.fuse, when, what, since=since)
    assert visit.post().status == 0
    assert not home.fuse.exists(), "the process did not come to this point"
    committed = point == "after the commit"
    assert home.traces(number) == (ALL if committed else NOTHING)

    # Gunicorn starts another process. She reloads the page; where the answer was lost, she signs in once more.
    again = visit.post()
    assert again.status == (403 if committed else 303), again
    if committed:
        assert home.visit(number, browser=visit.browser).post().status == 303
    assert home.traces(number) == Traces(1, 1, 1, 1 + committed, 1 + committed)
    assert visit.browser.request("GET", "/p/acme/").status == 200

    home.ask()
    wait_until("her mail is sent", lambda: home.mail(number).status == "sent")
    assert len(home.received(number)) == 1
