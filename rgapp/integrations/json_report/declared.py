"""What a declarative file says of the way to a JSON report: no setting, so versions and exports never hold it."""

from collections.abc import Mapping
from typing import Any, Final

from rgapp.integrations.base import SettingsError, SettingsProblem
from rgapp.integrations.pulls.access import Secrets

BASIC: Final = "basic"
BEARER: Final = "bearer"
PARTS: Final = ("username", "password")
ACCESS_KEYS: Final = frozenset({BASIC, BEARER})


def read_access(declared: Mapping[str, Any]) -> Secrets | None:
    """Return what is declared: `basic: {username, password}` or `bearer: token`; None where it is neither.

    Raises `SettingsError`.
    """
    basic, bearer = declared.get(BASIC), declared.get(BEARER)
    if basic is not None and bearer is not None:
        raise SettingsError([SettingsProblem(BEARER, "Give either basic or bearer, not both.")])
    if bearer is not None:
        if not isinstance(bearer, str) or not bearer.strip():
            raise SettingsError([SettingsProblem(BEARER, "Write it as {env: NAME}, an environment variable.")])
        return Secrets(BEARER, {"token": bearer.strip()})
    if basic is None:
        return None
    given = basic if isinstance(basic, Mapping) else {}
    if set(given) != set(PARTS) or not all(isinstance(given[name], str) and given[name] for name in PARTS):
        raise SettingsError([SettingsProblem(BASIC, "Write it as {username: …, password: {env: NAME}}.")])
    return Secrets(BASIC, {name: given[name] for name in PARTS})
