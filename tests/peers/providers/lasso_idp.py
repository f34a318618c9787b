"""Lasso as an identity provider: `python3 lasso_idp.py FOLDER`, with the system's Python. Whoever asks is signed in."""

import html
import json
import sys
import traceback
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import lasso

FOLDER = Path(sys.argv[1])
CONFIG = json.loads((FOLDER / "config.json").read_text())
METADATA = """<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{url}/metadata">
<IDPSSODescriptor WantAuthnRequestsSigned="{strict}" protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
<KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data>
<X509Certificate>{certificate}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>
<SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="{url}/slo"/>
<SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="{url}/sso"/>
<SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="{url}/sso"/>
</IDPSSODescriptor></EntityDescriptor>"""
METHODS = {
    "rsa-sha1": lasso.SIGNATURE_METHOD_RSA_SHA1,
    "rsa-sha256": lasso.SIGNATURE_METHOD_RSA_SHA256,
    "rsa-sha384": lasso.SIGNATURE_METHOD_RSA_SHA384,
    "rsa-sha512": lasso.SIGNATURE_METHOD_RSA_SHA512,
}
CIPHERS = {
    "default": lasso.ENCRYPTION_SYM_KEY_TYPE_DEFAULT,
    "3des": lasso.ENCRYPTION_SYM_KEY_TYPE_3DES,
    "aes128": lasso.ENCRYPTION_SYM_KEY_TYPE_AES_128,
    "aes256": lasso.ENCRYPTION_SYM_KEY_TYPE_AES_256,
}
HINTS = {"assertion": lasso.PROFILE_SIGNATURE_HINT_FORBID, "both": lasso.PROFILE_SIGNATURE_HINT_FORCE}
sessions = {}


def behaviour():
    """Return how to behave now."""
    return json.loads((FOLDER / "behaviour.json").read_text())


def own_metadata():
    """Return the identity provider's metadata."""
    body = "".join((FOLDER / "idp.crt").read_text().strip().splitlines()[1:-1])
    strict = str(bool(behaviour().get("want_signed_requests"))).lower()
    return METADATA.format(url=CONFIG["url"], certificate=body, strict=strict)


def server():
    """Return Lasso's server with the metadata of both sides as they are now."""
    options = behaviour()
    (FOLDER / "own.xml").write_text(own_metadata())
    made = lasso.Server(str(FOLDER / "own.xml"), str(FOLDER / "idp.key"), None, str(FOLDER / "idp.crt"))
    made.signatureMethod = METHODS[options.get("method", "rsa-sha256")]
    made.addProvider(lasso.PROVIDER_ROLE_SP, str(FOLDER / "service.xml"))
    if options.get("encrypt"):
        service = made.getProvider(next(iter(made.providerIds)))
        modes = {"name id": lasso.ENCRYPTION_MODE_NAMEID}
        service.setEncryptionMode(modes.get(options.get("encrypt_what"), lasso.ENCRYPTION_MODE_ASSERTION))
        service.setEncryptionSymKeyType(CIPHERS[options["encrypt"]])
        service.setKeyEncryptionMethod(
            lasso.KEY_ENCRYPTION_METHOD_PKCS1
            if options.get("key_transport") == "rsa-1.5"
            else lasso.KEY_ENCRYPTION_METHOD_OAEP
        )
    return made


def answer(query, body):
    """Take an AuthnRequest, or none, and return the page that posts the response."""
    login = lasso.Login(server())
    options = behaviour()
    login.setSignatureHint(HINTS.get(options.get("sign"), lasso.PROFILE_SIGNATURE_HINT_MAYBE))
    if not query and not body:
        login.initIdpInitiatedAuthnRequest(next(iter(login.server.providerIds)))
        login.request.protocolBinding = lasso.SAML2_METADATA_BINDING_POST
        login.request.nameIdPolicy.format = lasso.SAML2_NAME_IDENTIFIER_FORMAT_PERSISTENT
        login.request.nameIdPolicy.allowCreate = True
        login.processAuthnRequestMsg(None)
        login.msgRelayState = options.get("relay_state") or None
    elif body:
        sent = parse_qs(body)
        login.processAuthnRequestMsg(sent["SAMLRequest"][0])
        login.msgRelayState = sent.get("RelayState", [""])[0]
    else:
        login.processAuthnRequestMsg(query)
    login.validateRequestMsg(True, True)
    say_who(login, options["person"])
    login.buildAuthnResponseMsg()
    sessions["one"] = login.session.dump()
    fields = {"SAMLResponse": login.msgBody}
    if login.msgRelayState:
        fields["RelayState"] = login.msgRelayState
    inputs = "".join(f'<input type="hidden" name="{n}" value="{html.escape(v)}">' for n, v in fields.items())
    return f'<html><body><form method="post" action="{html.escape(login.msgUrl)}">{inputs}</form></body></html>'


def say_who(login, person):
    """Build the assertion: who it is, and the attributes."""
    now = datetime.now(UTC)
    times = [moment.strftime("%Y-%m-%dT%H:%M:%SZ") for moment in (now, now, now - timedelta(minutes=1))]
    end = (now + timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
    login.buildAssertion(lasso.SAML2_AUTHN_CONTEXT_PASSWORD_PROTECTED_TRANSPORT, *times, end)
    if login.assertion.subject.nameId is not None:  # It is not there where it was encrypted already.
        login.assertion.subject.nameId.content = person["employeeNumber"]
    statement = lasso.Saml2AttributeStatement()
    attributes = []
    for name, text in person.items():
        attribute, value = lasso.Saml2Attribute(), lasso.Saml2AttributeValue()
        attribute.name, attribute.nameFormat = name, lasso.SAML2_ATTRIBUTE_NAME_FORMAT_BASIC
        value.any = (lasso.MiscTextNode.newWithString(text),)
        value.any[0].textChild = True
        attribute.attributeValue = (value,)
        attributes.append(attribute)
    statement.attribute = tuple(attributes)
    login.assertion.attributeStatement = (statement,)


def logout(query):
    """Take a LogoutRequest and answer it, or the answer to ours; returns where to go, or None."""
    made = lasso.Logout(server())
    if "SAMLResponse=" in query:
        made.setSessionFromDump(sessions["one"])
        made.processResponseMsg(query)
        return None
    made.processRequestMsg(query)
    made.setSessionFromDump(sessions["one"])
    made.validateRequest()
    made.buildResponseMsg()
    return made.msgUrl


def leave():
    """Return the address with our LogoutRequest."""
    made = lasso.Logout(server())
    made.setSessionFromDump(sessions["one"])
    made.initRequest(None, lasso.HTTP_METHOD_REDIRECT)
    made.buildRequestMsg()
    return made.msgUrl


class Handler(BaseHTTPRequestHandler):
    """The routes."""

    def do_GET(self):
        """Answer a GET."""
        parts = urlsplit(self.path)
        if parts.path == "/metadata":
            self._page(own_metadata())
        elif parts.path in ("/sso", "/start"):
            self._page(answer(parts.query, ""))
        else:
            to = leave() if parts.path == "/leave" else logout(parts.query)
            self._page("Signed out everywhere.", to)

    def do_POST(self):
        """Answer a POST."""
        self._page(answer("", self.rfile.read(int(self.headers["Content-Length"])).decode()))

    def handle_one_request(self):
        """Answer 500 where anything raises."""
        try:
            super().handle_one_request()
        except Exception:
            traceback.print_exc()
            self.send_error(500)

    def _page(self, text, location=None):
        self.send_response(302 if location else 200)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        """Say nothing."""


HTTPServer(("localhost", CONFIG["port"]), Handler).serve_forever()
