"""The page of the identifier check, and what of it Review says."""

import uuid

from rgapp.access import EVERY_ROLE, staff
from rgapp.dashboard.common import bp, page
from rgapp.dashboard.kinds import Warn
from rgapp.dashboard.scim.connection import connection, preset_of
from rgapp.dashboard.steps import steps_of
from rgapp.extensions import db
from rgapp.integrations.scim.identifiers import IdentifierCheck, check
from rgapp.models import Integration
from rgapp.templating import counted
from rgapp.wording_events import SOURCE_LABELS

ENDPOINT = "dashboard.scim_identifiers"


@bp.get("/<uuid:integration_id>/scim/identifiers")
@staff(*EVERY_ROLE)
def scim_identifiers(slug: str, integration_id: uuid.UUID) -> str:
    """Compare what the client calls the Membership No. with the people already here."""
    integration = connection(integration_id)
    found = check(db.session(), integration)
    state, title, sentence = words_of(found, integration)
    return page(
        "identifiers.html",
        integration,
        found=found,
        state=state,
        title=title,
        sentence=sentence,
        other=preset_of(integration).name,
        mapping_endpoint="scim_mapping",
        back=("scim_testing", "Back to Testing"),
        sources=SOURCE_LABELS,
        steps=steps_of(integration),
        current="identifiers",
    )


def words_of(found: IdentifierCheck, integration: Integration) -> tuple[str, str, str]:
    """Return the state (ok, warning, wrong, skipped), the verdict in a few words, and what it means."""
    name = integration.live_name or integration.name
    matching = f"{found.matching:,} of {found.total:,} match"
    match found.verdict:
        case "nothing":
            return (
                "skipped",
                "Nothing to compare yet",
                (
                    f"As soon as {name} has sent somebody, what it calls the Membership No. is compared here with the "
                    "people you have."
                ),
            )
        case "nobody":
            return (
                "ok",
                "There is nobody to compare with",
                (
                    "Nobody has an account yet, so nothing can differ. Who comes first decides what people are "
                    "called: make sure that your single sign-on sends the same number."
                ),
            )
        case "none":
            return (
                "wrong",
                matching,
                (
                    f"{name} sends {found.their_shape}, the people here have {found.our_shape or 'other numbers'}. "
                    "Published like this, everybody would be refused or get a second account. "
                    "Choose another attribute under Mapping, or have the client send the number that is used here."
                ),
            )
        case "some":
            same = counted(len(found.by_address), "person is", "people are")
            return (
                "warning",
                matching,
                (
                    f"{same} here under another Membership No., with the same e-mail address. They would be refused "
                    "until one of the two numbers is corrected."
                ),
            )
        case _:
            rest = found.total - found.matching
            others = (
                "The other one would get a new account." if rest == 1 else f"The other {rest:,} would get new accounts."
            )
            new = f" {others}" if rest else ""
            return "ok", matching, f"{name} calls people what they are called here.{new}"


def warning_of(integration: Integration) -> Warn | None:
    """Return what Review has to say of the identifiers, None where all is well."""
    found = check(db.session(), integration)
    if found.verdict not in {"none", "some"}:
        return None
    _, title, sentence = words_of(found, integration)
    return Warn(f"Identifier check: {title}", sentence, ENDPOINT, "Compare them side by side")
