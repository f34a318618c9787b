"""What Review and publish says of a pull: gaps, what changes for people, and what to think of first."""

from collections.abc import Mapping
from typing import Any, Final

from rgapp.dashboard.kinds import Problem, Review, Warn
from rgapp.dashboard.pulls import queries
from rgapp.dashboard.pulls.sources import PullSource
from rgapp.extensions import db
from rgapp.integrations.base import SettingsError
from rgapp.integrations.pulls.setup import SCHEDULES
from rgapp.integrations.registry import kind_of
from rgapp.models import Integration, Programme

MAPPING: Final = ("dashboard.pull_mapping", "Mapping")


def review_of(integration: Integration, live: Mapping[str, Any] | None, source: PullSource) -> Review:
    """Return what Review and publish shows."""
    return Review(
        problems=problems_of(integration, source),
        noticed_title="What changes for people",
        noticed=changes_for_people(integration, live, source),
        warnings=warnings_of(integration, source),
        test_endpoint="dashboard.pull_preview",
        test_promise="pull everybody and see whom it would create, change and take out",
        untested_risk="If they do not, people are refused, or get accounts with wrong details; the version before can "
        "be restored under History.",
    )


def problems_of(integration: Integration, source: PullSource) -> list[Problem]:
    """Return what stops this draft from being published."""
    kind, connect = kind_of(integration.kind), (f"dashboard.{source.connect}", "Connect")
    if missing := kind.missing(integration.draft):
        return [
            Problem(f"Still needed: {one}.", *(MAPPING if "comes from" in one or "written" in one else connect))
            for one in missing
        ]
    try:
        kind.validate(integration.draft)
    except SettingsError as error:
        return [Problem(one.message, *MAPPING) for one in error.problems]
    return []


def warnings_of(integration: Integration, source: PullSource) -> list[Warn]:
    """Return what to think of before publishing."""
    owner = db.session().get_one(Programme, integration.programme_id)
    way = queries.ways_in(db.session(), owner, [integration.id]).get(integration.id)
    where = f"dashboard.{source.connect}"
    if way is None and source.needs_access:
        return [Warn("Nothing opens the way in yet", f"{source.other} cannot be read.", where, "Connect")]
    if way is not None and way.problem:
        return [Warn(f"{source.other} does not let us in", way.sentence, where, "Connect again")]
    return []


def changes_for_people(integration: Integration, live: Mapping[str, Any] | None, source: PullSource) -> list[str]:
    """Return what publishing changes for people, one sentence each."""
    draft, before, name = integration.draft, live, integration.name
    welcome, owns = bool(draft.get("welcome_email", True)), bool(draft.get("provision_master", True))
    schedule = draft.get("schedule") or "daily"
    sentences = []
    if before is None:
        sentences.append(f"From the first pull on, {name} creates, updates and reactivates people here.")
        sentences.append("The first pull begins within a minute of publishing.")
        sentences.append(f"Who came from {source.other} before and is no longer there becomes a leaver.")
    if before is None or schedule != (before.get("schedule") or "daily"):
        sentences.append(f"It pulls {SCHEDULES.get(schedule, str(schedule)).lower()}.")
    if before is None or welcome != bool(before.get("welcome_email", True)):
        sentences.append("New people get a welcome e-mail." if welcome else "New people get no welcome e-mail from us.")
    if before is None or owns != bool(before.get("provision_master", True)):
        sentences.append(
            f"{name} owns the fields it brings: neither a sign-in nor a person changes them by hand."
            if owns
            else f"{name} owns no fields: sign-ins and people may change them, until the next pull."
        )
    if before is not None and draft.get("mapping") != before.get("mapping"):
        sentences.append("From the next pull on, everybody is read with the new mapping.")
    if before is not None and (draft.get("filters") or {}) != (before.get("filters") or {}):
        sentences.append("Who does not fit the new filters becomes a leaver with the next pull.")
    return sentences or ["Nothing changes for people."]
