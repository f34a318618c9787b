"""Create and change programmes."""

import re
from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from rgapp.audit import Actor, Tag, record_event
from rgapp.models import Colour, Programme, Region
from rgapp.provisioning.record import InvalidValue
from rgapp.provisioning.validation import read_email

# Words that Reward Manager's own addresses use where a slug could stand.
RESERVED_SLUGS = frozenset(
    {
        "account",
        "integrations",
        "users",
        "activity",
        "settings",
        "login",
        "logout",
        "password",
        "mail",
        "search",
        "static",
        "new",
    }
)
GUARD_LIMITS = {"guard_percent": 100, "guard_people": 1_000_000}
SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


class ProgrammeError(ValueError):
    """What is wrong with a programme's details: `{field: sentence}`, every one of them."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {sentence}" for name, sentence in errors.items()))
        self.errors = errors


def check(details: dict[str, Any]) -> dict[str, Any]:
    """Return the details, trimmed.

    Raises `ProgrammeError` with every problem.
    """
    clean = {key: value.strip() if isinstance(value, str) else value for key, value in details.items()}
    errors = {}
    if "slug" in clean and (not SLUG.fullmatch(clean["slug"]) or clean["slug"] in RESERVED_SLUGS):
        errors["slug"] = "Use 1 to 63 lower-case letters, digits and hyphens, and none of our own words."
    if "name" in clean and not (0 < len(clean["name"]) <= 100 and clean["name"].isprintable()):
        errors["name"] = "Give the programme a name of at most 100 characters."
    if "region" in clean and clean["region"] not in set(Region):
        errors["region"] = f"Choose one of {', '.join(Region)}."
    if "timezone" in clean and clean["timezone"] not in available_timezones():
        errors["timezone"] = "Choose a time zone by its name, for example Europe/London."
    if "colour" in clean and clean["colour"] not in set(Colour):
        errors["colour"] = f"Choose one of {', '.join(Colour)}."
    if len(clean.get("contact_name", "")) > 100:
        errors["contact_name"] = "Use at most 100 characters."
    if clean.get("contact_email"):
        try:
            read_email(clean["contact_email"])
        except InvalidValue:
            errors["contact_email"] = "This is not a complete e-mail address."
    for key, most in GUARD_LIMITS.items():
        value: Any = clean.get(key, 0)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
            errors[key] = f"Give a whole number from 0 to {most}."
    if errors:
        raise ProgrammeError(errors)
    return clean


def create(session: Session, *, actor: Actor, now: datetime, **details: Any) -> Programme:
    """Create a programme from `name`, `slug` and what else is given.

    Raises `ProgrammeError`, also where the slug is taken.
    """
    clean = check(details)
    if find(session, clean["slug"]) is not None:
        raise ProgrammeError({"slug": f"There is a programme called {clean['slug']} already."})
    programme = Programme(created_at=now, **clean)
    try:
        with session.begin_nested():
            session.add(programme)
    except IntegrityError as error:  # Somebody else was quicker with the same slug.
        raise ProgrammeError({"slug": f"There is a programme called {clean['slug']} already."}) from error
    record_event(
        session,
        Tag.PROGRAMME_CREATED,
        actor,
        now=now,
        programme_id=programme.id,
        facts={"slug": programme.slug},
    )
    return programme


def update(session: Session, programme: Programme, *, actor: Actor, now: datetime, **details: Any) -> bool:
    """Change a programme's details; returns whether anything changed.

    Raises `ProgrammeError`.
    """
    clean = check(details)
    changes = {key: value for key, value in clean.items() if getattr(programme, key) != value}
    if not changes:
        return False
    facts = [{"field": key, "before": getattr(programme, key), "after": value} for key, value in changes.items()]
    for key, value in changes.items():
        setattr(programme, key, value)
    record_event(session, Tag.PROGRAMME_UPDATED, actor, now=now, programme_id=programme.id, facts={"changes": facts})
    session.flush()
    return True


def find(session: Session, slug: str) -> Programme | None:
    """Return the programme with this slug, else None."""
    return session.scalar(select(Programme).where(Programme.slug == slug))
