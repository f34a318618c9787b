"""The result sheet of one attempt: outcome, verdict of each field, protocol checks, and text for the IT team."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import current_app, url_for

from rgapp import wording
from rgapp.dashboard.fields import FIXERS, field_row, fields_as_text
from rgapp.integrations.saml.explain import explain
from rgapp.integrations.saml.verdict import Check, CheckCode, Fixer
from rgapp.models import Integration, Programme, Purpose, SignInAttempt
from rgapp.templating import exact_time

FOUND = frozenset({"ok", "wrong"})
NEEDS_CARE = frozenset({"wrong", "warning"})
REFUSAL_REASONS = frozenset({"no_account", "email_conflict", "membership_conflict", "birth_date_conflict", "leaver"})


@dataclass(frozen=True)
class Sheet:
    """One attempt as a page shows it."""

    attempt: SignInAttempt
    sentence: str
    state: str
    note: str
    fields: list[dict[str, Any]]
    checks: list[dict[str, Any]]
    used: list[str]
    suggestions: dict[str, str]
    for_it: str
    person_url: str | None
    conflict_url: str | None

    @property
    def failed(self) -> list[dict[str, Any]]:
        """Return the checks that need somebody."""
        return [row for row in self.checks if row["state"] in NEEDS_CARE]

    @property
    def passed(self) -> list[dict[str, Any]]:
        """Return the checks that passed or were not made."""
        return [row for row in self.checks if row["state"] not in NEEDS_CARE]

    @property
    def is_test(self) -> bool:
        """Tell whether this was a dry run."""
        return self.attempt.purpose != Purpose.SIGN_IN


def sheet_of(attempt: SignInAttempt, integration: Integration, programme: Programme, urls: Mapping[str, str]) -> Sheet:
    """Put one stored attempt into words."""
    fields = [field_row(entry) for entry in attempt.fields]
    checks = [_check_row(entry) for entry in attempt.checks]
    return Sheet(
        attempt=attempt,
        sentence=sentence_of(attempt),
        state="ok" if attempt.accepted else "refused",
        note=_note(attempt),
        fields=fields,
        checks=checks,
        used=[entry["looked_for"] for entry in attempt.fields if entry["state"] in FOUND],
        suggestions={entry["looked_for"]: entry["suggestion"] for entry in attempt.fields if entry.get("suggestion")},
        for_it=_for_it(attempt, integration, programme, urls, fields, checks),
        person_url=_person_url(programme, attempt.user_id),
        conflict_url=_person_url(programme, attempt.facts.get("conflict_user_id")),
    )


def sentence_of(attempt: SignInAttempt, *, named: bool = True) -> str:
    """Say what came, or would come, of an attempt; without the name where the text leaves the house."""
    return wording.outcome_sentence(
        attempt.outcome,
        attempt.reason,
        attempt.person if named else None,
        dry_run=attempt.purpose != Purpose.SIGN_IN,
        fields=attempt.fields,
    )


def _note(attempt: SignInAttempt) -> str:
    kind, _, code = attempt.reason.partition(":")
    if kind == "protocol":
        found = next((entry for entry in attempt.checks if entry["code"] == code and entry["ok"] is False), None)
        return explain(_check(found)).fix if found else ""
    if attempt.reason in REFUSAL_REASONS or attempt.reason == "fields":
        return wording.refusal_fix(attempt.reason)
    return ""


def _check_row(entry: Mapping[str, Any]) -> dict[str, Any]:
    try:
        words = explain(_check(entry))
        title, expected, got, fix = words.title, words.expected, words.got, words.fix
    except ValueError:
        # Kept by an earlier version that had this check.
        title, expected, got, fix = entry["code"], entry.get("expected", ""), entry.get("got", ""), ""
    state = "wrong" if entry["ok"] is False else "skipped" if entry["ok"] is None else "ok"
    if entry.get("warning"):
        state = "warning"
    needs_care = state in NEEDS_CARE
    return {
        "state": state,
        "what": title,
        "expected": expected or None,
        "got": got or None,
        # An identity provider's own message may name the person, so only its codes leave the house.
        "got_without_names": ": ".join(got.split(": ")[:2]) if entry["code"] == CheckCode.STATUS else got,
        "who_fixes": FIXERS.get(entry["fixer"], entry["fixer"]) if needs_care else None,
        "note": fix or None,
    }


def _check(entry: Mapping[str, Any]) -> Check:
    return Check(
        CheckCode(entry["code"]),
        entry["ok"],
        entry.get("expected", ""),
        entry.get("got", ""),
        Fixer(entry["fixer"]),
        bool(entry.get("warning")),
    )


def _person_url(programme: Programme, user_id: Any) -> str | None:
    if not user_id or "users.person" not in current_app.view_functions:
        return None
    return url_for("users.person", slug=programme.slug, user_id=user_id)


def _for_it(
    attempt: SignInAttempt,
    integration: Integration,
    programme: Programme,
    urls: Mapping[str, str],
    fields: list[dict[str, Any]],
    checks: list[dict[str, Any]],
) -> str:
    """Return plain text for the client's IT team: names of attributes, never a person's data."""
    kind = "Test of a sign-in" if attempt.purpose != Purpose.SIGN_IN else "Sign-in"
    lines = [
        f"{kind} to {programme.name} through “{integration.name}”",
        f"Reference {attempt.reference}, {exact_time(attempt.at, programme.zone)}",
        sentence_of(attempt, named=False),
        "",
        f"Our entityID: {urls['entity_id']}",
        f"Our ACS URL: {urls['acs']}",
    ]
    if failed := [row for row in checks if row["state"] in NEEDS_CARE]:
        lines += ["", "What did not pass:"]
        for row in failed:
            lines.append(f"- {row['what']}: expected {row['expected'] or '-'}; got {row['got_without_names'] or '-'}")
            if row["note"]:
                lines.append(f"  {row['note']}")
    if fields:
        lines += ["", "Fields:", *fields_as_text(fields)]
    if attempt.arrived:
        lines += ["", "Attributes that arrived:", *(f"- {name}" for name in attempt.arrived)]
    return "\n".join(lines)
