"""The declarative file: read with every problem at once, applied so that a second time changes nothing, exported."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import yaml
from sqlalchemy.orm import Session

from rgapp import programmes
from rgapp.audit import Actor
from rgapp.integrations import service
from rgapp.integrations.base import DeclaredContext, SettingsError, SettingsProblem
from rgapp.integrations.registry import KINDS, kind_of
from rgapp.models import Integration, Programme
from rgapp.sealing import Sealer

COMMON_KEYS = frozenset({"kind", "name", "published", "provider"})
TOP_KEYS = frozenset({"programme", "guard", "integrations"})
LONGEST_SHOWN = 70


@dataclass(frozen=True)
class DeclaredIntegration:
    """One entry of the file, its settings complete; `published` None leaves it live or not as it is."""

    kind: str
    name: str
    provider: str | None
    published: bool | None
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class Declaration:
    """A file that can be applied."""

    programme: Programme
    guard: Mapping[str, int] = field(default_factory=dict)
    integrations: Sequence[DeclaredIntegration] = ()


@dataclass(frozen=True)
class Applied:
    """What applying did to one part; no actions where it was as declared already."""

    name: str
    actions: Sequence[str] = ()
    changes: Sequence[str] = ()
    created: Integration | None = None


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


class _Dumper(yaml.SafeDumper):
    """Writes text of several lines, such as certificates, as it stands."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def parse(text: str) -> dict[str, Any]:
    """Return the file's content.

    Raises `SettingsError` where it is not YAML or not a mapping.
    """
    try:
        content = yaml.load(text, Loader=_Loader)  # noqa: S506 - a subclass of the safe loader.
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


def _check_guard(guard: Any, problems: list[SettingsProblem]) -> dict[str, int]:
    limits = {"percent": 100, "people": 1_000_000}
    if guard is None:
        return {}
    if not isinstance(guard, dict):
        problems.append(SettingsProblem("guard", "Write it as {percent: 10, people: 5}."))
        return {}
    for key, value in guard.items():
        if key not in limits:
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
    try:
        own = {key: value for key, value in entry.items() if key not in COMMON_KEYS}
        settings = kind_of(kind).resolve(own, context)
    except SettingsError as error:
        problems += error.problems
    if problems:
        raise SettingsError(problems)
    return DeclaredIntegration(kind, name, provider, published, settings)


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


def apply(session: Session, declaration: Declaration, *, sealer: Sealer, actor: Actor, now: datetime) -> list[Applied]:
    """Bring the programme to what is declared; integrations that the file does not name are left alone.

    A declared `published: true` is an explicit publishing without a test. Flushes; the caller commits.
    """
    programme = declaration.programme
    done = []
    if declaration.guard:
        before = {key: getattr(programme, key) for key in declaration.guard}
        changed = programmes.update(session, programme, actor=actor, now=now, **declaration.guard)
        done.append(Applied("guard", ["changed"] if changed else [], _differences(before, declaration.guard)))
    for declared in declaration.integrations:
        done.append(_apply_one(session, programme, declared, sealer, actor, now))
    return done


def _apply_one(
    session: Session, programme: Programme, declared: DeclaredIntegration, sealer: Sealer, actor: Actor, now: datetime
) -> Applied:
    existing = service.by_name(session, programme, declared.name)
    settings = dict(declared.settings)
    if existing is None:
        made = service.create(
            session,
            programme,
            kind=declared.kind,
            provider=declared.provider or _usual_provider(declared.kind),
            name=declared.name,
            sealer=sealer,
            actor=actor,
            now=now,
            draft=settings,
        )
        actions = ["created as a draft"]
        if declared.published:
            version = service.publish(session, made, actor=actor, now=now, without_test=True)
            actions = ["created", f"published as version {version.number}"]
        return Applied(declared.name, actions, created=made)
    actions, before = [], _present(session, existing)
    if declared.provider and declared.provider != existing.provider:
        existing.provider = declared.provider
        actions.append(f"provider set to {declared.provider}")
    differs = before != settings or (existing.live_name or existing.name) != declared.name
    if declared.published and (differs or existing.live_version is None):
        service.save_draft(session, existing, actor=actor, now=now, name=declared.name, **settings)
        version = service.publish(session, existing, actor=actor, now=now, without_test=True)
        actions.append(f"published as version {version.number}")
    elif differs and not _is_draft(existing, declared):
        service.save_draft(session, existing, actor=actor, now=now, name=declared.name, **settings)
        actions.append("saved as a draft")
    else:
        before = settings
    if declared.published is not None and service.set_enabled(
        session, existing, declared.published, actor=actor, now=now
    ):
        actions.append("switched on" if declared.published else "paused")
    return Applied(declared.name, actions, _differences(_flat(before), _flat(settings)))


def _present(session: Session, integration: Integration) -> dict[str, Any]:
    """Return the settings that count now: what was published last, else the draft."""
    live = service.live_settings(session, integration)
    return _normal(integration.kind, live if live is not None else integration.draft)


def _is_draft(integration: Integration, declared: DeclaredIntegration) -> bool:
    return integration.name == declared.name and _normal(integration.kind, integration.draft) == declared.settings


def _normal(kind: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with every default written out, or as they are while they are incomplete."""
    try:
        return kind_of(kind).validate(settings).model_dump(mode="json", exclude_none=True)
    except SettingsError:
        return dict(settings)


def _usual_provider(kind: str) -> str:
    keys = [tile.key for tile in kind_of(kind).tiles()]
    return "custom" if "custom" in keys else keys[0]


def export(
    session: Session, programme: Programme, integrations: Sequence[Integration]
) -> tuple[str, list[Integration]]:
    """Return the file that declares these integrations as they are, and those left out because they are incomplete.

    Of an integration that was published, what is live is written, not the draft that somebody works on.
    """
    entries, left_out = [], []
    for integration in integrations:
        settings = _present(session, integration)
        try:
            kind_of(integration.kind).validate(settings)
        except SettingsError:
            left_out.append(integration)
            continue
        common: dict[str, Any] = {"kind": integration.kind, "name": integration.live_name or integration.name}
        if integration.provider != _usual_provider(integration.kind):
            common["provider"] = integration.provider
        common["published"] = integration.is_live
        entries.append(common | kind_of(integration.kind).declare(settings))
    content = {
        "programme": programme.slug,
        "guard": {"percent": programme.guard_percent, "people": programme.guard_people},
        "integrations": entries,
    }
    return yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000), left_out


def _flat(value: Any, path: str = "") -> dict[str, Any]:
    """Return nested settings as dotted paths."""
    if isinstance(value, Mapping) and value:
        pairs = [(f"{path}.{key}" if path else str(key), each) for key, each in value.items()]
    elif isinstance(value, list) and value:
        pairs = [(f"{path}[{number}]", each) for number, each in enumerate(value)]
    else:
        return {path: value}
    return {key: leaf for name, each in pairs for key, leaf in _flat(each, name).items()}


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    paths = list(dict.fromkeys([*before, *after]))
    return [
        f"{path}: {_shown(before.get(path))} -> {_shown(after.get(path))}"
        for path in paths
        if before.get(path) != after.get(path)
    ]


def _shown(value: Any) -> str:
    """Show one value on one line; of a certificate, enough to tell it from another."""
    if value is None:
        return "nothing"
    if isinstance(value, str) and "\n" in value:
        return f"…{value.replace('-----END CERTIFICATE-----', '').strip()[-16:]}"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
