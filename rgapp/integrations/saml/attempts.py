"""Sign-in attempts: what came of one SAML response, kept for the people who have to explain it."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from rgapp.integrations.kept import field_of, identifiers_of, is_missing
from rgapp.integrations.saml.binding import ConfiguredConnection, connection_of
from rgapp.integrations.saml.names import suggest
from rgapp.integrations.saml.reader import read_assertion
from rgapp.integrations.saml.response import examine
from rgapp.integrations.saml.settings import InboundSAMLSettings
from rgapp.integrations.saml.verdict import Check, ExpectedRequest, Mode, UntrustedContents, Verdict
from rgapp.models import Purpose, SignInAttempt
from rgapp.models.base import new_id
from rgapp.models.rows import insert_row
from rgapp.provisioning import FieldReading, Outcome, Policy, Reading, preview, saml_policy
from rgapp.sealing import Sealer
from rgapp.tokens import new_reference

REFUSED = "refused"
# Also of responses that nobody signed, so there is a limit to what they leave behind.
NAMES_KEPT = 100
NAME_LENGTH_KEPT = 200


@dataclass(frozen=True, slots=True)
class StoredAttempt:
    """What the rest of a sign-in needs of the attempt that was stored."""

    reference: str
    accepted: bool
    outcome: str
    reason: str


@dataclass(frozen=True)
class DryRun:
    """A dry run: the attempt that was stored, and what arrived, to be shown once and not kept."""

    attempt: StoredAttempt
    verdict: Verdict
    contents: UntrustedContents | None


def policy_of(integration: ConfiguredConnection, settings: InboundSAMLSettings) -> Policy:
    """Return what sign-ins through this connection may do."""
    return saml_policy(
        integration_id=integration.id,
        name=integration.live_name or integration.name,
        create=settings.jit.create,
        update=settings.jit.update,
        welcome_email=settings.jit.welcome_email,
    )


def dry_run(
    session: Session,
    integration: ConfiguredConnection,
    settings: InboundSAMLSettings,
    raw: str | None,
    *,
    base_url: str,
    sealer: Sealer,
    now: datetime,
    purpose: Purpose,
    retention_days: int,
    request: ExpectedRequest | None = None,
) -> DryRun:
    """Examine a response and say what would come of it: no user, no session, no mail; only the attempt is stored."""
    mode = Mode.PASTED if purpose is Purpose.PASTED else Mode.SIGN_IN
    verdict = examine(raw, connection_of(integration, settings, base_url, sealer), request=request, now=now, mode=mode)
    reading = read_contents(verdict, settings, today=now.date())
    outcome = None
    if verdict.assertion is not None and reading is not None:
        outcome = preview(session, integration.programme_id, reading, policy_of(integration, settings))
    attempt = store_attempt(
        session,
        integration,
        verdict,
        purpose=purpose,
        outcome=outcome,
        reading=reading,
        now=now,
        retention_days=retention_days,
        idp_initiated=request is None and purpose is not Purpose.PASTED,
    )
    return DryRun(attempt, verdict, verdict.seen)


def read_contents(verdict: Verdict, settings: InboundSAMLSettings, *, today: date) -> Reading | None:
    """Read the mapped fields of what arrived, verified or only for display; None where nothing could be read."""
    contents = verdict.assertion or verdict.seen
    return read_assertion(contents, settings, today=today) if contents is not None else None


def store_attempt(
    session: Session,
    integration: ConfiguredConnection,
    verdict: Verdict | None,
    *,
    purpose: Purpose,
    now: datetime,
    retention_days: int,
    outcome: Outcome | None = None,
    reading: Reading | None = None,
    reason: str = "",
    idp_initiated: bool = False,
    user_id: uuid.UUID | None = None,
) -> StoredAttempt:
    """Store one attempt in the caller's transaction: mapped fields, checks and the names of attributes, no more.

    `reason` overrides what verdict and outcome say (`not_live`, `replayed`, …).
    """
    accepted = not reason and outcome is not None and outcome.accepted
    for_signed_in = accepted and purpose is Purpose.SIGN_IN
    arrived = _names(verdict)
    stored = StoredAttempt(
        reference=new_reference(),
        accepted=accepted,
        outcome=str(outcome.kind) if accepted and outcome is not None else REFUSED,
        reason=reason or _reason(verdict, outcome),
    )
    row = {
        "programme_id": integration.programme_id,
        "id": new_id(),
        "integration_id": integration.id,
        "reference": stored.reference,
        "at": now,
        "purpose": purpose,
        "accepted": accepted,
        "outcome": stored.outcome,
        "reason": stored.reason,
        "facts": _facts(outcome, verdict),
        "user_id": user_id or (outcome.user_id if outcome is not None else None),
        "fields": [_field(entry, arrived, for_signed_in) for entry in reading.fields] if reading is not None else [],
        "checks": [_check(check) for check in verdict.checks] if verdict is not None else [],
        "arrived": arrived,
        "idp_initiated": idp_initiated,
        "expires_at": now + timedelta(days=retention_days),
        **identifiers_of(reading),
    }
    insert_row(session, SignInAttempt, row)
    return stored


def _reason(verdict: Verdict | None, outcome: Outcome | None) -> str:
    if verdict is not None and verdict.refusal is not None:
        return f"protocol:{verdict.refusal.code}"
    return str(outcome.refusal) if outcome is not None and outcome.refusal else ""


def _facts(outcome: Outcome | None, verdict: Verdict | None) -> dict[str, Any]:
    facts: dict[str, Any] = {"verified": verdict is not None and verdict.accepted}
    if outcome is not None and outcome.conflict_user_id:
        facts["conflict_user_id"] = str(outcome.conflict_user_id)
    if outcome is not None and outcome.changes:
        facts["changed"] = [change.field.value for change in outcome.changes]
    return facts


def _names(verdict: Verdict | None) -> list[str]:
    contents = (verdict.assertion or verdict.seen) if verdict is not None else None
    names = list(contents.attributes)[:NAMES_KEPT] if contents is not None else []
    return [name[:NAME_LENGTH_KEPT] for name in names]


def _check(check: Check) -> dict[str, Any]:
    return {
        "code": str(check.code),
        "ok": check.ok,
        "expected": check.expected,
        "got": check.got,
        "fixer": str(check.fixer),
        "warning": check.warning,
    }


def _field(entry: FieldReading, arrived: list[str], signed_in: bool) -> dict[str, Any]:
    suggestion = suggest(entry.looked_for, arrived) if is_missing(entry) and entry.looked_for else None
    return field_of(entry, hide_birth=signed_in, suggestion=suggestion)
