"""The inbound SAML kind: catalogue tiles, first draft, validation, declarative form and addresses."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

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
from rgapp.integrations.saml import setup
from rgapp.integrations.saml.certificates import make_service_key
from rgapp.integrations.saml.fetch import FetchError, fetch_metadata
from rgapp.integrations.saml.metadata import MetadataError, read_metadata
from rgapp.integrations.saml.presets import PRESETS
from rgapp.integrations.saml.settings import InboundSAMLSettings, dump
from rgapp.integrations.saml.understood import idp_settings, metadata_sentence
from rgapp.models import Integration, Programme, SAMLRequest, SignInAttempt
from rgapp.provisioning.record import Field
from rgapp.sealing import Sealer

KIND = "inbound-saml"
OWN_KEYS = frozenset({"idp", "signed", "sp_initiated", "idp_initiated", "parameter_name", "jit", "mapping"})


class InboundSAML:
    """Sign-in by SAML 2.0, with Just-In-Time provisioning."""

    key = KIND
    label = "Inbound SSO (SAML)"
    has_tokens = False
    feeds = None
    kept_with_draft = (SignInAttempt, SAMLRequest)

    def tiles(self) -> Sequence[Tile]:
        """Return a tile for each identity provider with a preset."""
        return [
            Tile(preset.key, KIND, "Sign-in", preset.name, preset.summary, preset.minutes, preset.needs)
            for preset in PRESETS.values()
        ]

    def new_draft(self, provider: str, programme: Programme) -> dict[str, Any]:
        """Return the provider's usual claim names and the region's usual date format, with JIT still off."""
        preset = PRESETS[provider]
        mapping: dict[str, Any] = {field: {"attribute": name} for field, name in preset.claims.items()}
        if Field.DATE_OF_BIRTH in mapping:
            mapping[Field.DATE_OF_BIRTH]["format"] = programme.usual_date_format
        return {
            "idp": {"certificates": []},
            "signed": preset.signed,
            "sp_initiated": True,
            "idp_initiated": False,
            "jit": {"create": False, "update": False, "welcome_email": True},
            "mapping": {str(field): source for field, source in mapping.items()},
        }

    def prepare(self, integration: Integration, sealer: Sealer, *, now: datetime) -> None:
        """Give the connection its own key pair: it signs our requests and opens encrypted assertions."""
        private_key, certificate = make_service_key(now, integration.public_id)
        integration.service_key, integration.service_certificate = sealer.seal(private_key), certificate

    def validate(self, settings: Mapping[str, Any]) -> InboundSAMLSettings:
        """Return complete settings.

        Raises `SettingsError` with every problem.
        """
        try:
            return InboundSAMLSettings.model_validate(settings)
        except ValidationError as error:
            raise SettingsError(problems_of(error)) from error

    def resolve(self, declared: Mapping[str, Any], context: DeclaredContext) -> dict[str, Any]:
        """Read the metadata file or URL, set the usual date format, and validate.

        Raises `SettingsError`.
        """
        unknown = sorted(set(declared) - OWN_KEYS - {"welcome_email"})
        problems = [SettingsProblem(key, "This option is not known.") for key in unknown]
        settings = {key: value for key, value in declared.items() if key in OWN_KEYS - {"idp"}}
        try:
            settings["idp"] = _resolve_idp(declared.get("idp"), context)
        except SettingsError as error:
            problems += error.problems
        jit, mapping = declared.get("jit", {}), declared.get("mapping")
        if "welcome_email" in declared and isinstance(jit, Mapping):
            settings["jit"] = {"welcome_email": declared["welcome_email"], **jit}
        if isinstance(mapping, Mapping) and isinstance(birth := mapping.get(Field.DATE_OF_BIRTH), Mapping):
            default = {"format": context.programme.usual_date_format}
            settings["mapping"] = {**mapping, Field.DATE_OF_BIRTH.value: default | dict(birth)}
        try:
            resolved = dump(self.validate(settings))
        except SettingsError as error:
            # Without a readable identity provider its part is missing; that was said above, in better words.
            problems += [found for found in error.problems if "idp" in settings or found.path != "idp"]
        if problems:
            raise SettingsError(problems)
        return resolved

    def declare(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return the settings as the declarative file writes them."""
        return {key: value for key, value in settings.items() if key in OWN_KEYS}

    def notices(self, settings: Mapping[str, Any], now: datetime) -> Sequence[Notice]:
        """Return what about live settings needs an admin soon: certificates that end."""
        return setup.notices(settings, now)

    def missing(self, settings: Mapping[str, Any]) -> Sequence[str]:
        """Return what a draft still lacks."""
        return [*setup.missing_of_idp(settings), *setup.missing_of_mapping(settings)]

    def differences(
        self,
        before: Mapping[str, Any] | None,
        after: Mapping[str, Any],
        now: datetime,
        names: tuple[str, str] = ("", ""),
    ) -> Sequence[Difference]:
        """Return what differs between two settings, in words."""
        return setup.differences(before, after, now, names)

    def owns_fields(self, settings: Mapping[str, Any]) -> bool:
        """Own nothing: a sign-in is no directory."""
        return False

    def urls(self, integration: Integration, base_url: str) -> dict[str, str]:
        """Return our addresses for the identity provider's console."""
        return service_urls(integration.public_id, base_url)


def service_urls(public_id: str, base_url: str) -> dict[str, str]:
    """Return our addresses of one connection; the entityID is where its metadata can be read."""
    root = f"{base_url}/sso/{public_id}"
    return {
        "login": f"{root}/login",
        "acs": f"{root}/acs",
        "metadata": f"{root}/metadata",
        "entity_id": f"{root}/metadata",
        "logout": f"{root}/logout",
        "sls": f"{root}/sls",
    }


def _resolve_idp(declared: Any, context: DeclaredContext) -> Any:
    if not isinstance(declared, Mapping):
        raise SettingsError([SettingsProblem("idp", "Give metadata_file, metadata_url, or entity_id and the rest.")])
    rest = {key: value for key, value in declared.items() if key != "metadata_file"}
    try:
        if "metadata_file" in declared:
            path = context.folder / Path(str(declared["metadata_file"]))
            return idp_settings(read_metadata(path.read_bytes(), now=context.now)) | rest
        if "metadata_url" in declared and "entity_id" not in declared:
            data = fetch_metadata(str(declared["metadata_url"]), allow=context.outbound_allow)
            return idp_settings(read_metadata(data, now=context.now)) | rest
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SettingsError([SettingsProblem("idp.metadata_file", f"The file cannot be read: {reason}.")]) from error
    except MetadataError as error:
        source = "metadata_file" if "metadata_file" in declared else "metadata_url"
        raise SettingsError([SettingsProblem(f"idp.{source}", metadata_sentence(error))]) from error
    except FetchError as error:
        raise SettingsError([SettingsProblem("idp.metadata_url", str(error))]) from error
    return rest
