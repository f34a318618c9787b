"""pysaml2's Server as an identity provider: `python pysaml2_idp.py FOLDER`. Whoever asks is signed in at once."""

import json
import sys
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT, entity, saml, xmldsig
from saml2.authn_context import PASSWORDPROTECTEDTRANSPORT
from saml2.config import IdPConfig
from saml2.metadata import entity_descriptor
from saml2.server import Server
from saml2.sigver import pre_encryption_part
from werkzeug import Request, Response

FOLDER = Path(sys.argv[1])
CONFIG = json.loads((FOLDER / "config.json").read_text())
SSO, SLO = f"{CONFIG['url']}/sso", f"{CONFIG['url']}/slo"
AES = {
    "aes128-cbc": ("http://www.w3.org/2001/04/xmlenc#aes128-cbc", "aes-128"),
    "aes256-cbc": ("http://www.w3.org/2001/04/xmlenc#aes256-cbc", "aes-256"),
    "aes256-gcm": ("http://www.w3.org/2009/xmlenc11#aes256-gcm", "aes-256"),
}
_servers: dict[tuple[bytes, bool], Server] = {}


def behaviour() -> dict[str, Any]:
    """Return how to behave now."""
    return json.loads((FOLDER / "behaviour.json").read_text())


def server() -> Server:
    """Return a server that knows the metadata as it is now, the same one until that changes."""
    known, strict = (FOLDER / "service.xml").read_bytes(), bool(behaviour().get("want_signed_requests"))
    if (known, strict) not in _servers:
        _servers[known, strict] = Server(config=configuration(strict))
    return _servers[known, strict]


def configuration(strict: bool) -> IdPConfig:
    """Return pysaml2's configuration; `strict` wants signed requests."""
    service = {
        "endpoints": {
            "single_sign_on_service": [(SSO, BINDING_HTTP_REDIRECT), (SSO, BINDING_HTTP_POST)],
            "single_logout_service": [(SLO, BINDING_HTTP_REDIRECT)],
        },
        "policy": {"default": {"lifetime": {"minutes": 5}}},
        "want_authn_requests_signed": strict,
    }
    return IdPConfig().load(
        {
            "entityid": f"{CONFIG['url']}/metadata",
            "service": {"idp": service},
            "key_file": str(FOLDER / "idp.key"),
            "cert_file": str(FOLDER / "idp.crt"),
            "metadata": {"local": [str(FOLDER / "service.xml")]},
        }
    )


def application(environ: dict[str, Any], start: Any) -> Any:
    """Answer one request."""
    request = Request(environ)
    routes = {"/metadata": metadata, "/sso": sso, "/start": start_here, "/slo": slo, "/leave": leave}
    return routes[request.path](request)(environ, start)


def metadata(_: Request) -> Response:
    """Publish the metadata."""
    strict = bool(behaviour().get("want_signed_requests"))
    return Response(str(entity_descriptor(configuration(strict))), mimetype="text/xml")


def sso(request: Request) -> Response:
    """Take an AuthnRequest and answer it."""
    sent = request.args if request.method == "GET" else request.form
    binding = BINDING_HTTP_REDIRECT if request.method == "GET" else BINDING_HTTP_POST
    signed = {"sigalg": sent.get("SigAlg"), "signature": sent.get("Signature")}
    received = server().parse_authn_request(
        sent["SAMLRequest"], binding, relay_state=sent.get("RelayState"), **(signed if request.method == "GET" else {})
    )
    args = server().response_args(received.message)
    return answer(args["sp_entity_id"], args["in_response_to"], args["destination"], sent.get("RelayState", ""))


def start_here(_: Request) -> Response:
    """Send somebody to the service without having been asked."""
    (service,) = server().metadata.service_providers()
    (place,) = server().metadata.assertion_consumer_service(service, BINDING_HTTP_POST)
    return answer(service, None, place["location"], behaviour().get("relay_state", ""))


def answer(service: str, in_response_to: str | None, destination: str, relay_state: str) -> Response:
    """Post a response to the service."""
    options = behaviour()
    algorithms = {"sign_alg": xmldsig.SIG_RSA_SHA256, "digest_alg": xmldsig.DIGEST_SHA256}
    encrypt = options.get("encrypt")
    use_cipher(encrypt)
    name_id = saml.NameID(format=saml.NAMEID_FORMAT_PERSISTENT, text=options["person"]["employeeNumber"])
    made = server().create_authn_response(
        {name: [value] for name, value in options["person"].items()},
        in_response_to=in_response_to,
        destination=destination,
        sp_entity_id=service,
        name_id=name_id,
        authn={"class_ref": PASSWORDPROTECTEDTRANSPORT, "authn_auth": CONFIG["url"]},
        sign_assertion=options.get("sign", "assertion") in ("assertion", "both"),
        sign_response=options.get("sign", "assertion") in ("response", "both"),
        encrypt_assertion=bool(encrypt),
        encrypt_assertion_self_contained=options.get("self_contained", True),
        **({} if options.get("default_algorithms") else algorithms),
    )
    form = server().apply_binding(BINDING_HTTP_POST, str(made), destination, relay_state, response=True)
    return Response(form["data"], mimetype="text/html")


def use_cipher(name: str | None) -> None:
    """Choose the cipher: pysaml2 takes none but through its template and xmlsec1's session key."""
    backend = server().sec.crypto
    if name in AES:
        algorithm, session_key = AES[name]
        entity.pre_encryption_part = lambda **options: pre_encryption_part(msg_enc=algorithm, **options)
        backend.encrypt_assertion = lambda *args, **options: type(backend).encrypt_assertion(
            backend, *args[:3], key_type=session_key, node_xpath=options.get("node_xpath") or args[4]
        )
    else:
        entity.pre_encryption_part = pre_encryption_part
        backend.__dict__.pop("encrypt_assertion", None)


def slo(request: Request) -> Response:
    """Take a LogoutRequest and answer it, or take the answer to ours."""
    sent = request.args
    signed = {"sigalg": sent.get("SigAlg"), "signature": sent.get("Signature")}
    if "SAMLResponse" in sent:
        server().parse_logout_request_response(sent["SAMLResponse"], BINDING_HTTP_REDIRECT)
        return Response("Signed out everywhere.")
    received = server().parse_logout_request(
        sent["SAMLRequest"], BINDING_HTTP_REDIRECT, relay_state=sent.get("RelayState"), **signed
    )
    made = server().create_logout_response(received.message, [BINDING_HTTP_REDIRECT])
    return redirect(str(made), made.destination, sent.get("RelayState", ""), answer_to=True)


def leave(_: Request) -> Response:
    """Ask the service to sign somebody out."""
    (service,) = server().metadata.service_providers()
    (place,) = server().metadata.single_logout_service(service, BINDING_HTTP_REDIRECT, "spsso")
    person = behaviour()["person"]
    name_id = saml.NameID(format=saml.NAMEID_FORMAT_PERSISTENT, text=person["employeeNumber"])
    _, made = server().create_logout_request(place["location"], service, name_id=name_id)
    return redirect(str(made), place["location"], "back-to-the-portal", answer_to=False)


def redirect(message: str, destination: str, relay_state: str, *, answer_to: bool) -> Response:
    """Send a signed message by redirect."""
    info = server().apply_binding(
        BINDING_HTTP_REDIRECT,
        message,
        destination,
        relay_state,
        response=answer_to,
        sign=True,
        sigalg=xmldsig.SIG_RSA_SHA256,
    )
    return Response(status=302, headers={"Location": dict(info["headers"])["Location"]})


class Quiet(WSGIRequestHandler):
    """Print no line for each request."""

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


if __name__ == "__main__":
    make_server("localhost", CONFIG["port"], application, handler_class=Quiet).serve_forever()
