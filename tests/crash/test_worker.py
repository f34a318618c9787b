"""A worker killed at any point of a delivery: no mail is lost, and a second one is possible at two points only."""

import signal
from datetime import timedelta

import pytest
from sqlalchemy import update

from rgapp.clock import utcnow
from rgapp.mail.sender import CLAIM_LASTS
from rgapp.models import OutboxMail
from tests.crash import faults
from tests.crash.house import House, wait_until

WRITE = r"UPDATE outbox_mails\b"
# What is done, at which time it dies, how many times it passes before, and what is left then: whether the mail is
# claimed, and how many copies arrive in the end.
POINTS = {
    "before the claim": ("before", WRITE, 0, False, 1),
    "after the claim, before its commit": ("after", WRITE, 0, False, 1),
    "after the commit of the claim": ("after", "COMMIT", 0, True, 1),
    "before the server is called": ("before", "SEND", 0, True, 1),
    "before the mail is handed over": ("before", "DATA", 0, True, 1),
    "after the last byte of the mail, before the answer": ("after", "END OF MAIL", 0, True, 2),
    "after the server took it": ("after", "SEND", 0, True, 2),
    "after the result is written, before its commit": ("after", WRITE, 1, True, 2),
    "after the commit of the result": ("after", "COMMIT", 1, False, 1),
}


@pytest.mark.parametrize("point", POINTS)
def test_a_worker_that_dies_loses_no_mail(home: House, point: str) -> None:
    number = f"M{list(POINTS).index(point)}"
    when, what, skip, claimed, copies = POINTS[point]
    # A COMMIT counts where the outbox was written in its transaction: that of the claim, and that of the result.
    faults.arm(home.fuse, when, what, skip=skip, since=WRITE if what == "COMMIT" else "")
    assert home.visit(number).post().status == 303
    home.ask()
    assert home.ended("worker") == -signal.SIGKILL
    left = home.mail(number)
    sent = point == "after the commit of the result"
    assert left.status == ("sent" if sent else "sending" if claimed else "waiting")

    home.start_worker()
    if claimed:
        assert utcnow() + timedelta(minutes=5) < left.due_at <= utcnow() + CLAIM_LASTS
        lapse(home)
    home.ask()
    wait_until("the mail is sent", lambda: home.mail(number).status == "sent")
    received = home.received(number)
    assert len(received) == copies
    assert len({mail["Message-ID"] for mail in received}) == 1


def lapse(home: House) -> None:
    """Let the time pass after which a claim belongs to nobody."""
    with home.session() as session:
        session.execute(update(OutboxMail).where(OutboxMail.status == "sending").values(due_at=utcnow()))
        session.commit()


def test_a_worker_that_is_killed_while_it_waits_loses_nothing(home: House) -> None:
    home.ask()
    wait_until("the worker runs", lambda: home.app.extensions["queue"].pending_count() == 0)
    home._running["worker"][0].kill()
    assert home.ended("worker") == -signal.SIGKILL
    assert home.visit("IDLE").post().status == 303
    home.start_worker()
    wait_until("the mail is sent", lambda: home.mail("IDLE").status == "sent")
    assert len(home.received("IDLE")) == 1
