"""What a declarative file says of the way into BambooHR: no setting, for versions and exports must never hold it."""

from collections.abc import Mapping
from typing import Any, Final

from rgapp.integrations.base import SettingsError, SettingsProblem
from rgapp.integrations.pulls.access import Secrets

API_KEY: Final = "api_key"
OAUTH: Final = "oauth"
OAUTH_PARTS: Final = ("client_id", "client_secret", "refresh_token")
ACCESS_KEYS: Final = frozenset({API_KEY, OAUTH})
BY_NAME: Final = "Write it as {env: NAME}, the name of an environment variable."


def read_access(declared: Mapping[str, Any]) -> Secrets | None:
    """Return what is declared: environment variables were put in already; None where it is neither key nor consent.

    Raises `SettingsError`.
    """
    problems: list[SettingsProblem] = []
    found: Secrets | None = None
    if API_KEY in declared:
        key = declared[API_KEY]
        if not isinstance(key, str) or not key.strip():
            problems.append(SettingsProblem(API_KEY, BY_NAME))
        else:
            found = Secrets(API_KEY, {"api_key": key.strip()})
    if OAUTH in declared:
        given = declared[OAUTH]
        if API_KEY in declared:
            problems.append(SettingsProblem(OAUTH, "Give either a key or a consent, not both."))
        elif not isinstance(given, Mapping):
            problems.append(SettingsProblem(OAUTH, f"This is a mapping with {', '.join(OAUTH_PARTS)}."))
        else:
            problems += [
                SettingsProblem(f"{OAUTH}.{name}", "This option is not known.")
                for name in sorted(set(map(str, given)) - set(OAUTH_PARTS))
            ]
            problems += [
                SettingsProblem(f"{OAUTH}.{name}", "This is missing." if name not in given else BY_NAME)
                for name in OAUTH_PARTS
                if not isinstance(given.get(name), str) or not given[name].strip()
            ]
            found = Secrets(OAUTH, {name: str(given.get(name, "")).strip() for name in OAUTH_PARTS})
    if problems:
        raise SettingsError(problems)
    return found
