"""What a declarative file says of an SFTP account: no setting, for versions and exports must never hold it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from rgapp.integrations.base import SettingsError, SettingsProblem

PASSWORD: Final = "password"  # noqa: S105 - the name of a key.
AUTHORIZED_KEYS: Final = "authorized_keys"
ACCESS_KEYS: Final = frozenset({PASSWORD, AUTHORIZED_KEYS})
MOST_KEYS: Final = 20


@dataclass(frozen=True)
class DeclaredAccess:
    """What opens the account; None is not declared, and stays as it is."""

    password: str | None = field(default=None, repr=False)
    authorized_keys: tuple[str, ...] | None = None


def read_access(declared: Mapping[str, Any]) -> DeclaredAccess:
    """Return what opens the account, as the file declares it: environment variables were put in already.

    Raises `SettingsError`. Whether the password is strong and the keys are any is for whoever keeps them to say.
    """
    problems = []
    password, keys = declared.get(PASSWORD), declared.get(AUTHORIZED_KEYS)
    if PASSWORD in declared and (not isinstance(password, str) or not password):
        problems.append(SettingsProblem(PASSWORD, "Write it as {env: NAME}, the name of an environment variable."))
    if AUTHORIZED_KEYS in declared and not _are_texts(keys):
        problems.append(SettingsProblem(AUTHORIZED_KEYS, "This is a list of public keys, each on a line of its own."))
    elif keys is not None and len(keys) > MOST_KEYS:
        problems.append(SettingsProblem(AUTHORIZED_KEYS, f"At most {MOST_KEYS} keys can be kept."))
    if problems:
        raise SettingsError(problems)
    return DeclaredAccess(password, None if keys is None else tuple(key.strip() for key in keys))


def _are_texts(keys: Any) -> bool:
    return isinstance(keys, list) and all(isinstance(key, str) and key.strip() for key in keys)
