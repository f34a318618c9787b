"""The page of a refused sign-in: one calm sentence, whom to ask, a reference code, and Try again."""

from flask import Response, render_template, url_for

from rgapp.integrations.saml.explain import employee_sentence
from rgapp.provisioning import Refusal
from rgapp.sso.context import ProgrammeFacts
from rgapp.wording import employee_refusal

OWN_SENTENCES = {
    "not_live": "Sign-in through this button is switched off at the moment.",
    "starts_elsewhere": "Sign-in starts at your company's own portal, not here.",
    "replayed": "This sign-in was finished already. Please start again.",
    "request_unknown": "This sign-in took too long or was finished already. Please start again.",
    "other_browser": "This sign-in was started in another browser or window. Please start again here.",
    "signed_out": "Your company's sign-in service could not sign you out.",
}
RETRY_IS_POINTLESS = frozenset({"not_live", "starts_elsewhere", Refusal.LEAVER})


def refused_page(
    programme: ProgrammeFacts,
    reason: str,
    reference: str | None = None,
    missing: tuple[str, ...] = (),
    *,
    portal: str | None = None,
) -> Response:
    """Return the page with status 403; never a redirect, which could lead into a loop."""
    retry = url_for("home.login", slug=programme.slug)
    page = render_template(
        "sso/refused.html",
        programme=programme,
        sentence=employee_words(reason, missing),
        reference=reference,
        retry_url=None if reason in RETRY_IS_POINTLESS else retry,
        portal_url=portal,
    )
    return Response(page, status=403)


def employee_words(reason: str, missing: tuple[str, ...] = ()) -> str:
    """Return the calm sentence for a stored reason."""
    if reason in OWN_SENTENCES:
        return OWN_SENTENCES[reason]
    kind, _, code = reason.partition(":")
    return employee_sentence(code) if kind == "protocol" else employee_refusal(reason, missing)
