"""Words for what provisioning found, chosen at the edge: for admins on pages and in the terminal, and for employees."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from rgapp.provisioning.record import Field, ProblemCode, Refusal
from rgapp.provisioning.validation import format_label

FIELD_LABELS: dict[Field, str] = {
    Field.MEMBERSHIP_NO: "Membership No.",
    Field.EMAIL: "E-mail address",
    Field.FIRST_NAME: "First name",
    Field.LAST_NAME: "Last name",
    Field.DATE_OF_BIRTH: "Date of birth",
}
FIELD_REASONS: dict[Field, str] = {
    Field.MEMBERSHIP_NO: "The main identifier: it tells one person from another and never changes.",
    Field.EMAIL: "The second identifier; the welcome e-mail goes there.",
    Field.FIRST_NAME: "To address the person on screen and in e-mails.",
    Field.LAST_NAME: "To address the person on screen and in e-mails.",
    Field.DATE_OF_BIRTH: "A further check that this is the same person.",
}
MONTHS = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905
)

SETUP, PROVIDER, HR = "setup", "identity_provider", "hr_data"


def long_date(value: date) -> str:
    """Return a date nobody can misread: "3 April 1990"."""
    return f"{value.day} {MONTHS[value.month - 1]} {value.year}"


def problem_sentence(field: Field, code: ProblemCode | str, data: Mapping[str, Any], looked_for: str | None) -> str:
    """Say what is wrong with one field, for an admin."""
    label = FIELD_LABELS[field]
    named = "the NameID" if looked_for == ":NameID" else f"“{looked_for}”"
    date_format = format_label(str(data.get("format", "")))
    sentences = {
        ProblemCode.NOT_MAPPED: f"Nothing is mapped to {label}.",
        ProblemCode.MISSING: f"{named} did not arrive.",
        ProblemCode.EMPTY: f"{named} arrived without a value.",
        ProblemCode.AMBIGUOUS: f"{named} arrived with {data.get('count')} different values, and only one can be right.",
        ProblemCode.TOO_LONG: f"This has {data.get('length')} characters; {label} takes at most {data.get('limit')}.",
        ProblemCode.HIDDEN_CHARACTERS: "This contains invisible control characters.",
        ProblemCode.BAD_CHARACTERS: (
            "A name has letters, spaces, hyphens, dots and apostrophes only"
            + (f"; not {data['characters']}" if data.get("characters") else "")
            + "."
        ),
        ProblemCode.NOT_AN_ADDRESS: "This is not a complete e-mail address.",
        ProblemCode.UNREADABLE_DATE: f"This is not a date in the format {date_format}.",
        ProblemCode.IMPOSSIBLE_DATE: f"There is no such day when this is read as {date_format}.",
        ProblemCode.FUTURE_DATE: f"Read as {date_format}, this day is in the future.",
        ProblemCode.TOO_LONG_AGO: f"Read as {date_format}, this day is before 1900.",
        ProblemCode.OWNED: "A directory integration owns this field.",
    }
    return sentences[ProblemCode(code)]


def form_sentence(field: Field, code: ProblemCode | str, data: Mapping[str, Any]) -> str:
    """Say what is wrong with one field that a person typed into a form."""
    if ProblemCode(code) in {ProblemCode.MISSING, ProblemCode.EMPTY, ProblemCode.NOT_MAPPED}:
        label = FIELD_LABELS[field]
        return f"Enter the {label.rstrip('.') if field is Field.MEMBERSHIP_NO else label.lower()}."
    if ProblemCode(code) in {ProblemCode.UNREADABLE_DATE, ProblemCode.IMPOSSIBLE_DATE}:
        return "Enter a day that exists, with day, month and four-digit year."
    return problem_sentence(field, code, data, None).replace("Read as yyyy-mm-dd, this", "This")


def problem_fixer(code: ProblemCode | str) -> str:
    """Return who can put a field right: `setup`, `identity_provider` or `hr_data`."""
    match ProblemCode(code):
        case ProblemCode.NOT_MAPPED | ProblemCode.OWNED:
            return SETUP
        case ProblemCode.MISSING | ProblemCode.AMBIGUOUS | ProblemCode.UNREADABLE_DATE:
            return PROVIDER
        case _:
            return HR


def problem_fix(field: Field, code: ProblemCode | str, looked_for: str | None, suggestion: str | None) -> str:
    """Say who does what to put a field right."""
    label = FIELD_LABELS[field]
    if suggestion:
        return f"“{suggestion}” did arrive. If that is the {label}, choose it under Mapping."
    match ProblemCode(code):
        case ProblemCode.NOT_MAPPED:
            return f"Under Mapping, choose where the {label} comes from."
        case ProblemCode.OWNED:
            return "Change it in the directory, or switch the directory's ownership off."
        case ProblemCode.MISSING if looked_for == ":NameID":
            return "Your identity provider's administrator has to send a NameID."
        case ProblemCode.MISSING:
            return f"Your identity provider's administrator sends “{looked_for}”, or you change the name under Mapping."
        case ProblemCode.AMBIGUOUS:
            return "Your identity provider's administrator has to send one value."
        case ProblemCode.UNREADABLE_DATE:
            return "Choose the format that really arrives under Mapping, or have the identity provider send this one."
        case _:
            return "HR corrects it in the system that your identity provider reads."


def refusal_title(refusal: Refusal | str) -> str:
    """Say in one sentence why a record was rejected, for an admin; completes "refused because …"."""
    return {
        Refusal.FIELDS: "a mandatory field is missing or cannot be read",
        Refusal.NO_ACCOUNT: "there is no account with this Membership No. and Just-In-Time provisioning is off",
        Refusal.EMAIL_CONFLICT: "the e-mail address belongs to another Membership No.",
        Refusal.MEMBERSHIP_CONFLICT: "the Membership No. belongs to another account",
        Refusal.IDENTITY_CONFLICT: "the directory’s own identifier belongs to another account that is active",
        Refusal.BIRTH_DATE_CONFLICT: "the date of birth differs from the one on file",
        Refusal.LEAVER: "this person is a leaver",
        Refusal.OWNED_FIELDS: "a directory integration owns some of these fields",
    }[Refusal(refusal)]


def refusal_fix(refusal: Refusal | str) -> str:
    """Say who has to do what about a rejected record."""
    return {
        Refusal.FIELDS: "See the fields below: each says who puts it right.",
        Refusal.NO_ACCOUNT: "Create the account under Users, or tick Just-In-Time provisioning and publish.",
        Refusal.EMAIL_CONFLICT: "HR checks which of the two people the address belongs to, and corrects the other one.",
        Refusal.MEMBERSHIP_CONFLICT: "HR checks which of the two people the number belongs to.",
        Refusal.IDENTITY_CONFLICT: "Whoever runs the directory gives each person an identifier of their own.",
        Refusal.BIRTH_DATE_CONFLICT: "HR checks which date is right: the identity provider's or the one on file.",
        Refusal.LEAVER: "If this person is back, reactivate them under Users.",
        Refusal.OWNED_FIELDS: "Change them in the directory, or switch the directory's ownership off.",
    }[Refusal(refusal)]


def employee_refusal(refusal: Refusal | str, missing: tuple[str, ...] = ()) -> str:
    """Say one calm sentence to an employee who was refused; it tells an outsider nothing about anybody."""
    match Refusal(refusal):
        case Refusal.FIELDS if Field.EMAIL in missing and Field.MEMBERSHIP_NO not in missing:
            return "Your company has not sent us your e-mail address, so we cannot open your account yet."
        case Refusal.FIELDS:
            return "Your company has not sent us everything we need, so we cannot open your account yet."
        case Refusal.LEAVER:
            return "Your account is closed, so you cannot sign in here."
        case Refusal.NO_ACCOUNT:
            return "You do not have an account here yet."
        case _:
            return "The details your company sent us do not match our records, so we did not sign you in."


def outcome_sentence(
    outcome: str, reason: str, person: str | None, *, dry_run: bool, fields: Sequence[Mapping[str, Any]] = ()
) -> str:
    """Say what came, or would come, of a sign-in: "Would create an account for Jane Carter (E1001).".

    `fields` are those of the attempt; with them a refusal names the field that is to blame.
    """
    who = person or "this person"
    if outcome == "refused":
        because = blamed(fields) if reason == Refusal.FIELDS else ""
        because = because or _because(reason)
        return ended(f"Would be refused because {because}" if dry_run else f"Refused because {because}")
    verbs = {
        "created": ("Would create an account for {}.", "Created an account for {}."),
        "updated": (
            "Would sign in as {} and update the details.",
            "Signed in as {} and updated the details.",
        ),
        "unchanged": ("Would sign in as {}.", "Signed in as {}."),
    }
    return verbs[outcome][0 if dry_run else 1].format(who)


def ended(words: str) -> str:
    """Return words as a sentence: with one full stop, also after "Membership No."."""
    return words if words.endswith((".", "!", "?")) else f"{words}."


def blamed(fields: Sequence[Mapping[str, Any]]) -> str:
    """Name the mandatory fields that refuse a record: "the e-mail address is missing"."""
    parts = []
    for entry in fields:
        if entry["state"] != "ok" and Field(entry["field"]).mandatory:
            label = FIELD_LABELS[Field(entry["field"])]
            name = label if label.startswith("Membership") else label[0].lower() + label[1:]
            parts.append(f"the {name} {'is missing' if entry['state'] == 'missing' else 'cannot be read'}")
    return " and ".join(parts)


def _because(reason: str) -> str:
    kind, _, code = reason.partition(":")
    if kind == "protocol":
        from rgapp.integrations.saml.explain import because

        return because(code)
    own = {
        "not_live": "this connection is not published, or is switched off",
        "replayed": "this response was used before",
        "request_unknown": "no sign-in that started here is waiting for this answer",
        "other_browser": "the sign-in was started in another browser",
    }
    return own.get(reason) or refusal_title(reason)
