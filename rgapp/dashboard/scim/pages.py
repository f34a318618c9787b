"""SCIM integrations as the dashboard's frame asks for them."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from rgapp.clock import utcnow
from rgapp.dashboard.common import setting_rows
from rgapp.dashboard.kinds import Concern, Part, Review, Step, Usage, Words
from rgapp.dashboard.scim import queries
from rgapp.dashboard.scim.activity import activity_part, alert_words
from rgapp.dashboard.scim.connection import address_of, preset_of
from rgapp.dashboard.scim.handover import handover
from rgapp.dashboard.scim.review import review_of
from rgapp.dashboard.scim.tokens import expiry_concern, token_rows
from rgapp.extensions import db
from rgapp.integrations import service
from rgapp.integrations.mapped import missing_of_mapping
from rgapp.integrations.registry import kind_of
from rgapp.integrations.scim.forms import TokenForm
from rgapp.integrations.scim.identifiers import check
from rgapp.integrations.scim.kind import KIND
from rgapp.integrations.scim.tokens import MOST_LIVE, TokenState
from rgapp.models import Integration, Programme

WORDS = Words(
    use="request",
    chart="Requests from {name}",
    never_used="No requests yet.",
    draft_lead="Changes are saved in a draft. What is live goes on as it is until you publish.",
    off="Switched off: its requests are refused.",
    turn_off="From now on, requests from {name} are refused: nobody is created, updated or taken out by it. {used}"
    "People and their details stay as they are, and leavers in the directory keep their access here. The client "
    "repeats what was refused, or not, as it is built. You can switch it on again at any time.",
    turn_on="Requests from {name} are applied again at once, with version {version} of its settings.",
    turned_off="Its requests are refused until it is on again.",
    off_means="While it is off, its requests are refused and people stay as they are. Settings and history stay.",
    discard="Its settings, its tokens and its log are deleted for good: the client can no longer connect. Nobody is "
    "concerned, because it was never published.",
)


class SCIMPages:
    """The pages of SCIM integrations."""

    key = KIND
    words = WORDS
    first_endpoint = "dashboard.scim_connect"

    def steps(self, integration: Integration) -> Sequence[Step]:
        """Return Connect, Mapping, Testing and Identifier check."""
        now = utcnow()
        has_token = any(row.state is TokenState.LIVE for row in token_rows(integration, now))
        tested = service.is_tested(integration)
        verdict = check(db.session(), integration).verdict
        fits, differs = verdict in {"ok", "nobody"}, verdict in {"some", "none"}
        return (
            Step("connect", "Connect", "dashboard.scim_connect", has_token),
            Step("mapping", "Mapping", "dashboard.scim_mapping", not missing_of_mapping(integration.draft)),
            Step("testing", "Testing", "dashboard.scim_testing", tested),
            Step("identifiers", "Identifier check", "dashboard.scim_identifiers", fits, differs),
        )

    def usage(
        self, session: Session, owner: Programme, ids: Iterable[uuid.UUID], now: datetime
    ) -> Mapping[uuid.UUID, Usage]:
        """Return the requests."""
        return queries.usage(session, owner, ids, now)

    def concerns(
        self, session: Session, owner: Programme, live: Mapping[uuid.UUID, Mapping[str, Any]], now: datetime
    ) -> Mapping[uuid.UUID, Sequence[Concern]]:
        """Return alerts that nobody settled, and tokens that end."""
        found: dict[uuid.UUID, list[Concern]] = {one: [] for one in live}
        if not live:
            return found
        for alert in queries.alerts_of(session, owner.id, live.keys()):
            if alert.integration_id is not None:
                concern = Concern(alert_words(alert), "Look at them", "dashboard.integration", {"show": "left"})
                found[alert.integration_id].append(concern)
        tokens = queries.tokens_of(session, owner.id, live.keys())
        for one, concerns in found.items():
            if sentence := expiry_concern([token for token in tokens if token.integration_id == one], now):
                concerns.append(Concern(sentence, "Issue the next one", "dashboard.tools"))
        return found

    def activity(self, integration: Integration) -> Part:
        """Return the requests, by filter and search."""
        return activity_part(integration)

    def tools(self, integration: Integration) -> Part:
        """Return tokens, the base URL, the identifier check, and text for the client's IT team."""
        now = utcnow()
        live = service.live_settings(db.session(), integration)
        settings = kind_of(KIND).differences(None, live if live is not None else integration.draft, now)
        rows, address = token_rows(integration, now), address_of(integration)
        values = {
            "tokens": rows,
            "token_form": TokenForm(formdata=None),
            "can_issue": sum(row.state is TokenState.LIVE for row in rows) < MOST_LIVE,
            "address": address,
            "preset": preset_of(integration),
            "for_it": handover(preset_of(integration), address, setting_rows(settings)),
        }
        return Part("scim/tools.html", values)

    def review(self, integration: Integration, live: Mapping[str, Any] | None, now: datetime) -> Review:
        """Return gaps, what changes for people, and what to think of first."""
        return review_of(integration, live, now)
