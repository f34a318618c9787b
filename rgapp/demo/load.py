"""Load the demo with the services that everyone uses; what is there already is left as people changed it."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from rgapp import programmes
from rgapp.audit import Actor, ActorKind
from rgapp.auth import staff as staff_accounts
from rgapp.demo import people
from rgapp.demo.store import DemoStore, Service
from rgapp.integrations import service
from rgapp.integrations.registry import kind_of
from rgapp.integrations.saml.kind import KIND
from rgapp.models import Colour, Integration, IntegrationVersion, Programme, Region, Role, Staff
from rgapp.sealing import Sealer

LOADER = Actor(ActorKind.SYSTEM, "demo")
PROVIDER = "custom"


def load_demo(session: Session, store: DemoStore, *, sealer: Sealer, base_url: str, now: datetime) -> Programme:
    """Create what is missing of the demo; afterwards follow the identity provider's address, nothing else.

    Flushes; the caller commits. Returns the demo programme.
    """
    programme = programmes.find(session, people.PROGRAMME_SLUG)
    if programme is None:
        programme = _create_programme(session, now)
        _create_connection(session, programme, store, sealer, now)
    for person in people.STAFF:
        if staff_accounts.find_staff(session, person.email) is None:
            _create_staff(session, person, programme, store.password(), now)
    for integration in service.list_all(session, programme):
        if _is_ours(integration.draft):
            _follow_address(session, integration, store)
            _tell_launcher(integration, store, base_url)
    session.flush()
    return programme


def _create_programme(session: Session, now: datetime) -> Programme:
    return programmes.create(
        session,
        actor=LOADER,
        now=now,
        slug=people.PROGRAMME_SLUG,
        name=people.PROGRAMME_NAME,
        region=Region.INTERNATIONAL,
        timezone="Europe/London",
        contact_name=people.CONTACT_NAME,
        contact_email=people.CONTACT_EMAIL,
        colour=Colour.TEAL,
    )


def _create_staff(
    session: Session, person: people.DemoStaff, programme: Programme, password: str, now: datetime
) -> Staff:
    granted = [programme] if person.role is Role.ADMIN else []
    staff = staff_accounts.create_staff(
        session,
        email=person.email,
        name=person.name,
        role=person.role,
        programmes=granted,
        actor=LOADER,
        now=now,
    )
    staff_accounts.set_password(session, staff, password, LOADER, now=now)
    return staff


def _create_connection(session: Session, programme: Programme, store: DemoStore, sealer: Sealer, now: datetime) -> None:
    mapping: dict[str, Any] = {field: {"attribute": name} for field, name in people.ATTRIBUTES.items()}
    mapping["date_of_birth"]["format"] = people.DATE_FORMAT
    draft = {
        "idp": {
            "entity_id": people.IDP_ENTITY_ID,
            "sso_binding": "redirect",
            "certificates": [store.key_pair(now)[1]],
            **_addresses(store),
        },
        "signed": "assertion",
        "sp_initiated": True,
        "idp_initiated": True,
        "jit": {"create": True, "update": False, "welcome_email": True},
        "mapping": mapping,
    }
    # Through the schema and back, so that the draft has the form in which the set-up pages save it.
    draft = kind_of(KIND).validate(draft).model_dump(mode="json", exclude_none=True)
    integration = service.create(
        session,
        programme,
        kind=KIND,
        provider=PROVIDER,
        name=people.CONNECTION_NAME,
        sealer=sealer,
        actor=LOADER,
        now=now,
        draft=draft,
    )
    service.publish(session, integration, actor=LOADER, now=now, without_test=True)


def _addresses(store: DemoStore) -> dict[str, str]:
    return {"sso_url": f"{store.url}/sso", "slo_url": f"{store.url}/slo"}


def _is_ours(settings: dict[str, Any]) -> bool:
    """Tell whether settings lead to the demo identity provider, whatever the integration is called by now."""
    return bool(settings.get("idp", {}).get("entity_id") == people.IDP_ENTITY_ID)


def _follow_address(session: Session, integration: Integration, store: DemoStore) -> None:
    """Write the identity provider's present address into the draft and every version.

    A published version never changes otherwise. The port is no decision of anybody, though: it is where the demo's
    process happens to listen on this machine.
    """
    tested = service.is_tested(integration)
    versions = select(IntegrationVersion).where(
        IntegrationVersion.programme_id == integration.programme_id,
        IntegrationVersion.integration_id == integration.id,
    )
    for version in session.scalars(versions):
        version.settings = _moved(version.settings, store)
    integration.draft = _moved(integration.draft, store)
    if tested:
        integration.tested_digest = service.digest(integration.draft)


def _moved(settings: dict[str, Any], store: DemoStore) -> dict[str, Any]:
    """Return settings with today's addresses of the demo identity provider, where they have any."""
    if not _is_ours(settings):
        return settings
    idp = settings["idp"]
    return {**settings, "idp": idp | {name: url for name, url in _addresses(store).items() if name in idp}}


def _tell_launcher(integration: Integration, store: DemoStore, base_url: str) -> None:
    if integration.name == people.CONNECTION_NAME or store.service() is None:
        urls = kind_of(integration.kind).urls(integration, base_url)
        store.keep_service(Service(people.PROGRAMME_NAME, urls["entity_id"], urls["acs"]))
