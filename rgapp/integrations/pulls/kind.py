"""What the kinds that pull have in common: settings, their declarative form, and what of them is said in words."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from pydantic import ValidationError

from rgapp.integrations.base import (
    DeclaredContext,
    Difference,
    Notice,
    SettingsError,
    SettingsProblem,
    Tile,
    problems_of,
)
from rgapp.integrations.pulls import setup
from rgapp.integrations.pulls.settings import PullSettings
from rgapp.integrations.sync.feed import FeedSource
from rgapp.models import Integration, Programme, PullAccess
from rgapp.provisioning.record import Field
from rgapp.sealing import Sealer

#: How the other side writes dates, where nobody says otherwise.
ISO_DATE = "%Y-%m-%d"


class PullKind:
    """A kind of integration that pulls.

    A kind says which `settings` it has, which `access_keys` of a declarative file are no settings, and how the fields
    are usually called there (`usual_mapping`).
    """

    key: str
    label: str
    all_tiles: ClassVar[tuple[Tile, ...]]
    settings: ClassVar[type[PullSettings]]
    access_keys: ClassVar[frozenset[str]]
    usual_mapping: ClassVar[Mapping[str, Any]] = {}
    has_tokens: bool = False
    kept_with_draft: Sequence[Any] = (PullAccess,)

    def __init__(self, feeds: FeedSource | None = None) -> None:
        self.feeds = feeds

    def tiles(self) -> Sequence[Tile]:
        """Return the entries of the catalogue."""
        return self.all_tiles

    def new_draft(self, provider: str, programme: Programme) -> dict[str, Any]:
        """Return a draft with the usual mapping, that does not know yet whom to ask."""
        rest = {"schedule": "daily", "hold": "everything", "welcome_email": True, "provision_master": True}
        return rest | {"mapping": {field: dict(source) for field, source in self.usual_mapping.items()}}

    def prepare(self, integration: Integration, sealer: Sealer, *, now: datetime) -> None:
        """Keep nothing for life: what opens the way is kept once somebody gives it."""

    def validate(self, settings: Mapping[str, Any]) -> PullSettings:
        """Return complete settings.

        Raises `SettingsError` with every problem.
        """
        try:
            return self.settings.model_validate(settings)
        except ValidationError as error:
            raise SettingsError(problems_of(error)) from error

    def resolve(self, declared: Mapping[str, Any], context: DeclaredContext) -> dict[str, Any]:
        """Fill the declared mapping up with the usual one, and validate; what opens the way is left out.

        A field that is declared as null is not mapped. Raises `SettingsError`.
        """
        own = self.settings.model_fields
        problems = [
            SettingsProblem(key, "This option is not known.")
            for key in sorted(set(declared) - set(own) - self.access_keys)
        ]
        settings = {key: value for key, value in declared.items() if key in own}
        mapping = declared.get("mapping", {})
        if isinstance(mapping, Mapping):
            settings["mapping"] = self._filled(mapping)
        resolved: dict[str, Any] = {}
        try:
            resolved = self.validate(settings).model_dump(mode="json", exclude_none=True)
        except SettingsError as error:
            problems += error.problems
        problems += self.wrong_with(resolved, context)
        if problems:
            raise SettingsError(problems)
        return resolved

    def wrong_with(self, settings: Mapping[str, Any], context: DeclaredContext) -> list[SettingsProblem]:
        """Return what else is wrong with declared settings, in this place."""
        return []

    def declare(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return the settings as the declarative file writes them; what is usual but not mapped is null."""
        mapping = settings.get("mapping") or {}
        absent = {name: None for name in self.usual_mapping if name not in mapping}
        kept = {key: value for key, value in settings.items() if key in self.settings.model_fields}
        return kept | {"mapping": {**mapping, **absent}}

    def notices(self, settings: Mapping[str, Any], now: datetime) -> Sequence[Notice]:
        """Return nothing: what needs an admin here are runs and the way in, which are no settings."""
        return ()

    def missing(self, settings: Mapping[str, Any]) -> Sequence[str]:
        """Return what a draft still lacks."""
        return [*self.missing_of_connection(settings), *setup.missing(settings)]

    def missing_of_connection(self, settings: Mapping[str, Any]) -> list[str]:
        """Return what of the other side is not known yet."""
        return []

    def describe_connection(self, settings: Mapping[str, Any]) -> dict[str, str]:
        """Return in words what says whom we ask, and for whom."""
        return {}

    def differences(
        self,
        before: Mapping[str, Any] | None,
        after: Mapping[str, Any],
        now: datetime,
        names: tuple[str, str] = ("", ""),
    ) -> Sequence[Difference]:
        """Return what differs between two settings, in words."""
        old = self._describe(before) if before is not None else {}
        new = self._describe(after)
        found = [Difference("Name", *names)] if before is not None and names[0] != names[1] else []
        return found + [Difference(key, old.get(key, ""), new[key]) for key in new if old.get(key, "") != new[key]]

    def owns_fields(self, settings: Mapping[str, Any]) -> bool:
        """Own what is mapped where the admin made this integration the Provision Master."""
        return bool(settings.get("provision_master", True))

    def urls(self, integration: Integration, base_url: str) -> dict[str, str]:
        """Return nothing: the other side does not call us."""
        return {}

    def _describe(self, settings: Mapping[str, Any]) -> dict[str, str]:
        return self.describe_connection(settings) | setup.describe(settings)

    def _filled(self, mapping: Mapping[Any, Any]) -> dict[str, Any]:
        filled: dict[str, Any] = dict(self.usual_mapping) | {str(name): source for name, source in mapping.items()}
        birth = filled.get(Field.DATE_OF_BIRTH.value)
        if isinstance(birth, Mapping):
            filled[Field.DATE_OF_BIRTH.value] = {"format": ISO_DATE} | dict(birth)
        return {name: source for name, source in filled.items() if source is not None}
