"""AuthnRequests to the identity provider (core 3.4.1), by redirect or by POST."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from rgapp.integrations.saml.connection import Connection


@dataclass(frozen=True, slots=True)
class PostForm:
    """A form that the browser posts: where to, and its hidden fields."""

    action: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class AuthnRequest:
    """A request ready to be sent: either an address to redirect to or a form to post. `id` is what to remember."""

    id: str
    redirect_url: str | None = None
    post_form: PostForm | None = None


def build_authn_request(connection: Connection, *, now: datetime, relay_state: str) -> AuthnRequest:
    """Build an AuthnRequest for the connection's sign-in address; raises ValueError where it has none."""
    raise NotImplementedError
