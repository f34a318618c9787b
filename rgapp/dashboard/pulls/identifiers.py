"""Identifier check: whether the other side calls people what they are called here, asked of a few real people."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from rgapp.access import EVERY_ROLE, staff
from rgapp.dashboard.common import bp, page
from rgapp.dashboard.pulls.asking import Asked, ask
from rgapp.dashboard.pulls.sources import PullSource, pulling
from rgapp.dashboard.steps import steps_of
from rgapp.extensions import db, limiter
from rgapp.integrations.identifiers import Claimed, IdentifierCheck, compare
from rgapp.models import Integration
from rgapp.provisioning.record import Field, InvalidValue
from rgapp.provisioning.validation import clean_identifier, email_key
from rgapp.templating import counted
from rgapp.wording_events import SOURCE_LABELS

ENDPOINT: Final = "dashboard.pull_identifiers"
PEOPLE_ASKED: Final = 100


@bp.get("/<uuid:integration_id>/pull/identifiers")
@staff(*EVERY_ROLE)
@limiter.limit("60/minute")
def pull_identifiers(slug: str, integration_id: uuid.UUID) -> str:
    """Compare what the other side calls the Membership No. with the people already here."""
    integration, source = pulling(integration_id)
    asked = claimed_by(integration, source)
    found = compare(db.session(), integration, asked.value, attribute=number_field(integration))
    state, title, sentence = words_of(found, source)
    if asked.problem:
        state, title, sentence = "skipped", f"We cannot read {source.other} now", asked.problem
    return page(
        "identifiers.html",
        integration,
        found=found,
        state=state,
        title=title,
        sentence=sentence,
        other=source.other,
        mapping_endpoint="pull_mapping",
        back=("pull_preview", "Back to Preview"),
        sources=SOURCE_LABELS,
        steps=steps_of(integration),
        current="identifiers",
    )


def claimed_by(integration: Integration, source: PullSource) -> Asked[list[Claimed]]:
    """Return what the other side calls some of its people, each once."""
    mapping = integration.draft.get("mapping") or {}
    address = mapping.get(Field.EMAIL.value) or {}
    number, first, second = number_field(integration), address.get("field"), address.get("otherwise")
    names = [name for name in (number, first, second) if name]
    if not number:
        return Asked([])
    nobody: Sequence[Mapping[str, str]] = ()
    asked = ask(integration, source, lambda account: account.people(names, most=PEOPLE_ASKED), nobody)
    return Asked(claims(asked.value, number, first or "", second or ""), asked.code, asked.problem)


def claims(people: Sequence[Mapping[str, str]], number: str, first: str, second: str) -> list[Claimed]:
    """Return for each of these people her Membership No. and her address; who has no number is left out."""
    found: dict[str, Claimed] = {}
    for one in people:
        called, address = _text(one.get(number)), _text(one.get(first)) or _text(one.get(second))
        if called:
            found.setdefault(called, Claimed(called, email_key(address) if address else None, address))
    return list(found.values())


def number_field(integration: Integration) -> str:
    """Return the field of theirs that is the Membership No. in the draft, empty for none."""
    mapping: dict[str, Any] = integration.draft.get("mapping") or {}
    return str((mapping.get(Field.MEMBERSHIP_NO.value) or {}).get("field") or "")


def words_of(found: IdentifierCheck, source: PullSource) -> tuple[str, str, str]:
    """Return the state (ok, warning, wrong, skipped), the verdict in a few words, and what it means."""
    name, matching = source.other, f"{found.matching:,} of {found.total:,} match"
    match found.verdict:
        case "nothing":
            return "skipped", "Nothing to compare yet", f"{name} shows us nobody with a Membership No. yet."
        case "nobody":
            return (
                "ok",
                "There is nobody to compare with",
                "Nobody has an account yet, so nothing can differ. Who comes first decides what people are called: "
                "make sure that your single sign-on sends the same number.",
            )
        case "none":
            return (
                "wrong",
                matching,
                f"{name} has {found.their_shape}, the people here have {found.our_shape or 'other numbers'}. Published "
                "like this, they would be refused or get a second account. Choose another field under Mapping.",
            )
        case "some":
            same = counted(len(found.by_address), "person is", "people are")
            return (
                "warning",
                matching,
                f"{same} here under another Membership No., with the same e-mail address. They would be refused until "
                "one of the two numbers is corrected.",
            )
        case _:
            rest = found.total - found.matching
            new = f" The other {rest:,} would get new accounts." if rest else ""
            return "ok", matching, f"{name} calls people what they are called here.{new}"


def _text(value: str | None) -> str:
    try:
        return clean_identifier(value or "") or ""
    except InvalidValue:
        return ""
