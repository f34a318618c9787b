"""Words for the audit log, chosen at the edge: one sentence, an icon and the details for each kind of event."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from rgapp.audit import ActorKind, Tag
from rgapp.provisioning.record import Field, ProblemCode
from rgapp.wording import FIELD_LABELS, long_date
from rgapp.wording_staff_events import STAFF_EVENTS, staff_detail
from rgapp.wording_sync_events import SYNC_EVENTS, sync_detail

PROGRAMME_LABELS = {
    "name": "Name",
    "slug": "Address",
    "region": "Region",
    "timezone": "Time zone",
    "contact_name": "Contact",
    "contact_email": "Contact’s e-mail",
    "colour": "Colour",
    "password_sign_in": "Sign-in with a password",
    "second_factor_required": "Second step for everyone who runs it",
    "guard_percent": "Guard: share of active users",
    "guard_people": "Guard: people",
    "guard_second_person": "Guard: a second person releases",
}
SOURCE_LABELS = {
    "inbound-saml": "Sign-in (SAML)",
    "scim": "SCIM",
    "sftp": "SFTP",
    "bamboohr": "BambooHR",
    "json-report": "JSON report",
    "hand": "By hand",
}
REGION_LABELS = {"international": "International", "us": "United States"}


class EventGroup(StrEnum):
    """The kinds of event that the activity page tells apart."""

    PEOPLE = "people"
    INTEGRATIONS = "integrations"
    PROGRAMME = "programme"


GROUP_LABELS = {
    EventGroup.PEOPLE: "People",
    EventGroup.INTEGRATIONS: "Integrations",
    EventGroup.PROGRAMME: "Programme and access",
}
_GROUP_OF_SUBJECT = {"user": EventGroup.PEOPLE, "integration": EventGroup.INTEGRATIONS}


def tags_of(group: EventGroup) -> tuple[Tag, ...]:
    """Return the tags that belong to a group."""
    return tuple(tag for tag in Tag if _GROUP_OF_SUBJECT.get(tag.split(":")[0], EventGroup.PROGRAMME) is group)


@dataclass(frozen=True)
class EventWords:
    """How one event reads: sentence, icon, semantic colour, a line of detail, and what changed."""

    title: str
    icon: str
    kind: str = "off"
    detail: str = ""
    changes: tuple[tuple[str, str | None, str | None], ...] = ()


# The sentence, where {name} is the person or the integration; the icon; the semantic colour.
_EVENTS: dict[Tag, tuple[str, str, str]] = {
    Tag.USER_CREATED: ("Account{of_name} created", "person-plus", "ok"),
    Tag.USER_UPDATED: ("Details{of_name} changed", "pencil", "info"),
    Tag.USER_DEACTIVATED: ("Account{of_name} deactivated", "dash-circle", "off"),
    Tag.USER_REACTIVATED: ("Account{of_name} reactivated", "arrow-counterclockwise", "ok"),
    Tag.USER_EMAIL_RELEASED: ("E-mail address{of_name} passed on to another person", "envelope-slash", "attention"),
    Tag.USER_SIGNED_IN: ("Signed in with a password{name_after}", "box-arrow-in-right", "ok"),
    Tag.USER_SIGNED_OUT: ("Signed out{name_after}", "box-arrow-right", "off"),
    Tag.USER_SESSIONS_ENDED: ("Signed out everywhere{name_after}", "box-arrow-right", "off"),
    Tag.USER_WELCOME_RESENT: ("Welcome e-mail sent again{to_name}", "envelope-arrow-up", "info"),
    Tag.USER_PASSWORD_SET: ("Password{of_name} set", "key", "info"),
    Tag.USERS_EXPORTED: ("List of users exported", "download", "info"),
    Tag.INTEGRATION_CREATED: ("Integration {name} added", "plug", "info"),
    Tag.INTEGRATION_DRAFT_SAVED: ("Draft of {name} saved", "pencil", "off"),
    Tag.INTEGRATION_TESTED: ("Integration {name} tested", "eyedropper", "info"),
    Tag.INTEGRATION_PUBLISHED: ("Integration {name} published", "broadcast", "ok"),
    Tag.INTEGRATION_PAUSED: ("Integration {name} switched off", "pause-circle", "attention"),
    Tag.INTEGRATION_RESUMED: ("Integration {name} switched on", "play-circle", "ok"),
    Tag.INTEGRATION_DELETED: ("Integration {name} deleted", "trash", "failed"),
    Tag.INTEGRATION_RESTORED: ("Earlier version of {name} copied into the draft", "clock-history", "info"),
    Tag.SCIM_TOKEN_ISSUED: ("Token of {name} issued", "key", "info"),
    Tag.SCIM_TOKEN_REVOKED: ("Token of {name} revoked", "key", "attention"),
    Tag.SFTP_ACCOUNT_CREATED: ("SFTP account of {name} made", "hdd-network", "info"),
    Tag.SFTP_PASSWORD_SET: ("SFTP password of {name} set", "key", "info"),
    Tag.SFTP_PASSWORD_ENDED: ("SFTP password of {name} ended", "key", "attention"),
    Tag.SFTP_KEY_ADDED: ("SSH key of {name} added", "key", "info"),
    Tag.SFTP_KEY_REMOVED: ("SSH key of {name} removed", "key", "attention"),
    Tag.PULL_ACCESS_SET: ("Way into {name} set", "key", "info"),
    Tag.GUARD_ALERTED: ("Unusually many people were deactivated", "exclamation-triangle", "attention"),
    Tag.ALERT_SETTLED: ("An alert was settled", "check-circle", "ok"),
    Tag.PROGRAMME_CREATED: ("Programme created", "building", "ok"),
    Tag.PROGRAMME_UPDATED: ("Settings of the programme changed", "sliders", "info"),
    **STAFF_EVENTS,
    **SYNC_EVENTS,
}


def event_words(tag: str, facts: Mapping[str, Any], *, person: str | None = None) -> EventWords:
    """Say what an event was; `person` names its user where the page is not about that user alone.

    A tag that this version does not know (an older process reads what a newer one wrote) shows as it is.
    """
    try:
        sentence, icon, kind = _EVENTS[Tag(tag)]
    except (KeyError, ValueError):
        return EventWords(title=tag.replace(":", " ").replace("-", " ").capitalize(), icon="dot")
    title = sentence.format(
        name=facts.get("name") or "without a name",
        of_name=f" of {person}" if person else "",
        to_name=f" to {person}" if person else "",
        name_after=f": {person}" if person else "",
    )
    return EventWords(title, icon, kind, _detail(Tag(tag), facts), changes_of(facts.get("changes", ())))


def actor_words(kind: str, label: str) -> str:
    """Say who did it, as it was called then."""
    match kind:
        case ActorKind.INTEGRATION:
            return f"By the integration {label}"
        case ActorKind.COMMAND_LINE:
            return "From the command line"
        case ActorKind.SYSTEM:
            return "Automatically"
        case ActorKind.USER:
            return "By the person"
        case _:
            return f"By {label}"


def changes_of(changes: Sequence[Mapping[str, Any]]) -> tuple[tuple[str, str | None, str | None], ...]:
    """Return changes for a timeline: label, before, after, in words."""
    return tuple(
        (
            _label(str(change["field"])),
            _value(change["field"], change.get("before")),
            _value(change["field"], change.get("after")),
        )
        for change in changes
    )


def gap_words(code: str) -> str:
    """Say why a recommended field is empty."""
    return {
        ProblemCode.NOT_MAPPED: "It was not given.",
        ProblemCode.MISSING: "The source did not send it.",
        ProblemCode.EMPTY: "The source sent it without a value.",
        ProblemCode.AMBIGUOUS: "The source sent several different values.",
        ProblemCode.TOO_LONG: "The source sent more characters than we take.",
        ProblemCode.HIDDEN_CHARACTERS: "What the source sent has invisible control characters.",
        ProblemCode.BAD_CHARACTERS: "What the source sent has characters that a name cannot have.",
        ProblemCode.UNREADABLE_DATE: "What the source sent is not a date in the format set under Mapping.",
        ProblemCode.IMPOSSIBLE_DATE: "The source sent a day that does not exist.",
        ProblemCode.FUTURE_DATE: "The source sent a day in the future.",
        ProblemCode.TOO_LONG_AGO: "The source sent a day before 1900.",
    }.get(ProblemCode(code) if code in set(ProblemCode) else ProblemCode.NOT_MAPPED, "It was not given.")


def browser_words(user_agent: str) -> str:
    """Name a browser and its system roughly, as people know them: "Firefox on Windows"."""
    browsers = (
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    )
    systems = (
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    )
    browser = next((name for mark, name in browsers if mark in user_agent), None)
    system = next((name for mark, name in systems if mark in user_agent), None)
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or "Unknown browser"


def _detail(tag: Tag, facts: Mapping[str, Any]) -> str:
    match tag:
        case Tag.USER_CREATED:
            return _creation(facts)
        case Tag.USER_DEACTIVATED if facts.get("reason"):
            return f"Reason: {facts['reason']}"
        case Tag.USER_DEACTIVATED if facts.get("absent"):
            return f"{facts.get('via')} names the person no more."
        case Tag.USER_SESSIONS_ENDED:
            count = int(facts.get("sessions", 0))
            return f"{count} session{'' if count == 1 else 's'} ended."
        case Tag.INTEGRATION_PUBLISHED:
            tested = "after a passed test" if facts.get("tested") else "without a test"
            return f"Version {facts.get('version')}, {tested}."
        case Tag.INTEGRATION_RESTORED:
            return f"Version {facts.get('version')}."
        case Tag.INTEGRATION_DRAFT_SAVED if facts.get("parts"):
            return "Changed: " + ", ".join(str(part).replace("_", " ") for part in facts["parts"]) + "."
        case Tag.SFTP_ACCOUNT_CREATED:
            return f"User name {facts.get('username')}."
        case Tag.SFTP_PASSWORD_SET if facts.get("earlier_until"):
            return "The one before works for a while longer."
        case Tag.SFTP_PASSWORD_ENDED:
            return "The earlier one." if facts.get("which") == "earlier" else "Only keys open the account now."
        case Tag.SFTP_KEY_ADDED | Tag.SFTP_KEY_REMOVED:
            return f"{facts.get('key')}, {facts.get('fingerprint')}"
        case Tag.USERS_EXPORTED:
            return f"Filters: {facts['filters']}." if facts.get("filters") else "All of them."
    if tag in SYNC_EVENTS:
        return sync_detail(facts)
    return staff_detail(tag, facts) if tag in STAFF_EVENTS else ""


def _creation(facts: Mapping[str, Any]) -> str:
    words = []
    missing = [_label(name) for name in facts.get("missing", {})]
    if missing:
        words.append(f"Without {', '.join(missing)}.")
    if "welcome" in facts:
        words.append("A welcome e-mail was put on its way." if facts["welcome"] else "No welcome e-mail.")
    return " ".join(words)


def _label(name: str) -> str:
    if name in set(Field):
        return FIELD_LABELS[Field(name)]
    return PROGRAMME_LABELS.get(name, name.replace("_", " ").capitalize())


def _value(name: str, value: Any) -> str | None:
    if value is None:
        return None
    if name == Field.DATE_OF_BIRTH:
        try:
            return long_date(date.fromisoformat(str(value)))
        except ValueError:
            return str(value)
    if isinstance(value, bool):
        return "On" if value else "Off"
    if name == "region":
        return REGION_LABELS.get(str(value), str(value))
    return f"{value} %" if name == "guard_percent" else str(value)
