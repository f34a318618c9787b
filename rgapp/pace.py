"""Answers that take the same time, whatever was found behind them."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flask import current_app

# Far above what looking up an address and writing a mail to the outbox take, and short enough for a person.
EVEN_SECONDS = 0.25


@contextmanager
def evened_out(
    seconds: float = EVEN_SECONDS,
    *,
    clock: Callable[[], float] = time.monotonic,
    wait: Callable[[float], None] = time.sleep,
) -> Iterator[None]:
    """Let the block take at least this long, so that the time says nothing about what it did.

    It holds a thread meanwhile: only for views with a narrow rate limit. Tests do not wait.
    """
    started = clock()
    yield
    if not current_app.config["TESTING"]:
        wait(max(0.0, started + seconds - clock()))
