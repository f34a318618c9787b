"""Inbound SAML connections as the dashboard's frame asks for them."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from flask import url_for
from sqlalchemy.orm import Session

from rgapp.clock import utcnow
from rgapp.dashboard.common import base_url, programme
from rgapp.dashboard.kinds import Concern, Part, Review, Step, Usage, Words
from rgapp.dashboard.saml import queries
from rgapp.dashboard.saml.activity import activity_part
from rgapp.dashboard.saml.review import review_of
from rgapp.extensions import db
from rgapp.integrations import service
from rgapp.integrations.registry import kind_of
from rgapp.integrations.saml import setup
from rgapp.integrations.saml.kind import KIND, service_urls
from rgapp.integrations.saml.understood import certificate_rows
from rgapp.models import Integration, Programme

WORDS = Words(
    use="sign-in",
    chart="Sign-ins with {name}",
    never_used="No sign-ins yet.",
    draft_lead="Changes are saved in a draft. Employees notice nothing until you publish it.",
    off="Switched off: nobody can sign in with it.",
    turn_off="From now on nobody can sign in with {name}, and its button disappears from the sign-in page. {used}"
    "People who are signed in stay signed in. You can switch it on again at any time.",
    turn_on="Employees can sign in with {name} again at once, with version {version} of its settings.",
    turned_off="Nobody can sign in with it until it is on again.",
    off_means="Nobody can sign in with it while it is off. Settings and history stay.",
    discard="Its settings and tests are deleted for good, and its entityID and ACS URL stop working. "
    "No employee is concerned, because it was never published.",
)


class SAMLPages:
    """The pages of inbound SAML connections."""

    key = KIND
    words = WORDS
    first_endpoint = "dashboard.saml_initial"

    def steps(self, integration: Integration) -> Sequence[Step]:
        """Return Initial set-up, Mapping and Testing."""
        draft = integration.draft
        return (
            Step("initial", "Initial set-up", "dashboard.saml_initial", not setup.missing_of_idp(draft)),
            Step("mapping", "Mapping", "dashboard.saml_mapping", not setup.missing_of_mapping(draft)),
            Step("testing", "Testing", "dashboard.saml_testing", service.is_tested(integration)),
        )

    def usage(
        self, session: Session, owner: Programme, ids: Iterable[uuid.UUID], now: datetime
    ) -> Mapping[uuid.UUID, Usage]:
        """Return the sign-ins."""
        return queries.sign_ins(session, owner, ids, now)

    def concerns(
        self, session: Session, owner: Programme, live: Mapping[uuid.UUID, Mapping[str, Any]], now: datetime
    ) -> Mapping[uuid.UUID, Sequence[Concern]]:
        """Return certificates that end."""
        kind = kind_of(KIND)
        return {
            one: [
                Concern(notice.sentence, notice.action, "dashboard.saml_initial")
                for notice in kind.notices(settings, now)
            ]
            for one, settings in live.items()
        }

    def activity(self, integration: Integration) -> Part:
        """Return the attempts, by filter and search."""
        return activity_part(integration)

    def tools(self, integration: Integration) -> Part:
        """Return certificates with their end, our addresses, and how to link deep into the programme's site."""
        live = service.live_settings(db.session(), integration)
        urls = service_urls(integration.public_id, base_url())
        settings = live if live is not None else integration.draft
        details = url_for("home.details", slug=programme().slug)
        values = {
            "urls": urls,
            "is_draft": live is None,
            "certificates": certificate_rows((settings.get("idp") or {}).get("certificates") or (), utcnow()),
            "settings": settings,
            "deep_link": f"{urls['login']}?next={details}",
            "relay_state": f"{base_url()}{details}",
        }
        return Part("saml/tools.html", values)

    def review(self, integration: Integration, live: Mapping[str, Any] | None, now: datetime) -> Review:
        """Return gaps, what employees notice, and certificates that ended."""
        return review_of(integration, live, now)
