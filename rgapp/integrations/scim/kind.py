"""The SCIM kind: catalogue tiles, first draft, validation, declarative form and addresses."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

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
from rgapp.integrations.mapped import missing_of_mapping
from rgapp.integrations.scim import setup
from rgapp.integrations.scim.presets import PRESETS
from rgapp.integrations.scim.settings import DEFAULT_MAPPING, SCIMSettings, dump
from rgapp.models import Integration, Programme, SCIMRequest, SCIMToken
from rgapp.provisioning.record import Field
from rgapp.sealing import Sealer

KIND: Final = "scim"
OWN_KEYS: Final = frozenset(SCIMSettings.model_fields)
GROUP: Final = "Directory"
TILES: Final = (
    Tile(
        "entra-scim",
        KIND,
        GROUP,
        "Microsoft Entra ID (provisioning)",
        "Entra creates, updates and takes out people as they change there.",
        15,
        "somebody who may change enterprise applications in Entra",
    ),
    Tile(
        "okta-scim",
        KIND,
        GROUP,
        "Okta (provisioning)",
        "Okta creates, updates and takes out people as they change there.",
        15,
        "somebody who may change applications in Okta",
    ),
    Tile(
        "scim",
        KIND,
        GROUP,
        "SCIM API",
        "Any SCIM 2.0 client, such as an HR system or OneLogin, keeps people right.",
        15,
        "the client's settings for a base URL and a bearer token",
    ),
)


class SCIM:
    """Provisioning by SCIM 2.0: the other side pushes each change to us."""

    key = KIND
    label = "Provisioning (SCIM)"
    feeds = None
    has_tokens = True
    kept_with_draft = (SCIMRequest, SCIMToken)

    def tiles(self) -> Sequence[Tile]:
        """Return a tile for each client whose console we know, and one for the others."""
        return TILES

    def new_draft(self, provider: str, programme: Programme) -> dict[str, Any]:
        """Return the usual mapping, with the attribute in which this client sends payroll numbers."""
        number = {Field.MEMBERSHIP_NO: {"attribute": PRESETS[provider].membership_no}}
        return dump(self.validate({"mapping": {**DEFAULT_MAPPING, **number}}))

    def prepare(self, integration: Integration, sealer: Sealer, *, now: datetime) -> None:
        """Keep nothing for life: tokens are issued when somebody asks for them."""

    def validate(self, settings: Mapping[str, Any]) -> SCIMSettings:
        """Return complete settings.

        Raises `SettingsError` with every problem.
        """
        try:
            return SCIMSettings.model_validate(settings)
        except ValidationError as error:
            raise SettingsError(problems_of(error)) from error

    def resolve(self, declared: Mapping[str, Any], context: DeclaredContext) -> dict[str, Any]:
        """Fill the declared mapping up with the usual one, and validate.

        A field that is declared as null is not mapped. Raises `SettingsError`.
        """
        unknown = sorted(set(declared) - OWN_KEYS)
        problems = [SettingsProblem(key, "This option is not known.") for key in unknown]
        settings = {key: value for key, value in declared.items() if key in OWN_KEYS}
        mapping = declared.get("mapping", {})
        if isinstance(mapping, Mapping):
            filled = {field.value: source for field, source in DEFAULT_MAPPING.items()} | dict(mapping)
            settings["mapping"] = {field: source for field, source in filled.items() if source is not None}
        try:
            resolved = dump(self.validate(settings))
        except SettingsError as error:
            problems += error.problems
        if problems:
            raise SettingsError(problems)
        return resolved

    def declare(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return the settings as the declarative file writes them; what is usual but not mapped is null."""
        mapping = settings.get("mapping") or {}
        absent = {field.value: None for field in DEFAULT_MAPPING if field.value not in mapping}
        return {key: value for key, value in settings.items() if key in OWN_KEYS} | {"mapping": {**mapping, **absent}}

    def notices(self, settings: Mapping[str, Any], now: datetime) -> Sequence[Notice]:
        """Return nothing: what needs an admin here are tokens and alerts, which are no settings."""
        return ()

    def missing(self, settings: Mapping[str, Any]) -> Sequence[str]:
        """Return what a draft still lacks."""
        return missing_of_mapping(settings)

    def differences(
        self,
        before: Mapping[str, Any] | None,
        after: Mapping[str, Any],
        now: datetime,
        names: tuple[str, str] = ("", ""),
    ) -> Sequence[Difference]:
        """Return what differs between two settings, in words."""
        return setup.differences(before, after, names)

    def owns_fields(self, settings: Mapping[str, Any]) -> bool:
        """Own what is mapped where the admin made this integration the Provision Master."""
        return bool(settings.get("provision_master", True))

    def urls(self, integration: Integration, base_url: str) -> dict[str, str]:
        """Return the address that the client is given."""
        return {"base_url": scim_base_url(integration.programme_id, base_url)}


def scim_base_url(programme_id: Any, base_url: str) -> str:
    """Return the SCIM base URL of a programme; which integration is meant, the token says."""
    return f"{base_url}/scim/{programme_id}/v2"
