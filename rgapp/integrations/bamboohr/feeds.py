"""BambooHR as a source of feeds: how its account is opened under what is kept, and how a pull reads it."""

import threading
from collections.abc import Callable
from typing import Any, ClassVar, Final

from sqlalchemy.orm import Session

from rgapp.integrations.bamboohr.api import Bamboo
from rgapp.integrations.bamboohr.calls import APIKey, OAuthAccess
from rgapp.integrations.bamboohr.datasets import PAGE
from rgapp.integrations.bamboohr.errors import BambooError
from rgapp.integrations.bamboohr.reader import Reader
from rgapp.integrations.bamboohr.settings import BambooSettings
from rgapp.integrations.pulls import access
from rgapp.integrations.pulls.access import Secrets
from rgapp.integrations.pulls.feeds import PullFeeds
from rgapp.integrations.pulls.store import PullStore
from rgapp.integrations.sync.feed import FeedContext, Pulled
from rgapp.models import Integration
from rgapp.outbound import Client
from rgapp.provisioning import Source
from rgapp.sealing import Sealer

OF_ACCESS: Final = frozenset(
    {"wrong_key", "no_permission", "revoked", "wrong_client", "expired", "no_such_subdomain", "no_access"}
)


class BambooFeeds(PullFeeds):
    """Opens the pulls of BambooHR integrations; `client` makes what asks for them, a page has `page_size` people."""

    client: ClassVar[Callable[..., Client]] = Client
    page_size: ClassVar[int] = PAGE
    source = Source.BAMBOOHR
    settings = BambooSettings
    whom = ("subdomain", "base_url", "filters")
    of_access = OF_ACCESS

    def read(
        self, context: FeedContext, settings: Any, secrets: Secrets | None, store: PullStore
    ) -> tuple[bool, Pulled]:
        """Read the account.

        Raises `BambooError`.
        """
        assert context.session is not None  # noqa: S101 - asked before.
        allow = context.outbound_allow
        reading = threading.get_ident()

        def alive() -> None:
            """Tell that we are alive, unless it is the thread that only asks for pages."""
            if threading.get_ident() == reading:
                context.alive(None)

        client = self.client(settings.origin, allow=allow, alive=alive)
        try:
            bamboo = opened(
                settings.origin, secrets, context.session, context.integration, sealer=context.sealer, allow=allow,
                client=client,
            )  # fmt: skip
            today = context.now.astimezone(context.programme.zone).date()
            earlier = None if context.wants_full else context.earlier
            reader = Reader(bamboo, settings, context.now, today, earlier, context.alive, context.known, self.page_size)
            return reader.pull(store)
        finally:
            client.close()


def opened(
    origin: str,
    secrets: Secrets | None,
    session: Session,
    integration: Integration,
    *,
    sealer: Sealer,
    allow: frozenset[str],
    client: Client | None = None,
) -> Bamboo:
    """Return an account under the access of an integration; a renewed token is kept, and committed, before its use.

    Raises `BambooError` where there is no access.
    """
    if secrets is None:
        raise BambooError("no_access")
    values = secrets.values
    signed: APIKey | OAuthAccess
    if secrets.method == "api_key":
        signed = APIKey(values["api_key"])
    elif "refresh_token" not in values:
        raise BambooError("no_access")
    else:
        signed = OAuthAccess(values["client_id"], values["client_secret"], values["refresh_token"])

    def renewed(used: str, token: str) -> None:
        session.commit()
        access.renew(session, integration, sealer=sealer, instead_of=used, refresh_token=token)
        session.commit()

    def stored() -> str | None:
        session.commit()
        found = access.secrets_of(access.as_it_is(session, integration), sealer)
        session.commit()
        return found.values.get("refresh_token") if found is not None else None

    return Bamboo(origin, signed, allow=allow, renewed=renewed, stored=stored, client=client)
