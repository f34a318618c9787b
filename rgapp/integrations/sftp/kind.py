"""The SFTP kind: catalogue tile, first draft, validation, declarative form and addresses."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

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
from rgapp.integrations.sftp import setup
from rgapp.integrations.sftp.declared import ACCESS_KEYS, DeclaredAccess, read_access
from rgapp.integrations.sftp.feeds import SFTPFeeds
from rgapp.integrations.sftp.settings import SFTPSettings, dump
from rgapp.integrations.sync.feed import FeedSource
from rgapp.models import Integration, Programme
from rgapp.provisioning.record import Field
from rgapp.sealing import Sealer

KIND: Final = "sftp"
OWN_KEYS: Final = frozenset(SFTPSettings.model_fields)
USUAL_PORT: Final = 2222
TILES: Final = (
    Tile(
        "sftp",
        KIND,
        "Directory",
        "SFTP",
        "Your HR system uploads a file, and who is in it has an account.",
        20,
        "somebody who can export people from your HR system, and an example of that file",
    ),
)


def usual_address(base_url: str) -> tuple[str, int]:
    """Return host and port where nothing else is known: the pages' host, and our usual port."""
    return urlsplit(base_url).hostname or "localhost", USUAL_PORT


def no_username(integration: Integration) -> str | None:
    """Return that there is no account."""
    return None


@dataclass
class SFTP:
    """Provisioning by files: the other side uploads them, by SFTP.

    `address` tells host and port from the base URL, `username` the account of an integration; `kept_with_draft` are the
    tables of accounts. The server, which knows all three, gives them where the kind is registered.
    """

    address: Callable[[str], tuple[str, int]] = usual_address
    username: Callable[[Integration], str | None] = no_username
    kept_with_draft: Sequence[Any] = ()
    feeds: FeedSource = field(default_factory=SFTPFeeds)
    key: str = KIND
    label: str = "Files (SFTP)"
    has_tokens: bool = False

    def tiles(self) -> Sequence[Tile]:
        """Return the one tile."""
        return TILES

    def new_draft(self, provider: str, programme: Programme) -> dict[str, Any]:
        """Return a draft without a mapping: which columns there are, the example file says."""
        return {"full_file": True, "hold": "everything", "welcome_email": True, "provision_master": True, "mapping": {}}

    def prepare(self, integration: Integration, sealer: Sealer, *, now: datetime) -> None:
        """Keep nothing for life: the account is made on first need, and an OpenPGP key where files are encrypted."""

    def validate(self, settings: Mapping[str, Any]) -> SFTPSettings:
        """Return complete settings.

        Raises `SettingsError` with every problem.
        """
        try:
            return SFTPSettings.model_validate(settings)
        except ValidationError as error:
            raise SettingsError(problems_of(error)) from error

    def resolve(self, declared: Mapping[str, Any], context: DeclaredContext) -> dict[str, Any]:
        """Set the usual date format, and validate; what opens the account is checked and left out.

        A field that is declared as null is not mapped. Raises `SettingsError`.
        """
        unknown = sorted(set(declared) - OWN_KEYS - ACCESS_KEYS)
        problems = [SettingsProblem(key, "This option is not known.") for key in unknown]
        settings = {key: value for key, value in declared.items() if key in OWN_KEYS}
        mapping = settings.get("mapping")
        if isinstance(mapping, Mapping):
            mapping = {str(name): source for name, source in mapping.items() if source is not None}
            birth = mapping.get(Field.DATE_OF_BIRTH.value)
            if isinstance(birth, Mapping):
                mapping[Field.DATE_OF_BIRTH.value] = {"format": context.programme.usual_date_format} | dict(birth)
            settings["mapping"] = mapping
        resolved: dict[str, Any] = {}
        try:
            read_access(declared)
        except SettingsError as error:
            problems += error.problems
        try:
            resolved = dump(self.validate(settings))
        except SettingsError as error:
            problems += error.problems
        if problems:
            raise SettingsError(problems)
        return resolved

    def access(self, declared: Mapping[str, Any]) -> DeclaredAccess:
        """Return what the declarative file says of the account, which settings never hold.

        Raises `SettingsError`.
        """
        return read_access(declared)

    def declare(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return the settings as the declarative file writes them."""
        return {key: value for key, value in settings.items() if key in OWN_KEYS}

    def notices(self, settings: Mapping[str, Any], now: datetime) -> Sequence[Notice]:
        """Return what about live settings needs an admin."""
        return setup.notices(settings)

    def missing(self, settings: Mapping[str, Any]) -> Sequence[str]:
        """Return what a draft still lacks."""
        return setup.missing(settings)

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
        """Return what the client is given: host, port, and the user name once there is an account."""
        host, port = self.address(base_url)
        username = self.username(integration)
        found = {"host": host, "port": str(port)}
        return found | {"username": username} if username else found
