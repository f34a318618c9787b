"""What the sources that pull have in common: how a pull is opened, what it may do, and what of its reading counts."""

import hashlib
import json
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar, Final

from rgapp.integrations.pulls import access
from rgapp.integrations.pulls.access import Secrets
from rgapp.integrations.pulls.account import AccountError
from rgapp.integrations.pulls.feed import PullFeed
from rgapp.integrations.pulls.settings import Hold, PullSettings
from rgapp.integrations.pulls.store import PullStore
from rgapp.integrations.sync.feed import Feed, FeedContext, Pulled
from rgapp.models import Integration
from rgapp.provisioning import Policy, Source
from rgapp.provisioning.policy import feed_policy

DIGEST_LENGTH: Final = 16
#: Nobody waits longer for a pull: whoever answers slowly for ever would keep a worker from everything else.
LONGEST_SECONDS: Final = 3 * 3600.0
TOO_SLOW: Final = "The other side answers so slowly that everybody could not be read within three hours."


class PullFeeds(ABC):
    """Opens the pulls of one kind.

    A kind says which `settings` it has, which of them decide `whom` it asks for besides the mapping, and which errors
    are `of_access`: those are kept beside the access, for somebody has to see to it.
    """

    pulls = True
    source: ClassVar[Source]
    settings: ClassVar[type[PullSettings]]
    whom: ClassVar[tuple[str, ...]]
    of_access: ClassVar[frozenset[str]]

    @abstractmethod
    def read(
        self, context: FeedContext, settings: Any, secrets: Secrets | None, store: PullStore
    ) -> tuple[bool, Pulled]:
        """Read everything into the store; returns whether that is everybody, and what the pull says of itself.

        Raises `AccountError`.
        """

    def open(self, context: FeedContext) -> Feed:
        """Open a pull; nobody is asked before it is fetched."""
        settings = self.settings.model_validate(context.settings)

        def pull(store: PullStore) -> tuple[bool, Pulled]:
            return self._pull(context, settings, store)

        return PullFeed(context, settings.mapping.rules, self.fingerprint(context.settings), pull)

    def policy(self, integration: Integration, settings: Mapping[str, Any]) -> Policy:
        """Return what a run may do."""
        chosen = self.settings.model_validate(settings)
        return feed_policy(
            self.source,
            integration_id=integration.id,
            name=integration.live_name or integration.name,
            owns=chosen.provision_master,
            welcome_email=chosen.welcome_email,
        )

    def holds_all(self, settings: Mapping[str, Any]) -> bool:
        """Tell whether a held run holds everything, or its deactivations only."""
        return self.settings.model_validate(settings).hold is Hold.EVERYTHING

    def fingerprint(self, settings: Mapping[str, Any]) -> bytes:
        """Return 16 bytes that identify whom we ask, for whom, and what is read of them."""
        chosen = self.settings.model_validate(settings).model_dump(mode="json", exclude_none=True)
        counted = {name: chosen.get(name) for name in ("mapping", *self.whom)}
        return hashlib.sha256(json.dumps(counted, sort_keys=True).encode()).digest()[:DIGEST_LENGTH]

    def _pull(self, context: FeedContext, settings: PullSettings, store: PullStore) -> tuple[bool, Pulled]:
        """Pull, and note beside the access how it went; no transaction is open while the other side is asked."""
        session, integration = context.session, context.integration
        assert session is not None  # noqa: S101 - runs have one.
        row = access.of_integration(session, integration)
        if row is not None:
            session.refresh(row)  # Somebody may have connected again since this process looked last.
        secrets = access.secrets_of(row, context.sealer)
        session.commit()
        try:
            done = self.read(replace(context, alive=_until(context.alive)), settings, secrets, store)
        except AccountError as error:
            if error.code in self.of_access:
                access.note_bad(session, integration, error, now=context.now)
            session.commit()
            raise
        access.note_good(session, integration, now=context.now)
        session.commit()
        return done


def _until(alive: Callable[[float | None], None]) -> Callable[[float | None], None]:
    """Return `alive`, which ends a pull that takes too long."""
    ends_at = time.monotonic() + LONGEST_SECONDS

    def within(share: float | None) -> None:
        if time.monotonic() > ends_at:
            raise AccountError("too_slow", TOO_SLOW)
        alive(share)

    return within
