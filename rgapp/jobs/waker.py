"""Wake the mailer soon after a commit that put mail into the outbox: once for many commits, off the request path."""

import logging
from collections.abc import Callable
from threading import Lock, Timer

logger = logging.getLogger(__name__)

DELAY_SECONDS = 0.2


class Waker:
    """Asks for a delivery a moment after it is told to, whatever comes in between needs no other.

    A queue that is slow or away holds up no request. The mail is not lost either way, nor when this process dies
    within the moment: the delivery of each minute finds it.
    """

    def __init__(self, ask: Callable[[], object], *, delay: float = DELAY_SECONDS) -> None:
        self._ask = ask
        self._delay = delay
        self._lock = Lock()
        self._waiting = False

    def wake(self) -> None:
        """Ask for a delivery soon; returns at once."""
        with self._lock:
            if self._waiting:
                return
            self._waiting = True
        # Not a daemon: a command that ends right after its commit still asks.
        Timer(self._delay, self._run).start()

    def _run(self) -> None:
        with self._lock:
            self._waiting = False  # First, so that mail committed from now on asks again.
        try:
            self._ask()
        except Exception as error:  # Expected while the queue restarts, and needs no hand.
            logger.warning("mailer not woken, the delivery of each minute will send: %s", type(error).__name__)
