"""Asking the other side from a page: bounded, without holding anybody up, and never a page that fails."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from rgapp.dashboard.pulls.sources import PullSource
from rgapp.database import without_lock
from rgapp.integrations.pulls.account import Account, AccountError
from rgapp.models import Integration

T = TypeVar("T")
#: A page waits for so long, and asks once more where the other side stumbled.
SECONDS: Final = 12.0
TRIES: Final = 2


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


def must_ask(integration: Integration, source: PullSource, question: Callable[[Account], T]) -> T:
    """Ask the other side as the draft says.

    Raises `AccountError`.
    """
    with without_lock(), closing(source.open(integration)) as account:
        return question(account)
