"""What every kind of integration provides; the dashboard and the command line know nothing more about a kind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy.orm import Session

from rgapp.audit import Actor
from rgapp.integrations.sync.feed import FeedSource
from rgapp.models import Integration, Programme
from rgapp.sealing import Sealer


@dataclass(frozen=True)
class Tile:
    """One entry of the catalogue: a provider's preset of a kind."""

    key: str
    kind: str
    group: str
    name: str
    summary: str
    minutes: int
    needs: str


@dataclass(frozen=True)
class SettingsProblem:
    """One thing that is wrong with settings: where (a dotted path) and what, in words for the person who wrote it."""

    path: str
    message: str


class SettingsError(ValueError):
    """Settings that cannot be used, with every problem."""

    def __init__(self, problems: Sequence[SettingsProblem]) -> None:
        super().__init__("; ".join(f"{problem.path}: {problem.message}" for problem in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Notice:
    """Something about a live integration that needs an admin: which part of it, a sentence, and what to do."""

    part: str
    sentence: str
    action: str


@dataclass(frozen=True)
class Difference:
    """One setting that differs; an empty `before` was not there."""

    label: str
    before: str
    after: str


@dataclass(frozen=True)
class DeclaredContext:
    """Where a declarative file was read: paths are relative to it, secrets come from the environment."""

    folder: Path
    programme: Programme
    now: datetime
    environment: Mapping[str, str] = field(default_factory=dict)
    outbound_allow: frozenset[str] = frozenset()


class IntegrationKind(Protocol):
    """One kind of integration."""

    key: str
    label: str
    # Whether the other side calls us with bearer tokens.
    has_tokens: bool

    @property
    def feeds(self) -> FeedSource | None:
        """Return what opens this kind's files or pulls; None for a kind that is no feed."""

    @property
    def kept_with_draft(self) -> Sequence[Any]:
        """Return the tables that may hold rows of a draft, to be deleted with it; rows that others name come last."""

    def tiles(self) -> Sequence[Tile]:
        """Return this kind's entries of the catalogue."""

    def new_draft(self, provider: str, programme: Programme) -> dict[str, Any]:
        """Return the settings a new draft starts with: the provider's preset."""

    def prepare(self, integration: Integration, sealer: Sealer, *, now: datetime) -> None:
        """Give a new integration what it keeps for life, such as keys; called once, before it is stored."""

    def validate(self, settings: Mapping[str, Any]) -> BaseModel:
        """Return complete settings.

        Raises `SettingsError` with every problem.
        """

    def resolve(self, declared: Mapping[str, Any], context: DeclaredContext) -> dict[str, Any]:
        """Turn the part of a declarative file that belongs to this kind into settings (files read, defaults set).

        Raises `SettingsError`.
        """

    def declare(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Turn settings into their declarative form; the opposite of `resolve`."""

    def notices(self, settings: Mapping[str, Any], now: datetime) -> Sequence[Notice]:
        """Return what about live settings needs an admin soon."""

    def missing(self, settings: Mapping[str, Any]) -> Sequence[str]:
        """Return what a draft still lacks, each as the end of "Still needed: …"."""

    def differences(
        self,
        before: Mapping[str, Any] | None,
        after: Mapping[str, Any],
        now: datetime,
        names: tuple[str, str] = ("", ""),
    ) -> Sequence[Difference]:
        """Return what differs between two settings, in words; everything where there is no `before`."""

    def owns_fields(self, settings: Mapping[str, Any]) -> bool:
        """Tell whether the fields that live settings map belong to this integration (Provision Master)."""

    def urls(self, integration: Integration, base_url: str) -> dict[str, str]:
        """Return the addresses that the other side needs."""


class AccessKeeper(Protocol):
    """Keeps what opens the way into an integration beside its settings: drafts, versions and exports never hold it."""

    def check(self, declared: Mapping[str, Any], context: DeclaredContext) -> Any:
        """Return what a declarative file says of it.

        Raises `SettingsError` with every problem.
        """

    def settle(
        self, session: Session, integration: Integration, access: Any, *, sealer: Sealer, actor: Actor, now: datetime
    ) -> Sequence[str]:
        """Bring it to what `check` returned, or make what is needed at all for None; returns what was done, in words.

        Raises `SettingsError`.
        """


class Strict(BaseModel):
    """Unknown keys are mistakes: a misspelt option must not be ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


# Where pydantic's own words would not help the person who wrote the file.
WORDS = {"missing": "This is missing.", "extra_forbidden": "This option is not known."}


def problems_of(error: ValidationError) -> list[SettingsProblem]:
    """Return pydantic's findings in our form."""
    problems = []
    for found in error.errors(include_url=False, include_context=False, include_input=False):
        path = ".".join(str(part) for part in found["loc"] if part != "[key]")
        message = WORDS.get(found["type"]) or found["msg"].removeprefix("Value error, ")
        problems.append(SettingsProblem(path, message))
    return problems
