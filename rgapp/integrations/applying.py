"""Apply a declarative file so that a second time changes nothing, and export what is there as one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import yaml
from sqlalchemy.orm import Session

from rgapp import programmes
from rgapp.audit import Actor
from rgapp.integrations import service
from rgapp.integrations.base import SettingsError
from rgapp.integrations.declared import Declaration, DeclaredIntegration
from rgapp.integrations.registry import access_of, kind_of
from rgapp.models import Integration, Programme
from rgapp.sealing import Sealer

LONGEST_SHOWN = 70


@dataclass(frozen=True)
class Applied:
    """What applying did to one part; no actions where it was as declared already."""

    name: str
    actions: Sequence[str] = ()
    changes: Sequence[str] = ()
    created: Integration | None = None


class _Dumper(yaml.SafeDumper):
    """Writes text of several lines, such as certificates, as it stands."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


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
        actions += _settle_access(session, made, declared, sealer, actor, now)
        return Applied(declared.name, actions, created=made)
    actions, before = [], _present(session, existing)
    if declared.provider and declared.provider != existing.provider:
        existing.provider = declared.provider
        actions.append(f"provider set to {declared.provider}")
    differs = before != settings or (existing.live_name or existing.name) != declared.name
    if declared.published and (differs or existing.live_version is None):
        service.save_draft(session, existing, actor=actor, now=now, name=declared.name, whole=True, **settings)
        version = service.publish(session, existing, actor=actor, now=now, without_test=True)
        actions.append(f"published as version {version.number}")
    elif differs and not _is_draft(existing, declared):
        service.save_draft(session, existing, actor=actor, now=now, name=declared.name, whole=True, **settings)
        actions.append("saved as a draft")
    else:
        before = settings
    if declared.published is not None and service.set_enabled(
        session, existing, declared.published, actor=actor, now=now
    ):
        actions.append("switched on" if declared.published else "paused")
    actions += _settle_access(session, existing, declared, sealer, actor, now)
    return Applied(declared.name, actions, _differences(_flat(before), _flat(settings)))


def _settle_access(
    session: Session,
    integration: Integration,
    declared: DeclaredIntegration,
    sealer: Sealer,
    actor: Actor,
    now: datetime,
) -> Sequence[str]:
    keeper = access_of(declared.kind)
    if keeper is None:
        return ()
    return keeper.settle(session, integration, declared.access, sealer=sealer, actor=actor, now=now)


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
    return next((key for key in ("custom", kind) if key in keys), keys[0])


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
        "guard": _guard(programme),
        "integrations": entries,
    }
    return yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000), left_out


def _guard(programme: Programme) -> dict[str, Any]:
    guard = {"percent": programme.guard_percent, "people": programme.guard_people}
    return guard | ({"second_person": True} if programme.guard_second_person else {})


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
