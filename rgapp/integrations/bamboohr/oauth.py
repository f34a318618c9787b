"""OAuth 2.0 with BambooHR: the consent page, codes and refresh tokens (RFC 6749 sections 4.1 and 6).

The description documents the authorization code flow at `/authorize.php` and `/token.php`, without PKCE.
"""

from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from rgapp.integrations.bamboohr.errors import BambooError, explained
from rgapp.integrations.pulls.values import number
from rgapp.outbound import Answer, Client, OutboundError

# What reading people takes: datasets, single records with birthdays, the list of changes, and the names of fields.
SCOPES: Final = (
    "offline_access",
    "public.user",
    "employee",
    "employee_directory",
    "sensitive_employee:protected_info",
    "field",
    "report",
)
# Refusals that say something of the request's form rather than of what it asks for.
OF_FORM: Final = frozenset({"invalid_request", "unsupported_grant_type", ""})


@dataclass(frozen=True)
class Tokens:
    """What a consent or a renewal gives, for `expires_in` seconds; without a new refresh token the old one stays."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_in: int


def authorize_url(
    origin: str, client_id: str, redirect_uri: str, state: str, *, scopes: tuple[str, ...] = SCOPES
) -> str:
    """Return the address of the consent page, to which the browser of an admin is sent."""
    query = {
        "request": "authorize",
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scope": " ".join(scopes),
        "state": state,
    }
    return f"{origin}/authorize.php?{urlencode(query)}"


def exchange(
    origin: str, client_id: str, client_secret: str, code: str, redirect_uri: str, *, allow: frozenset[str]
) -> Tokens:
    """Exchange the code of a consent for tokens.

    Raises `BambooError`.
    """
    client = Client(origin, allow=allow, tries=1)
    try:
        given = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        return _tokens(client, origin, client_id, client_secret, given, "code_used")
    finally:
        client.close()


def renew(client: Client, origin: str, client_id: str, client_secret: str, refresh_token: str) -> Tokens:
    """Renew the access with a refresh token; the answer may bring another one, which replaces it.

    Raises `BambooError`.
    """
    given = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    return _tokens(client, origin, client_id, client_secret, given, "revoked")


def _tokens(
    client: Client, origin: str, client_id: str, client_secret: str, given: dict[str, str], invalid: str
) -> Tokens:
    host = urlsplit(origin).netloc
    form = given | {"client_id": client_id, "client_secret": client_secret}
    before = client.headers.pop("Authorization", None)
    try:
        answer = client.post_form("/token.php", form, {"request": "token"})
        if answer.status in {400, 415, 422} and _refusal(answer) in OF_FORM:
            answer = client.post("/token.php", form, {"request": "token"})
    except OutboundError as error:
        raise explained(error, host) from error
    finally:
        if before is not None:
            client.headers["Authorization"] = before
    refusal = _refusal(answer)
    if answer.status == 404:
        raise BambooError("no_such_subdomain", host=host)
    if refusal == "invalid_client" or (answer.status == 401 and refusal != "invalid_grant"):
        raise BambooError("wrong_client")
    if answer.status >= 400:
        raise BambooError(invalid)
    data: Any = answer.data if isinstance(answer.data, dict) else {}
    access, refresh, seconds = data.get("access_token"), data.get("refresh_token"), number(data.get("expires_in"))
    if not isinstance(access, str) or not access or not access.isascii() or not access.isprintable():
        raise BambooError("not_bamboohr", host=host)
    kept = refresh if isinstance(refresh, str) and refresh else None
    return Tokens(access, kept, 3600 if seconds is None else seconds)


def _refusal(answer: Answer) -> str:
    found = answer.data.get("error") if isinstance(answer.data, dict) else None
    return found if isinstance(found, str) else ""
