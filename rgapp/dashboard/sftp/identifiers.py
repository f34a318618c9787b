"""What the identifier check of an example file says: beside the preview, and on Review."""

from dataclasses import dataclass

from rgapp.dashboard.kinds import Warn
from rgapp.dashboard.sftp.connection import example_of
from rgapp.extensions import db
from rgapp.integrations.identifiers import IdentifierCheck
from rgapp.integrations.sftp.examples import Example
from rgapp.integrations.sftp.identifiers import check
from rgapp.models import Integration
from rgapp.templating import counted


@dataclass(frozen=True)
class Compared:
    """The check with its verdict in a few words and what it means; `kind` is ok or attention."""

    found: IdentifierCheck
    kind: str
    title: str
    sentence: str


def compared(integration: Integration, example: Example | None) -> Compared | None:
    """Compare an example's Membership Nos. with the people here; None where there is nothing to compare."""
    if example is None:
        return None
    found = check(db.session(), integration, example.sample)
    matching = f"{found.matching:,} of the first {found.total:,} Membership Nos. match somebody here"
    match found.verdict:
        case "nothing" | "nobody":
            return None
        case "none":
            return Compared(
                found,
                "attention",
                "None of the Membership Nos. is here yet",
                f"The file has {found.their_shape}, the people here have {found.our_shape or 'other numbers'}. If "
                "these are the same people, they would be refused or get a second account: choose another column, or "
                "have the number exported that is used here.",
            )
        case "some":
            same = counted(len(found.by_address), "person is", "people are")
            return Compared(
                found,
                "attention",
                matching,
                f"{same} here under another Membership No., with the same e-mail address. They would be refused until "
                "one of the two numbers is corrected.",
            )
        case _:
            rest = found.total - found.matching
            new = f" The other {rest:,} would get new accounts." if rest else ""
            return Compared(found, "ok", matching, f"The file calls people what they are called here.{new}")


def warning_of(integration: Integration) -> Warn | None:
    """Return what Review has to say of the identifiers, None where all is well."""
    found = compared(integration, example_of(integration))
    if found is None or found.kind == "ok":
        return None
    return Warn(f"Identifier check: {found.title}", found.sentence, "dashboard.sftp_preview", "Look at the preview")
