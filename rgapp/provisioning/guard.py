"""The guard over everything that takes people out: it counts deactivations by feeds over a day, and raises alerts.

A run of many people is held before its first deactivation; a SCIM client takes out one at a time, so there the guard
watches the rate and tells the admins.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple

from sqlalchemy import Select, bindparam, func, or_, select
from sqlalchemy.orm import Session

from rgapp.audit import Actor, Tag, record_event
from rgapp.audit.service import SYSTEM
from rgapp.mail.outbox import MailKind, put_for_admins
from rgapp.models import Alert, Deactivation, Programme, User, UserStatus
from rgapp.models.base import UTCDateTime, new_id
from rgapp.models.prepared import Prepared
from rgapp.models.rows import insert_if_new, insert_row
from rgapp.provisioning.policy import Policy, Source

WINDOW: Final = timedelta(hours=24)


class AlertKind(StrEnum):
    """What an alert is about."""

    UNUSUAL_LEAVERS = "unusual_leavers"


@dataclass(frozen=True)
class Limit:
    """How many deactivations are usual: more than `people` and more than `percent` of the active users are not."""

    percent: int
    people: int

    def is_exceeded(self, removals: int, active: int) -> bool:
        """Tell whether so many removals, of so many who were active, are unusual; exactly at the limit is not."""
        return removals > self.people and removals * 100 > self.percent * active


@dataclass(frozen=True)
class Weighed:
    """What a run would do, as the guard sees it: whom it would take out, how many went since yesterday, of how many."""

    removals: int
    recent: int
    active: int
    limit: Limit

    @property
    def held(self) -> bool:
        """Tell whether that is more than the programme calls usual."""
        return self.removals > 0 and self.limit.is_exceeded(self.removals + self.recent, self.active)


def weigh(session: Session, programme_id: uuid.UUID, removals: int, *, pending: int = 0, now: datetime) -> Weighed:
    """Weigh a run that would take out so many, before its first one; `pending` are those of runs that are at work.

    The programme's row is locked, so that of two runs the second one sees the first. What counts with it is what feeds
    took out in the last 24 hours, of those who are active now or were 24 hours ago, whichever is more.
    """
    programme = session.get_one(Programme, programme_id, with_for_update=True, populate_existing=True)
    since = now - WINDOW
    recent = removals_since(session, programme_id, since) + pending
    limit = Limit(programme.guard_percent, programme.guard_people)
    active = max(_count(session, _active(programme_id)), _count(session, _active_at(programme_id, since)))
    return Weighed(removals, recent, active, limit)


def remember(session: Session, programme_id: uuid.UUID, user_id: uuid.UUID, policy: Policy, now: datetime) -> None:
    """Count one deactivation by a feed; what a person decides, or released, is not counted."""
    if policy.source is Source.HAND or not policy.counted:
        return
    row = {
        "programme_id": programme_id,
        "id": new_id(),
        "at": now,
        "user_id": user_id,
        "source": policy.source,
        "integration_id": policy.integration_id,
    }
    insert_row(session, Deactivation, row)


def removals_since(session: Session, programme_id: uuid.UUID, since: datetime) -> int:
    """Return how many people the feeds of a programme took out after a moment."""
    session.flush()
    query = select(func.count()).select_from(Deactivation)
    return session.scalar(query.where(Deactivation.programme_id == programme_id, Deactivation.at > since)) or 0


_PROGRAMMES, _ALERTS = Programme.__table__.c, Alert.__table__.c
_YESTERDAY = bindparam("yesterday", type_=UTCDateTime())
_OF_KIND = (_ALERTS.programme_id == bindparam("of_programme"), _ALERTS.kind == bindparam("kind"))
_SETTLED = select(func.max(_ALERTS.settled_at)).where(*_OF_KIND, _ALERTS.settled_at > _YESTERDAY).scalar_subquery()
_OPEN = select(func.count()).select_from(Alert).where(*_OF_KIND, _ALERTS.settled_at.is_(None)).scalar_subquery()
_STANDING = [_PROGRAMMES.guard_percent, _PROGRAMMES.guard_people, _SETTLED, _OPEN]
_STANDS = Prepared(lambda _: select(*_STANDING).where(_PROGRAMMES.id == bindparam("of_programme")), _STANDING)

# Counting takes as long as there is to count, and many may leave one after the other. Where so many could still go, it
# is not counted again before they can have gone, at the most that all processes together take out in a second.
FAR: Final = 100
MOST_IN_A_SECOND: Final = 5_000
MOST_REMEMBERED: Final = 1_000


class _Standing(NamedTuple):
    """Under which limit, and since when, nothing needs to be counted `until` then."""

    limit: Limit
    since_alert: datetime | None
    counted_at: datetime
    until: datetime

    def holds(self, limit: Limit, since_alert: datetime | None, now: datetime) -> bool:
        """Tell whether that is so now."""
        return (self.limit, self.since_alert) == (limit, since_alert) and self.counted_at <= now < self.until


_STANDING_OF: Final[dict[uuid.UUID, _Standing]] = {}


def watch(session: Session, programme_id: uuid.UUID, policy: Policy, *, now: datetime) -> bool:
    """Raise an alert where the feeds took out unusually many people since yesterday; tells whether one was raised.

    One alert stands at a time. After it was settled the count begins anew. What this costs depends neither on how many
    were taken out nor on how many there are: the more that is, the more seldom they are counted.
    """
    values = {"of_programme": programme_id, "yesterday": now - WINDOW, "kind": AlertKind.UNUSUAL_LEAVERS}
    session.flush()
    percent, people, settled, is_open = _STANDS.rows(session, values)[0]
    limit, known = Limit(percent, people), _STANDING_OF.get(programme_id)
    if is_open or (known is not None and known.holds(limit, settled, now)):
        return False
    since = settled or now - WINDOW
    removals = removals_since(session, programme_id, since)
    more = _may_still_go(session, programme_id, removals, limit, now - WINDOW)
    if more is not None:
        if more >= FAR:
            _remember(programme_id, _Standing(limit, settled, now, now + timedelta(seconds=more / MOST_IN_A_SECOND)))
        return False
    facts = {
        "removals": removals,
        "since": since.isoformat(),
        "integration": policy.name,
        "percent": limit.percent,
        "people": limit.people,
    }
    alert_id = new_id()
    row = {
        "programme_id": programme_id,
        "id": alert_id,
        "kind": AlertKind.UNUSUAL_LEAVERS,
        "integration_id": policy.integration_id,
        "raised_at": now,
        "facts": facts,
        "settled_by": "",
    }
    if not insert_if_new(session, Alert, row):
        return False
    record_event(
        session,
        Tag.GUARD_ALERTED,
        SYSTEM,
        now=now,
        programme_id=programme_id,
        integration_id=policy.integration_id,
        facts={"name": policy.name, "removals": removals},
    )
    data = {"integration_name": policy.name, "removals": removals}
    key = f"alert:{alert_id.hex}"
    put_for_admins(session, MailKind.UNUSUAL_LEAVERS, programme_id=programme_id, once_key=key, now=now, data=data)
    return True


def open_alerts(session: Session, programme_id: uuid.UUID) -> list[Alert]:
    """Return the alerts of a programme that nobody has settled, newest first."""
    query = select(Alert).where(Alert.programme_id == programme_id, Alert.settled_at.is_(None))
    return list(session.scalars(query.order_by(Alert.raised_at.desc()).limit(20)))


def settle(session: Session, programme_id: uuid.UUID, alert_id: uuid.UUID, *, actor: Actor, now: datetime) -> bool:
    """Note that an admin has looked at an alert; tells whether it was open."""
    alert = session.get(Alert, (programme_id, alert_id), with_for_update=True)
    if alert is None or alert.settled_at is not None:
        return False
    alert.settled_at, alert.settled_by = now, actor.label
    facts = {"name": alert.facts.get("integration", ""), "removals": alert.facts.get("removals")}
    record_event(
        session,
        Tag.ALERT_SETTLED,
        actor,
        now=now,
        programme_id=programme_id,
        integration_id=alert.integration_id,
        facts=facts,
    )
    session.flush()
    return True


def _may_still_go(
    session: Session, programme_id: uuid.UUID, removals: int, limit: Limit, since: datetime
) -> int | None:
    """Return how many more may go, at least, before that is unusual; None where it is unusual by now."""
    if removals <= limit.people:
        return limit.people - removals
    # Where many went, it is looked as far ahead again.
    ahead = removals if removals >= FAR else 0
    active = _active_before(
        session, programme_id, removals, (removals + ahead) * 100 // max(limit.percent, 1) + 1, since
    )
    if limit.is_exceeded(removals, active):
        return None
    return max(limit.people, limit.percent * active // 100) - removals


def _active_before(session: Session, programme_id: uuid.UUID, removals: int, enough: int, since: datetime) -> int:
    """Return how many were active before these left or 24 hours ago, counted no further than what is enough."""
    before = _count(session, _active(programme_id).limit(enough)) + removals
    if before >= enough:
        return before
    return max(before, _count(session, _active_at(programme_id, since).limit(enough)))


def _remember(programme_id: uuid.UUID, standing: _Standing) -> None:
    if len(_STANDING_OF) >= MOST_REMEMBERED:
        _STANDING_OF.clear()
    _STANDING_OF[programme_id] = standing


def _count(session: Session, query: Select[Any]) -> int:
    return session.scalar(select(func.count()).select_from(query.subquery())) or 0


def _active(programme_id: uuid.UUID) -> Select[Any]:
    return select(User.id).where(User.programme_id == programme_id, User.status == UserStatus.ACTIVE)


def _active_at(programme_id: uuid.UUID, moment: datetime) -> Select[Any]:
    """Return who was active at a moment, as far as the rows tell: who came back since then counts as well."""
    return select(User.id).where(
        User.programme_id == programme_id,
        User.created_at <= moment,
        or_(User.status == UserStatus.ACTIVE, User.deactivated_at > moment),
    )
