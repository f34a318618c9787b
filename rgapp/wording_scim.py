"""Words for the requests of SCIM clients: what was asked, what came of it, and who puts a refusal right."""

from collections.abc import Mapping
from typing import Any, Final, Protocol
from urllib.parse import unquote

from rgapp import wording
from rgapp.provisioning.record import Refusal

#: outcome -> what would come of it, and what came of it; `{}` is the person, or of a group its article and name.
_DONE: Final[Mapping[str, tuple[str, str]]] = {
    "created": ("Would create an account for {}.", "Created an account for {}."),
    "updated": ("Would update the details of {}.", "Updated the details of {}."),
    "unchanged": ("Would leave {} as is.", "Nothing was different for {}."),
    "deactivated": ("Would make {} a leaver.", "Made {} a leaver."),
    "reactivated": ("Would bring {} back.", "Brought {} back."),
    "detached": ("Would no longer follow {}.", "No longer follows {}; the account stays."),
    "deleted": ("Would delete {}.", "Deleted {}."),
}
_GROUP_DONE: Final[Mapping[str, tuple[str, str]]] = {
    "created": ("Would keep {} new group{}.", "Kept {} new group{}."),
    "updated": ("Would change {} group{}.", "Changed {} group{}."),
    "unchanged": ("Would leave {} group{} as is.", "Nothing was different in {} group{}."),
    "deleted": ("Would delete {} group{}.", "Deleted {} group{}."),
}
_ASKED: Final = (
    ("/ServiceProviderConfig", "Asked what is supported."),
    ("/ResourceTypes", "Asked which kinds of resource there are."),
    ("/Schemas", "Asked for the schemas."),
    ("/Me", "Asked for itself."),
    ("/Groups", "Looked up groups."),
    ("/Bulk", "Sent many changes at once."),
)
#: scimType (RFC 7644 section 3.12) or status -> who puts it right, and how.
_FIXES: Final[Mapping[str, tuple[str, str]]] = {
    "invalidSyntax": ("idp", "The client sent something that is not SCIM JSON. Its administrator looks at its log."),
    "invalidFilter": ("idp", "The client asked with a filter that SCIM does not have. Its administrator changes it."),
    "invalidPath": ("idp", "The client's administrator corrects the attribute mapping: there is no such attribute."),
    "noTarget": ("idp", "The client's administrator corrects the attribute mapping: nothing is at this path."),
    "invalidValue": ("hr", "HR corrects the value in the system that the client reads, and it is sent again."),
    "mutability": ("setup", "Another directory integration owns this field. Change it there, or let go of it there."),
    "uniqueness": ("hr", "HR finds out which of the two people the value belongs to, and corrects the other one."),
    "tooMany": ("idp", "The client asked for too much at once. It narrows its request."),
    "invalidVers": ("idp", "The client speaks another version of SCIM. Choose SCIM 2.0 there."),
    "sensitive": ("idp", "The client asked for what may not be in an address. Its administrator changes that."),
    "401": ("idp", "Copy a live bearer token into the client."),
    "403": ("setup", "Switch this connection on, or publish it."),
    "404": (
        "idp",
        "The client asks for somebody we do not have from it. Restart its provisioning, so that it looks again.",
    ),
    "405": ("idp", "The client asks for something that SCIM does not have at this address."),
    "409": ("hr", "HR finds out which of the two people the value belongs to, and corrects the other one."),
    "412": ("idp", "Somebody else changed the person meanwhile. The client reads again and repeats its request."),
    "413": ("idp", "The client sends less at once."),
    "415": ("idp", "The client sends application/scim+json."),
}
_REFUSAL_FIXERS: Final = {Refusal.FIELDS: "", Refusal.OWNED_FIELDS: "setup", Refusal.NO_ACCOUNT: "setup"}


class Line(Protocol):
    """What these words need of one line of the log."""

    method: str
    path: str
    status: int
    outcome: str
    accepted: bool
    listening: bool
    reason: str
    scim_type: str
    detail: str
    person: str | None
    fields: list[Any]


def request_sentence(line: Line) -> str:
    """Say what came, or would come, of a request: "Would create an account for Jane Carter (E1001)."."""
    if not line.accepted:
        begins = "Would be refused" if line.listening else "Refused"
        because = _because(line)
        told = line.detail.strip() or "the request could not be applied"
        return wording.ended(f"{begins} because {because}" if because else f"{begins}: {told}")
    tense = 0 if line.listening else 1
    if is_of_group(line.path) and line.outcome in _GROUP_DONE:
        return _GROUP_DONE[line.outcome][tense].format(*(("the", f" {line.person}") if line.person else ("a", "")))
    if line.outcome in _DONE:
        return _DONE[line.outcome][tense].format(line.person or "this person")
    return read_sentence(line.path)


def is_of_group(path: str) -> bool:
    """Tell whether a request is about groups: then the line names one where it would name a person."""
    return path.startswith("/Groups")


def read_sentence(path: str) -> str:
    """Say what was asked for: "Looked for somebody: userName eq "jane@acme.example"."."""
    for beginning, words in _ASKED:
        if path.startswith(beginning):
            return words
    _, _, query = path.partition("?")
    wanted = next((part for part in query.split("&") if part.startswith("filter=")), "")
    if wanted:
        return f"Looked for somebody: {unquote(wanted.removeprefix('filter=').replace('+', ' '))[:200]}"
    if path.startswith("/Users/"):
        return "Read one person."
    return "Looked up users." if path.startswith("/Users") else "Answered."


def request_fix(line: Line) -> tuple[str, str]:
    """Return who puts a refused request right (`idp`, `setup`, `hr`, `us`, or nobody in particular), and how."""
    if line.accepted:
        return "", ""
    if line.reason in set(Refusal):
        return _REFUSAL_FIXERS.get(Refusal(line.reason), "hr"), wording.refusal_fix(line.reason)
    known = _FIXES.get(line.scim_type) or _FIXES.get(str(line.status))
    if known:
        return known
    return "us", "Nothing of it was applied. Our support team looks at it."


def _because(line: Line) -> str:
    if line.reason == Refusal.FIELDS and (blamed := wording.blamed(line.fields)):
        return blamed
    return wording.refusal_title(line.reason) if line.reason in set(Refusal) else ""
