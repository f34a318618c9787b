"""Addresses of the parts of Reward Manager, for a programme or for whoever still has to choose one."""

from flask import url_for

from rgapp.models import Programme, SCIMRequest, SignInAttempt

SECTIONS = {
    "integrations": "dashboard.index",
    "users": "users.index",
    "new-user": "users.new",
    "activity": "manager.activity",
    "settings": "manager.settings",
    "mail": "manager.mail",
}
DEFAULT_SECTION = "integrations"


def section_url(section: str, programme: Programme | None) -> str:
    """Return the address of a part for a programme; without one, the page to choose it. Users are listed over all."""
    section = section if section in SECTIONS else DEFAULT_SECTION
    if section == "users" and programme is None:
        return url_for("users.index")
    if programme is None:
        return url_for("manager.programmes", to=None if section == DEFAULT_SECTION else section)
    if section == "users":
        return url_for("users.index", programme=programme.slug)
    return url_for(SECTIONS[section], slug=programme.slug)


def attempt_url(programme: Programme, attempt: SignInAttempt) -> str:
    """Return the address of the page of one sign-in attempt."""
    return url_for(
        "dashboard.attempt",
        slug=programme.slug,
        integration_id=attempt.integration_id,
        reference=attempt.reference,
    )


def request_url(programme: Programme, request: SCIMRequest) -> str:
    """Return the address of the page of one request of a SCIM client."""
    return url_for(
        "dashboard.scim_request",
        slug=programme.slug,
        integration_id=request.integration_id,
        request_id=request.id,
    )
