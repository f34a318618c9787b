"""SFTP integrations as the dashboard's frame asks for them."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from rgapp.clock import utcnow
from rgapp.dashboard.common import setting_rows
from rgapp.dashboard.feeds import health
from rgapp.dashboard.feeds.activity import activity_part
from rgapp.dashboard.kinds import Concern, Part, Review, Step, Usage, Words
from rgapp.dashboard.sftp.account import access_values, has_access
from rgapp.dashboard.sftp.handover import handover
from rgapp.dashboard.sftp.review import review_of
from rgapp.extensions import db
from rgapp.integrations import service
from rgapp.integrations.registry import kind_of
from rgapp.integrations.sftp.kind import KIND
from rgapp.models import Integration, Programme

WORDS = Words(
    use="row",
    chart="Rows from {name}",
    never_used="No file yet.",
    draft_lead="Changes are saved in a draft. What is live goes on as it is until you publish.",
    off="Switched off: nobody can sign in to upload, and files wait.",
    turn_off="From now on, nobody can upload files for {name}, and those that have come wait: nobody is created, "
    "updated or taken out by them. {used}People and their details stay as they are, and leavers keep their access "
    "here. You can switch it on again at any time.",
    turn_on="Files can be uploaded again at once, and those that wait are applied in their order, with version "
    "{version} of the settings.",
    turned_off="Nobody can upload until it is on again, and files wait.",
    off_means="While it is off, nobody can upload and people stay as they are. Settings and history stay.",
    discard="Its settings, its account and its keys are deleted for good: the client can no longer sign in. Nobody is "
    "concerned, because it was never published.",
)


class SFTPPages:
    """The pages of SFTP integrations."""

    key = KIND
    words = WORDS
    first_endpoint = "dashboard.sftp_account"

    def steps(self, integration: Integration) -> Sequence[Step]:
        """Return Account, Example file and Preview."""
        complete = not kind_of(KIND).missing(integration.draft)
        return (
            Step("account", "Account", "dashboard.sftp_account", has_access(integration)),
            Step("example", "Example file", "dashboard.sftp_example", complete),
            Step("preview", "Preview", "dashboard.sftp_preview", service.is_tested(integration)),
        )

    def usage(
        self, session: Session, owner: Programme, ids: Iterable[uuid.UUID], now: datetime
    ) -> Mapping[uuid.UUID, Usage]:
        """Return rows by day, and the last file."""
        return health.usage(session, owner, ids, now)

    def concerns(
        self, session: Session, owner: Programme, live: Mapping[uuid.UUID, Mapping[str, Any]], now: datetime
    ) -> Mapping[uuid.UUID, Sequence[Concern]]:
        """Return held and failed files, files that are overdue, and settings by which nobody ever leaves."""
        found = health.concerns(session, owner, live.keys(), now)
        for one, settings in live.items():
            for notice in kind_of(KIND).notices(settings, now):
                found[one].append(Concern(notice.sentence, notice.action, "dashboard.sftp_example"))
        return found

    def activity(self, integration: Integration) -> Part:
        """Return the runs."""
        return activity_part(integration)

    def tools(self, integration: Integration) -> Part:
        """Return the account, what opens it, and text for the IT team."""
        live = service.live_settings(db.session(), integration)
        settings = kind_of(KIND).differences(None, live if live is not None else integration.draft, utcnow())
        values = access_values(integration)
        account = values["account"]
        username = account.username if account is not None else ""
        for_it = handover(values["server"], username, setting_rows(settings), values["limits"])
        return Part("sftp/tools.html", values | {"for_it": for_it})

    def review(self, integration: Integration, live: Mapping[str, Any] | None, now: datetime) -> Review:
        """Return gaps, what changes for people, and what to think of first."""
        return review_of(integration, live, now)
