"""The SAML endpoints of each connection: login, ACS, metadata, and the admin's test sign-in."""

from flask import Blueprint, Response, abort, current_app, redirect, render_template, request, url_for
from limits import RateLimitItemPerMinute
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response as BaseResponse

from rgapp.access import public, set_cookie
from rgapp.auth.enforcement import programme_that_asks
from rgapp.auth.principal import staff_of_request
from rgapp.auth.staff import programme_for
from rgapp.auth.throttle import RefusalLimit
from rgapp.auth.users import cookie_name
from rgapp.clock import utcnow
from rgapp.database import reading, writing
from rgapp.extensions import client_network, csrf, db, limiter, sealer
from rgapp.integrations.saml.service_metadata import build_metadata
from rgapp.integrations.saml.settings import InboundSAMLSettings
from rgapp.models import Purpose
from rgapp.redirects import programme_path
from rgapp.security import allow_form_action
from rgapp.sso import context, requests, sign_in
from rgapp.sso.cookies import bind_browser, binding_tokens
from rgapp.sso.refusals import refused_page

bp = Blueprint("sso", __name__, url_prefix="/sso/<public_id>")

STARTS_ALLOWED = RateLimitItemPerMinute(1200)  # A large office behind one address, on launch morning.
TESTS_ALLOWED = "30/minute"
REFUSALS_OF_CONNECTION = RefusalLimit("acs", RateLimitItemPerMinute(120))
REFUSALS_OF_NETWORK = RefusalLimit("acs of all", RateLimitItemPerMinute(600))


@bp.get("/login")
@public
def login(public_id: str) -> BaseResponse:
    """Start a sign-in at the identity provider (SAML profiles 4.1.2)."""
    found = load(public_id)
    take_start(public_id)
    if not found.is_live or found.live is None:
        return refused_page(found.programme, "not_live")
    if not found.live.sp_initiated:
        return refused_page(found.programme, "starts_elsewhere", portal=found.live.idp.sso_url)
    wanted = programme_path(found.programme.slug, request.args.get("next", ""))
    return send_request(found, found.live, Purpose.SIGN_IN, wanted)


@bp.get("/test")
@public
@limiter.limit(TESTS_ALLOWED)
def test_login(public_id: str) -> BaseResponse:
    """Start an admin's test sign-in with the draft; staff of the programme only, for others it is not there."""
    found, staff = load(public_id), staff_of_request()
    programme = programme_for(db.session(), staff, found.programme.slug) if staff is not None else None
    if staff is None or programme is None or not staff.can_change:
        abort(404)
    draft = found.draft(db.session())
    if draft is None or not draft.idp.sso_url or programme_that_asks(db.session(), staff, programme) is not None:
        return redirect(results_url(found))  # That page says what is missing, a second step too.
    return send_request(found, draft, Purpose.TEST, "", staff_id=staff.id)


@bp.post("/acs")
@public
@csrf.exempt
def acs(public_id: str) -> BaseResponse:
    """Take the identity provider's response (Assertion Consumer Service, SAML profiles 4.1.4).

    A network from which too many refused ones came is answered 429. Whoever started the sign-in here, in this
    browser, is let through nevertheless: somebody in the same office, or behind the same proxy, must not be able to
    keep a company out. A good sign-in asks this process's memory and counts nothing.
    """
    with reading():
        found = load(public_id)
    parameter = found.live.parameter_name if found.live else "SAMLResponse"
    names = [name for name, _ in request.form.items(multi=True)]
    # What comes twice is not taken at all: which of the two was checked would depend on the reader.
    clear = names.count(parameter) == 1 and names.count("RelayState") <= 1
    posted = sign_in.PostedResponse(
        saml_response=request.form[parameter] if clear else None,
        relay_state=request.form.get("RelayState", "") if clear else "",
        parameters=names[:20],
        browser_tokens=binding_tokens(),
        user_agent=request.user_agent.string,
    )
    network = client_network()
    here = f"{network} {public_id}"
    blocked = REFUSALS_OF_CONNECTION.is_blocked(here) or REFUSALS_OF_NETWORK.is_blocked(network)
    if blocked and not requests.is_awaited(db.session(), found.integration, posted, now=utcnow()):
        raise TooManyRequests(retry_after=60)
    done = sign_in.finish(db.session(), found, posted, sign_in_settings(), now=utcnow())
    if done.was_test:
        return redirect(results_url(found, done.attempt.reference), 303)
    if done.session_token is None:
        REFUSALS_OF_CONNECTION.note(here)
        REFUSALS_OF_NETWORK.note(network)
        return refused_page(found.programme, done.attempt.reason, done.attempt.reference, done.missing)
    slug = found.programme.slug
    target = programme_path(slug, done.next_path, base_url=current_app.config["BASE_URL"])
    response = redirect(target or url_for("home.index", slug=slug), 303)
    set_cookie(response, cookie_name(slug, https=current_app.config["HTTPS"]), done.session_token)
    return response


@bp.get("/acs")
@public
def acs_opened(public_id: str) -> BaseResponse:
    """Answer somebody who opened the ACS address itself: the sign-in page is what they look for."""
    return redirect(url_for("home.login", slug=load(public_id).programme.slug))


@bp.get("/metadata")
@public
def metadata(public_id: str) -> Response:
    """Publish our metadata for this connection (SAML metadata 2.4.4), from the first draft on."""
    found = load(public_id)
    settings = found.live or found.draft(db.session())
    document = build_metadata(context.metadata_connection(found, settings, base_url(), sealer()))
    return Response(
        document,
        mimetype="application/samlmetadata+xml",
        headers={"Content-Disposition": f'inline; filename="{found.programme.slug}-metadata.xml"'},
    )


def send_request(
    found: context.ConnectionContext,
    settings: InboundSAMLSettings,
    purpose: Purpose,
    next_path: str,
    **options: object,
) -> BaseResponse:
    """Send the browser to the identity provider with a new AuthnRequest, by redirect or by a form."""
    with writing():
        started = requests.start(
            db.session(),
            found.integration,
            found.connection(settings, base_url(), sealer()),
            purpose=purpose,
            next_path=next_path,
            browser_token=next(iter(binding_tokens()), None),
            now=utcnow(),
            **options,  # type: ignore[arg-type]  # Only staff_id is ever passed on.
        )
    if started.request.redirect_url is not None:
        response = redirect(started.request.redirect_url)
    else:
        form = started.request.post_form
        assert form is not None  # noqa: S101 - a request travels in one of two ways.
        allow_form_action(form.action)
        page = render_template("sso/post.html", programme=found.programme, form=form, name=found.integration.name)
        response = Response(page)
    bind_browser(response, started.browser_token)
    return response


def take_start(public_id: str) -> None:
    """Count a start for its network at one connection, so that nobody uses up another company's; 429 for too many.

    Only for a connection that there is: else each name that somebody makes up would begin a counter of its own.
    """
    counted = ("start", client_network(), public_id)
    if limiter.enabled and limiter.count(STARTS_ALLOWED, *counted) > STARTS_ALLOWED.amount:
        raise TooManyRequests(retry_after=60)


def load(public_id: str) -> context.ConnectionContext:
    """Return the connection of this public id, or answer 404."""
    found = context.load(db.session(), public_id)
    if found is None:
        abort(404)
    return found


def results_url(found: context.ConnectionContext, reference: str | None = None) -> str:
    """Return the address of the set-up's Testing page."""
    return url_for(
        "dashboard.saml_testing",
        slug=found.programme.slug,
        integration_id=found.integration.id,
        attempt=reference,
    )


def base_url() -> str:
    """Return our own address."""
    url: str = current_app.config["BASE_URL"]
    return url


def sign_in_settings() -> sign_in.Settings:
    """Return what of the configuration a sign-in needs."""
    return sign_in.Settings(base_url(), sealer(), current_app.config["ATTEMPT_RETENTION_DAYS"])
