"""What Review and publish says of an inbound SAML connection: gaps, what employees notice, certificates that ended."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rgapp.dashboard.kinds import Problem, Review, Warn
from rgapp.integrations.base import SettingsError, SettingsProblem
from rgapp.integrations.registry import kind_of
from rgapp.integrations.saml import setup
from rgapp.integrations.saml.understood import certificate_rows
from rgapp.models import Integration

INITIAL = ("dashboard.saml_initial", "Initial set-up")
MAPPING = ("dashboard.saml_mapping", "Mapping")
STEP_OF = {"mapping": MAPPING, "jit": MAPPING}
EXPIRED = (
    "Sign-in works with it as long as your identity provider signs with it, but it should be replaced. "
    "Ask your IT team for the new one."
)


def review_of(integration: Integration, live: Mapping[str, Any] | None, now: datetime) -> Review:
    """Return what Review and publish shows."""
    certificates = certificate_rows((integration.draft.get("idp") or {}).get("certificates") or (), now)
    return Review(
        problems=problems_of(integration),
        noticed_title="What changes for employees",
        noticed=employee_changes(integration, live),
        warnings=[
            Warn(f"The certificate “{row.name}” has expired", EXPIRED) for row in certificates if row.state == "failed"
        ],
        test_endpoint="dashboard.saml_testing",
        test_promise="it takes a minute and shows what employees would meet",
        untested_risk=f"If they do not, nobody can sign in with {integration.name}; the version before can be "
        "restored under History.",
    )


def problems_of(integration: Integration) -> list[Problem]:
    """Return what stops this draft from being published."""
    idp = [Problem(f"Initial set-up still needs {one}.", *INITIAL) for one in setup.missing_of_idp(integration.draft)]
    mapping = [Problem(f"Mapping still needs {one}.", *MAPPING) for one in setup.missing_of_mapping(integration.draft)]
    if idp or mapping:
        return idp + mapping
    try:
        kind_of(integration.kind).validate(integration.draft)
    except SettingsError as error:
        return _unusable(error.problems)
    return []


def _unusable(problems: Sequence[SettingsProblem]) -> list[Problem]:
    return [Problem(one.message, *STEP_OF.get(one.path.partition(".")[0], INITIAL)) for one in problems]


def employee_changes(integration: Integration, live: Mapping[str, Any] | None) -> list[str]:
    """Say what employees will notice."""
    draft, name = integration.draft, integration.name
    before = live if integration.enabled and live is not None else {}
    shown, was_shown = draft.get("sp_initiated", True), bool(before) and before.get("sp_initiated", True)
    sentences = []
    if shown and not was_shown:
        sentences.append(f"A button “Sign in with {name}” appears on the programme's sign-in page.")
    elif was_shown and not shown:
        sentences.append(f"The button “Sign in with {integration.live_name}” disappears from the sign-in page.")
    elif shown and integration.live_name != name:
        sentences.append(f"The button changes from “Sign in with {integration.live_name}” to “Sign in with {name}”.")
    portal, was_portal = bool(draft.get("idp_initiated")), bool(before.get("idp_initiated"))
    if portal != was_portal:
        verb = "can" if portal else "can no longer"
        sentences.append(f"Employees {verb} start from their company's own portal.")
    jit, old_jit = draft.get("jit") or {}, before.get("jit") or {}
    creates, created = bool(jit.get("create")), bool(isinstance(old_jit, dict) and old_jit.get("create"))
    if creates and not created:
        mail = " and get a welcome e-mail" if jit.get("welcome_email", True) else ""
        sentences.append(f"People without an account get one on their first sign-in{mail}.")
    elif created and not creates:
        sentences.append("People without an account can no longer sign in: their first sign-in creates none.")
    elif not creates and not before:
        sentences.append("Only people who have an account already can sign in; the first sign-in creates none.")
    return sentences or ["Employees see no difference."]
