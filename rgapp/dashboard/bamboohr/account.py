"""BambooHR as the set-up asks it: opened with the draft's address and what is kept, with the patience of a page."""

from typing import Final

from flask import current_app

from rgapp.dashboard.pulls.asking import SECONDS, TRIES, patience
from rgapp.dashboard.pulls.sources import PullSource
from rgapp.database import writing
from rgapp.extensions import db, sealer
from rgapp.integrations.bamboohr.api import Bamboo
from rgapp.integrations.bamboohr.calls import APIKey, OAuthAccess
from rgapp.integrations.bamboohr.declared import API_KEY
from rgapp.integrations.bamboohr.kind import KIND
from rgapp.integrations.pulls import access
from rgapp.integrations.pulls.access import Secrets
from rgapp.integrations.pulls.account import AccountError
from rgapp.models import Integration
from rgapp.outbound import Client

#: The fields of BambooHR that are offered first.
USUAL: Final = (
    "employeeNumber", "id", "workEmail", "homeEmail", "firstName", "preferredName", "lastName", "dateOfBirth",
)  # fmt: skip


def kept(integration: Integration) -> Secrets | None:
    """Return what lets us in, None where nothing is kept."""
    return access.secrets_of(access.of_integration(db.session(), integration), sealer())


def origin_of_draft(integration: Integration) -> str:
    """Return where the draft's BambooHR is.

    Raises `AccountError` where the draft does not say.
    """
    draft = integration.draft
    if not draft.get("subdomain"):
        raise AccountError("not_connected", "Say first which BambooHR is meant, and how we get in.")
    return str(draft.get("base_url") or f"https://{draft['subdomain']}.bamboohr.com").rstrip("/")


def bamboo_of(integration: Integration) -> Bamboo:
    """Return the account, opened as the draft says.

    Raises `AccountError` where nothing opens it.
    """
    found, origin, allow = kept(integration), origin_of_draft(integration), current_app.config["OUTBOUND_ALLOW"]
    if found is None:
        raise AccountError("not_connected", "Nothing lets us in yet: give an API key, or your consent.")
    client = Client(origin, allow=allow, seconds=SECONDS, tries=TRIES, alive=patience())
    if found.method == API_KEY:
        return Bamboo(origin, APIKey(found.values["api_key"]), allow=allow, client=client)
    if "refresh_token" not in found.values:
        raise AccountError("not_connected", "The consent is still missing: go to BambooHR and allow it.")
    consent = OAuthAccess(found.values["client_id"], found.values["client_secret"], found.values["refresh_token"])

    def renewed(used: str, token: str) -> None:
        with writing():
            access.renew(db.session(), integration, sealer=sealer(), instead_of=used, refresh_token=token)

    def stored() -> str | None:
        now_kept = access.secrets_of(access.as_it_is(db.session(), integration), sealer())
        return now_kept.values.get("refresh_token") if now_kept is not None else None

    return Bamboo(origin, consent, allow=allow, renewed=renewed, stored=stored, client=client)


SOURCE: Final = PullSource(
    key=KIND,
    other="BambooHR",
    connect="bamboohr_connect",
    after_mapping="bamboohr_who",
    usual=USUAL,
    never_mapped="Status, hire date and termination date are read in any case: they say who is there, from which day "
    "and until which.",
    open=bamboo_of,
)
