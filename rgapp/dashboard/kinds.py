"""What a kind of integration brings to the dashboard: steps, tabs, counts, concerns and words, and no more."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

from sqlalchemy.orm import Session

from rgapp.models import Integration, Programme

#: A day with how many times the integration was used well, and was refused.
Day = tuple[date, int, int]


@dataclass(frozen=True)
class Step:
    """One step of a set-up; `endpoint` takes `slug` and `integration_id`. A `problem` found there stops nothing."""

    key: str
    label: str
    endpoint: str
    done: bool
    problem: bool = False

    @property
    def state(self) -> str | None:
        """Return what the stepper shows."""
        return "problem" if self.problem else "done" if self.done else None


@dataclass(frozen=True)
class Part:
    """What a kind puts into one of the frame's tabs: a template that extends the frame's, and its values."""

    template: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Usage:
    """How one integration was used: the last days, oldest first, and when it was used last.

    A `line` says how it is doing in the kind's own words; without one the uses of this week are counted. Where the kind
    `tells_silence`, by a schedule that it knows, a week without a use means nothing.
    """

    days: Sequence[Day]
    last: datetime | None = None
    line: str = ""
    tells_silence: bool = False


@dataclass(frozen=True)
class Concern:
    """One thing that needs somebody, and what to do about it: `endpoint` is where that is done."""

    sentence: str
    action: str
    endpoint: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Problem:
    """One thing that stops a draft from being published, and the step that settles it."""

    sentence: str
    endpoint: str
    step: str


@dataclass(frozen=True)
class Warn:
    """Something to think of before publishing, which stops nothing; `endpoint` is where more is said or done."""

    title: str
    sentence: str
    endpoint: str = ""
    action: str = ""


@dataclass(frozen=True)
class Review:
    """What Review and publish shows of a draft beside its settings and their differences.

    `noticed` says what changes for people, `test_promise` says what a test gives
    and `untested_risk` what may happen without one.
    """

    problems: Sequence[Problem]
    noticed_title: str
    noticed: Sequence[str]
    warnings: Sequence[Warn]
    test_endpoint: str
    test_promise: str
    untested_risk: str


@dataclass(frozen=True)
class Words:
    """How a kind is spoken of: one use of it, what its set-up changes, and the switch.

    `turn_off` and `turn_on` say beforehand what the switch does; `{name}`, `{used}` (a sentence about this week, or
    nothing) and `{version}` are filled in. `off` is the health line, `turned_off` what is said afterwards.
    """

    use: str
    chart: str
    never_used: str
    draft_lead: str
    off: str
    turn_off: str
    turn_on: str
    turned_off: str
    off_means: str
    discard: str


class KindPages(Protocol):
    """The pages of one kind of integration."""

    key: str
    words: Words
    #: Where the set-up of a new draft begins; takes `slug` and `integration_id`.
    first_endpoint: str

    def steps(self, integration: Integration) -> Sequence[Step]:
        """Return the steps of the set-up before Review and publish."""

    def usage(
        self, session: Session, owner: Programme, ids: Iterable[uuid.UUID], now: datetime
    ) -> Mapping[uuid.UUID, Usage]:
        """Return how each of these integrations was used; the number of queries does not depend on how many."""

    def concerns(
        self, session: Session, owner: Programme, live: Mapping[uuid.UUID, Mapping[str, Any]], now: datetime
    ) -> Mapping[uuid.UUID, Sequence[Concern]]:
        """Return what about these live settings needs somebody; the same number of queries for any number of them."""

    def activity(self, integration: Integration) -> Part:
        """Return the Activity tab, as the address of this request asks for it."""

    def tools(self, integration: Integration) -> Part:
        """Return the Tools tab; the frame adds the switch and the deleting of a draft."""

    def review(self, integration: Integration, live: Mapping[str, Any] | None, now: datetime) -> Review:
        """Return what Review and publish shows."""
