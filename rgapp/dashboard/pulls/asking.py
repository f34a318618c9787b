"""Asking the other side from a page: bounded, without holding anybody up, and never a page that fails."""

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from rgapp.dashboard.pulls.sources import PullSource
from rgapp.database import without_lock
from rgapp.integrations.pulls.account import Account, AccountError
from rgapp.models import Integration
from rgapp.outbound import OutboundError

T = TypeVar("T")
#: A page waits for so long, and asks once more where the other side stumbled.
SECONDS: Final = 12.0
TRIES: Final = 2
#: However many requests it takes, and however long the other side asks us to wait.
LONGEST: Final = 60.0


@dataclass(frozen=True)
class Asked(Generic[T]):
    """What the other side said, or why it said nothing: a code and a sentence."""

    value: T
    code: str = ""
    problem: str = ""


def ask(integration: Integration, source: PullSource, question: Callable[[Account], T], nothing: T) -> Asked[T]:
    """Ask the other side as the draft says; `nothing` stands for the answer where there is none."""
    try:
        return Asked(must_ask(integration, source, question))
    except AccountError as error:
        return Asked(nothing, error.code, error.sentence)


def patience() -> Callable[[], None]:
    """Return what ends the questions of one page in time: it raises `OutboundError`, before the next request."""
    over = time.monotonic() + LONGEST

    def look() -> None:
        """Look at the clock."""
        if time.monotonic() > over:
            raise OutboundError("timeout")

    return look


def must_ask(integration: Integration, source: PullSource, question: Callable[[Account], T]) -> T:
    """Ask the other side as the draft says.

    Raises `AccountError`.
    """
    with without_lock(), closing(source.open(integration)) as account:
        return question(account)
