"""The declarative file: read with every problem at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import yaml
from sqlalchemy.orm import Session

from rgapp.integrations import service
from rgapp.integrations.base import DeclaredContext, SettingsError, SettingsProblem
from rgapp.integrations.registry import KINDS, access_of, kind_of
from rgapp.models import Programme

COMMON_KEYS = frozenset({"kind", "name", "published", "provider"})
TOP_KEYS = frozenset({"programme", "guard", "integrations"})


@dataclass(frozen=True)
class DeclaredIntegration:
    """One entry of the file, its settings complete; `published` None leaves it live or not as it is.

    `access` is what opens the way into it, as the kind's keeper checked it.
    """

    kind: str
    name: str
    provider: str | None
    published: bool | None
    settings: Mapping[str, Any]
    access: Any = None


@dataclass(frozen=True)
class Declaration:
    """A file that can be applied."""

    programme: Programme
    guard: Mapping[str, int | bool] = field(default_factory=dict)
    integrations: Sequence[DeclaredIntegration] = ()


class _Loader(yaml.SafeLoader):
    """Reads YAML, and refuses a key that stands twice: one of the two would be lost without a word."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen = set()
    for key_node, _ in node.value:
        key = key_node.value
        if key in seen:
            raise yaml.MarkedYAMLError(problem=f"the key {key!r} stands twice", problem_mark=key_node.start_mark)
        seen.add(key)
    return loader.construct_mapping(node, deep=True)


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def parse(text: str) -> dict[str, Any]:
    """Return the file's content.

    Raises `SettingsError` where it is not YAML or not a mapping.
    """
    try:
        content = yaml.load(text, Loader=_Loader)  # noqa: S506 - a subclass of the safe loader.  # nosec B506
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}" if mark else "file"
        raise SettingsError([SettingsProblem(where, f"{error.problem or 'This is not readable YAML'}.")]) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise SettingsError([SettingsProblem("file", "This is not readable YAML.")]) from error
    if not isinstance(content, dict):
        raise SettingsError([SettingsProblem("file", "Begin with `programme:`, then `integrations:`.")])
    return content


def check(session: Session, content: Mapping[str, Any], context: DeclaredContext) -> Declaration:
    """Return what the file declares for the context's programme, everything resolved.

    Raises `SettingsError` with every problem of the whole file.
    """
    problems = [SettingsProblem(str(key), "This key is not known.") for key in content if key not in TOP_KEYS]
    guard = _check_guard(content.get("guard"), problems)
    entries = content.get("integrations")
    if entries is None:
        entries = []
    if not isinstance(entries, list):
        problems.append(SettingsProblem("integrations", "This must be a list."))
        entries = []
    found: dict[str, DeclaredIntegration] = {}
    for number, entry in enumerate(entries):
        path = f"integrations[{number}]"
        try:
            declared = _check_entry(session, entry, context)
            if declared.name.casefold() in found:
                raise SettingsError([SettingsProblem("name", f"{declared.name!r} stands twice in this file.")])
            found[declared.name.casefold()] = declared
        except SettingsError as error:
            problems += [replace(each, path=f"{path}.{each.path}" if each.path else path) for each in error.problems]
    if problems:
        raise SettingsError(problems)
    return Declaration(context.programme, guard, tuple(found.values()))


def _check_guard(guard: Any, problems: list[SettingsProblem]) -> dict[str, int | bool]:
    limits = {"percent": 100, "people": 1_000_000}
    if guard is None:
        return {}
    if not isinstance(guard, dict):
        problems.append(SettingsProblem("guard", "Write it as {percent: 10, people: 5}."))
        return {}
    for key, value in guard.items():
        if key == "second_person":
            if not isinstance(value, bool):
                problems.append(SettingsProblem(f"guard.{key}", "This is true or false."))
        elif key not in limits:
            problems.append(SettingsProblem(f"guard.{key}", "This key is not known."))
        elif isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= limits[key]:
            problems.append(SettingsProblem(f"guard.{key}", f"Give a whole number from 0 to {limits[key]}."))
    return {f"guard_{key}": value for key, value in guard.items()}


def _check_entry(session: Session, entry: Any, context: DeclaredContext) -> DeclaredIntegration:
    if not isinstance(entry, dict):
        raise SettingsError([SettingsProblem("", "Each integration is a mapping with kind, name and its settings.")])
    problems: list[SettingsProblem] = []
    entry = _with_environment(entry, "", context.environment, problems)
    name = entry.get("name")
    try:
        name = service.check_name(name if isinstance(name, str) else "")
    except SettingsError as error:
        problems += error.problems
        name = ""
    published = entry.get("published")
    if published is not None and not isinstance(published, bool):
        problems.append(SettingsProblem("published", "This is true or false."))
    kind, provider = entry.get("kind"), entry.get("provider")
    if kind not in KINDS:
        known = ", ".join(sorted(KINDS))
        problems.append(SettingsProblem("kind", f"{kind!r} is not a kind of integration we know. Known: {known}."))
        raise SettingsError(problems)
    if provider is not None and provider not in {tile.key for tile in kind_of(kind).tiles()}:
        problems.append(SettingsProblem("provider", f"There is no provider {provider!r} in the catalogue."))
    existing = service.by_name(session, context.programme, name) if name else None
    if existing is not None and existing.kind != kind:
        problems.append(SettingsProblem("kind", f"{name!r} is an integration of the kind {existing.kind} already."))
    settings: Mapping[str, Any] = {}
    access, keeper = None, access_of(kind)
    own = {key: value for key, value in entry.items() if key not in COMMON_KEYS}
    try:
        settings = kind_of(kind).resolve(own, context)
    except SettingsError as error:
        problems += error.problems
    try:
        access = keeper.check(own, context) if keeper is not None else None
    except SettingsError as error:
        problems += [each for each in error.problems if each not in problems]
    if problems:
        raise SettingsError(problems)
    return DeclaredIntegration(kind, name, provider, published, settings, access)


def _with_environment(value: Any, path: str, environment: Mapping[str, str], problems: list[SettingsProblem]) -> Any:
    """Replace each `{env: NAME}` by that environment variable's value."""
    if isinstance(value, list):
        return [
            _with_environment(each, f"{path}[{number}]", environment, problems) for number, each in enumerate(value)
        ]
    if not isinstance(value, dict):
        return value
    if set(value) == {"env"} and isinstance(value["env"], str):
        if not environment.get(value["env"]):
            problems.append(SettingsProblem(path, f"The environment variable {value['env']} is not set."))
        return environment.get(value["env"], "")
    inside = f"{path}." if path else ""
    return {str(key): _with_environment(each, f"{inside}{key}", environment, problems) for key, each in value.items()}
