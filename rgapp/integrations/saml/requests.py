"""AuthnRequests to the identity provider (core 3.4.1), by redirect or by POST."""

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from lxml import etree
from onelogin.saml2.constants import OneLogin_Saml2_Constants as Names
from onelogin.saml2.utils import OneLogin_Saml2_Utils as Utils

from rgapp.integrations.saml.connection import Binding, Connection
from rgapp.integrations.saml.document import SAML, SAMLP
from rgapp.integrations.saml.redirect import message_url


@dataclass(frozen=True, slots=True)
class PostForm:
    """A form that the browser posts: where to, and its hidden fields."""

    action: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class AuthnRequest:
    """A request ready to be sent: an address to redirect to, or a form to post. Remember the `id`."""

    id: str
    redirect_url: str | None = None
    post_form: PostForm | None = None


def build_authn_request(connection: Connection, *, now: datetime, relay_state: str) -> AuthnRequest:
    """Build an AuthnRequest for the connection's sign-in address; raises ValueError where it has none.

    It asks for no particular way to authenticate (no RequestedAuthnContext): how people prove who they are is
    their company's choice. Signed where `connection.sign_requests`.
    """
    if not connection.sso_url:
        raise ValueError("The connection has no sign-in address.")
    identifier = new_id()
    xml = _authn_request(connection, identifier, now)
    key = connection.service_key if connection.sign_requests else None
    if connection.sign_requests and (key is None or connection.service_certificate is None):
        raise ValueError("The connection has no key to sign requests with.")
    if connection.sso_binding is Binding.REDIRECT:
        url = message_url(connection.sso_url, "SAMLRequest", xml, relay_state=relay_state, signing_key=key)
        return AuthnRequest(identifier, redirect_url=url)
    if key is not None:
        signed = Utils.add_sign(xml, key, connection.service_certificate)
        xml = signed if isinstance(signed, bytes) else signed.encode()
    fields = {"SAMLRequest": base64.b64encode(xml).decode()}
    if relay_state:
        fields["RelayState"] = relay_state
    return AuthnRequest(identifier, post_form=PostForm(connection.sso_url, fields))


def new_id() -> str:
    """Return a new message ID of 192 random bits; an XML ID must not begin with a digit (core 1.3.4)."""
    return f"_{secrets.token_hex(24)}"


def instant(moment: datetime) -> str:
    """Write a moment as SAML wants it: UTC, whole seconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _authn_request(connection: Connection, identifier: str, now: datetime) -> bytes:
    """Return the request's XML, without a signature."""
    request = etree.Element(
        f"{SAMLP}AuthnRequest",
        {
            "ID": identifier,
            "Version": "2.0",
            "IssueInstant": instant(now),
            "Destination": connection.sso_url or "",
            "ProtocolBinding": Names.BINDING_HTTP_POST,
            "AssertionConsumerServiceURL": connection.acs_url,
        },
        nsmap={"samlp": Names.NS_SAMLP, "saml": Names.NS_SAML},
    )
    etree.SubElement(request, f"{SAML}Issuer").text = connection.entity_id
    # "Unspecified" leaves the identifier's form to the provider; AllowCreate lets it make one for a newcomer.
    policy = {"Format": Names.NAMEID_UNSPECIFIED, "AllowCreate": "true"}
    etree.SubElement(request, f"{SAMLP}NameIDPolicy", policy)
    return etree.tostring(request)
