"""How much one transaction of a run writes: little while others want to write too, more the longer nobody does.

On SQLite one writes at a time, so whoever signs in waits for the transaction that is under way. Yet a commit writes
each page once that its rows have touched, and people in no order of names touch nearly as many pages as they are:
the more rows a transaction has, the less each of them costs.
"""

import time
from collections.abc import Callable
from typing import Final

from rgapp.turnstile import Bell

# So long after somebody had to wait, one staged batch is a transaction.
COURTEOUS_SECONDS: Final = 30.0
# Who comes after that waits for one commit at most, and that takes about so long at most.
LONGEST_COMMIT_SECONDS: Final = 0.25
MOST_BATCHES: Final = 256
# So many staged batches are written before we listen whether somebody waits.
MOST_TOGETHER: Final = 8


class Stride:
    """The length of a run's transactions, in staged batches. Without a bell it is one: where nobody waits for us."""

    def __init__(self, bell: Bell | None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._bell = bell
        self._clock = clock
        self._most = 1
        self._heard_at = float("-inf")

    @property
    def together(self) -> int:
        """Return how many staged batches are written between two moments of listening."""
        return min(self._most, MOST_TOGETHER)

    def is_over(self, batches: int) -> bool:
        """Tell whether a transaction that has written so many batches is to be committed now."""
        return batches >= self._most or self._rings()

    def ended(self, seconds: float) -> None:
        """Let those write who wait; `seconds` is how long the commit took, which tells how long the next may be."""
        if self._bell is None:
            return
        self._rings()
        self._bell.make_way()
        if self._clock() - self._heard_at < COURTEOUS_SECONDS:
            self._most = 1
        elif seconds > LONGEST_COMMIT_SECONDS:
            self._most = max(self._most // 2, 1)
        elif seconds < LONGEST_COMMIT_SECONDS / 2:
            self._most = min(self._most * 2, MOST_BATCHES)

    def _rings(self) -> bool:
        if self._bell is None or not self._bell.rings():
            return False
        self._heard_at = self._clock()
        return True
