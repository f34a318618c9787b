"""What the set-up pages show of an inbound SAML connection: settings in words, steps, gaps, and differences."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rgapp.integrations.base import Difference, Notice
from rgapp.integrations.mapped import LABELS
from rgapp.integrations.mapped import missing_of_mapping as missing_of_mapping
from rgapp.integrations.saml.understood import certificate_rows
from rgapp.provisioning.record import Field
from rgapp.provisioning.validation import format_label

SIGNED_WORDS = {
    "response": "The whole response",
    "assertion": "The assertion",
    "either": "The response or the assertion",
}
NOT_SET = "Not given yet"
SOON = 30


def describe(settings: Mapping[str, Any], now: datetime) -> dict[str, str]:
    """Return every setting in words, in the order of the pages; copes with drafts that are not complete."""
    idp, jit = settings.get("idp") or {}, settings.get("jit") or {}
    words = {
        "Identity provider (entityID)": idp.get("entity_id") or NOT_SET,
        "Sign-in address": idp.get("sso_url") or NOT_SET,
        "Request sent by": "POST" if idp.get("sso_binding") == "post" else "Redirect",
        "Sign-out address": idp.get("slo_url") or "None",
        "Answers to a sign-out go to": idp.get("slo_response_url") or "The sign-out address",
        "Signing certificates": _certificates(idp.get("certificates") or (), now),
        "Metadata address": idp.get("metadata_url") or "None",
        "Our requests are signed": _yes(idp.get("want_signed_requests")),
        "Signed by the identity provider": SIGNED_WORDS.get(settings.get("signed", "assertion"), ""),
        "Sign-in starts here": _yes(settings.get("sp_initiated", True)),
        "Sign-in starts at the identity provider": _yes(settings.get("idp_initiated")),
        "Parameter name": settings.get("parameter_name") or "SAMLResponse",
    }
    mapping = settings.get("mapping") or {}
    words |= {LABELS[field]: source_words(mapping.get(field.value)) for field in Field}
    return words | {
        "Just-In-Time provisioning": "Creates an account on the first sign-in" if jit.get("create") else "Off",
        "Update details on sign-in": _yes(jit.get("update")),
        "Welcome e-mail": _yes(jit.get("welcome_email", True)),
    }


def differences(
    before: Mapping[str, Any] | None, after: Mapping[str, Any], now: datetime, names: tuple[str, str] = ("", "")
) -> list[Difference]:
    """Return what differs between two settings, and between two names, in words."""
    old = describe(before, now) if before is not None else {}
    new = describe(after, now)
    found = [Difference("Name", *names)] if before is not None and names[0] != names[1] else []
    return found + [Difference(key, old.get(key, ""), new[key]) for key in new if old.get(key, "") != new[key]]


def missing_of_idp(settings: Mapping[str, Any]) -> list[str]:
    """Return what Initial set-up still lacks, as the ends of "Still needed: …"."""
    idp = settings.get("idp") or {}
    missing = []
    if not idp.get("entity_id"):
        missing.append("the identity provider's entityID")
    if settings.get("sp_initiated", True) and not idp.get("sso_url"):
        missing.append("the sign-in address")
    if not idp.get("certificates"):
        missing.append("a signing certificate")
    if not settings.get("sp_initiated", True) and not settings.get("idp_initiated"):
        missing.append("where sign-in may start")
    return missing


def source_words(source: Mapping[str, Any] | None) -> str:
    """Say where one field comes from."""
    if not source:
        return "Not mapped"
    where = "The NameID" if source.get("name_id") else f"“{source.get('attribute', '')}”"
    return f"{where}, written {format_label(source['format'])}" if source.get("format") else where


def notices(settings: Mapping[str, Any], now: datetime) -> list[Notice]:
    """Return what about live settings needs an admin soon: certificates that end."""
    rows = certificate_rows((settings.get("idp") or {}).get("certificates") or (), now)
    if not rows:
        return []
    last = max(rows, key=lambda row: row.certificate.not_after)
    if last.state == "failed":
        return [Notice("certificate", "The signing certificate has expired.", "Replace the certificate")]
    if last.days_left <= SOON and last.state == "warning":
        return [Notice("certificate", f"The certificate {last.sentence.lower()}.", "Replace the certificate")]
    return []


def _certificates(pems: Any, now: datetime) -> str:
    rows = certificate_rows(pems, now)
    return "; ".join(f"{row.name} ({row.certificate.fingerprint_sha256[:11]}…)" for row in rows) or NOT_SET


def _yes(value: Any) -> str:
    return "Yes" if value else "No"
