"""Change what is live because the other side changed by itself, such as its certificates."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from rgapp.audit import Actor, Tag
from rgapp.integrations.registry import kind_of
from rgapp.integrations.service import digest, is_tested, next_number, note_change
from rgapp.models import Integration, IntegrationVersion


def amend_live(
    session: Session,
    integration: Integration,
    settings: Mapping[str, Any],
    *,
    actor: Actor,
    now: datetime,
    facts: Mapping[str, Any],
) -> IntegrationVersion:
    """Make these settings live as a new version, leaving the draft to the people who work on it.

    For what the other side changed by itself. A draft that equals what was live follows. Raises `SettingsError`.
    """
    kind_of(integration.kind).validate(settings)
    before = session.get_one(IntegrationVersion, (integration.programme_id, integration.id, integration.live_version))
    version = IntegrationVersion(
        programme_id=integration.programme_id,
        integration_id=integration.id,
        number=next_number(session, integration),
        name=before.name,
        settings=dict(settings),
        tested=before.tested,
        published_at=now,
        published_by=actor.label,
    )
    session.add(version)
    if integration.draft == before.settings:
        tested = is_tested(integration)
        integration.draft = dict(settings)
        integration.tested_digest = digest(settings) if tested else integration.tested_digest
    integration.live_version, integration.updated_at = version.number, now
    facts = {"version": version.number, "tested": version.tested, **facts}
    note_change(session, integration, Tag.INTEGRATION_PUBLISHED, actor, now, **facts)
    session.flush()
    return version
