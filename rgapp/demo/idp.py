"""The demo identity provider: its own process and site, which signs anyone in as one of six employees."""

from dataclasses import asdict, dataclass
from urllib.parse import urlsplit

from flask import Flask, Response, redirect, render_template, request
from jinja2 import StrictUndefined
from werkzeug.wrappers import Response as BaseResponse

from rgapp import config
from rgapp.clock import utcnow
from rgapp.demo import people
from rgapp.demo.responses import (
    ResponseSpec,
    build_response,
    encode,
    idp_metadata,
    logout_response_url,
    parse_authn_request,
    parse_logout_request,
    parse_posted_authn_request,
)
from rgapp.demo.store import DemoStore
from rgapp.integrations.saml.document import DocumentError
from rgapp.integrations.saml.redirect import QueryError

EMAIL_ADDRESS_FORMAT = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"


class NotOurs(Exception):
    """A message that this identity provider does not answer; the text is for the page."""


@dataclass(frozen=True)
class Wanted:
    """Where a response has to go and what it answers; carried by the page on which an employee is chosen."""

    acs_url: str
    audience: str
    request_id: str = ""
    relay_state: str = ""


@dataclass(frozen=True)
class IdentityProvider:
    """What this process is started with: its folder, and the one application it signs people in to."""

    store: DemoStore
    base_url: str

    def checked(self, wanted: Wanted) -> Wanted:
        """Return what was asked for, if it leads to our application.

        Raises `NotOurs` for any other address: nobody gets a signed response from here for somewhere else.
        """
        if not wanted.acs_url.startswith(f"{self.base_url}/sso/") or not wanted.audience:
            raise NotOurs(f"This demo signs people in to {self.base_url} only.")
        return wanted

    def response_for(self, wanted: Wanted, person: people.Employee) -> str:
        """Return the signed response for one employee, as its form field."""
        now = utcnow()
        spec = ResponseSpec(
            issuer=people.IDP_ENTITY_ID,
            audience=wanted.audience,
            acs_url=wanted.acs_url,
            now=now,
            name_id=person.login,
            name_id_format=EMAIL_ADDRESS_FORMAT,
            attributes=person.attributes(),
            in_response_to=wanted.request_id or None,
            sign="both",  # So that each choice of the set-up page can be tried.
        )
        return encode(build_response(spec, *self.store.key_pair(now)))


def create_app() -> Flask:
    """Build the identity provider.

    Raises `ConfigError` unless the demo is switched on, which production refuses.
    """
    instance = config.instance_path()
    settings = config.load(instance)
    if not settings["DEMO"]:
        raise config.ConfigError("The demo identity provider starts only where RGAPP_DEMO=1.")
    app = Flask(__name__, instance_path=str(instance))
    app.config["MAX_CONTENT_LENGTH"] = 256 * 1024
    app.jinja_env.undefined = StrictUndefined
    register(app, IdentityProvider(DemoStore.of(instance), settings["BASE_URL"]))
    return app


def register(app: Flask, provider: IdentityProvider) -> None:
    """Register the pages."""

    @app.get("/")
    def launcher() -> str:
        return _choose("launch", {})

    @app.get("/sso")
    def sso() -> str:
        received = parse_authn_request(request.query_string.decode())
        wanted = Wanted(received.acs_url or "", received.issuer, received.id, received.relay_state)
        return _choose("sign_in", asdict(provider.checked(wanted)))

    @app.post("/sso")
    def sso_by_post() -> str:
        received = parse_posted_authn_request(request.form.get("SAMLRequest", ""), request.form.get("RelayState", ""))
        wanted = Wanted(received.acs_url or "", received.issuer, received.id, received.relay_state)
        return _choose("sign_in", asdict(provider.checked(wanted)))

    @app.post("/sign-in")
    def sign_in() -> str:
        carried = {name: request.form.get(name, "") for name in Wanted.__dataclass_fields__}
        return _send(Wanted(**carried))

    @app.post("/launch")
    def launch() -> str:
        service = provider.store.service()
        if service is None:
            raise NotOurs("The demo is not loaded yet, so there is no app to open.")
        return _send(Wanted(service.acs_url, service.entity_id))

    @app.get("/slo")
    def slo() -> str | BaseResponse:
        if "SAMLRequest" not in request.args:
            return render_template("signed_out.html")
        received = parse_logout_request(request.query_string.decode())
        address = received.issuer.removesuffix("/metadata") + "/sls"
        if not address.startswith(f"{provider.base_url}/sso/"):
            raise NotOurs(f"This demo signs people out of {provider.base_url} only.")
        now = utcnow()
        answer = logout_response_url(
            address=address,
            issuer=people.IDP_ENTITY_ID,
            in_response_to=received.id,
            now=now,
            relay_state=received.relay_state,
            key=provider.store.key_pair(now)[0],
        )
        return redirect(answer)

    @app.get("/metadata")
    def metadata() -> Response:
        certificate = provider.store.key_pair(utcnow())[1]
        document = idp_metadata(
            entity_id=people.IDP_ENTITY_ID,
            sso_url=f"{provider.store.url}/sso",
            slo_url=f"{provider.store.url}/slo",
            certificates=[certificate],
        )
        return Response(document, mimetype="application/samlmetadata+xml")

    @app.get("/healthz")
    def healthz() -> str:
        return "ok\n"

    @app.errorhandler(NotOurs)
    def not_ours(error: NotOurs) -> tuple[str, int]:
        return render_template("refused.html", reason=str(error)), 400

    @app.errorhandler(ValueError)
    @app.errorhandler(QueryError)
    @app.errorhandler(DocumentError)
    def unreadable(_: Exception) -> tuple[str, int]:
        return render_template("refused.html", reason="The app sent a message that could not be read."), 400

    @app.after_request
    def protect(response: Response) -> Response:
        application = "{0.scheme}://{0.netloc}".format(urlsplit(provider.base_url))
        response.headers["Content-Security-Policy"] = (
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; base-uri 'none'; "
            f"frame-ancestors 'none'; form-action 'self' {application}"
        )
        response.headers["Cache-Control"] = "no-store"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    def _choose(action: str, carried: dict[str, str]) -> str:
        return render_template(
            "choose.html",
            action=action,
            carried=carried,
            employees=people.EMPLOYEES,
            attribute_names=people.ATTRIBUTES.values(),
            service=provider.store.service(),
        )

    def _send(wanted: Wanted) -> str:
        person = people.find_employee(request.form.get("employee", ""))
        if person is None:
            raise NotOurs("Choose one of the six employees.")
        fields = {"SAMLResponse": provider.response_for(provider.checked(wanted), person)}
        if wanted.relay_state:
            fields["RelayState"] = wanted.relay_state
        return render_template("post.html", person=person, acs_url=wanted.acs_url, fields=fields)
