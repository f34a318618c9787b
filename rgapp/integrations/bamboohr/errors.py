"""What goes wrong between BambooHR and us, in plain words for the person who has to act."""

from datetime import datetime
from typing import Any, Final

from rgapp.integrations.pulls.account import AccountError
from rgapp.outbound import OutboundError

SENTENCES: Final = {
    "wrong_key": "BambooHR does not accept this API key. Make a new one there, and paste all of it.",
    "no_permission": "BambooHR lets us in, but does not show us {what}. Let the user of this access see it there.",
    "no_such_subdomain": "There is no BambooHR account at {host}. Check the sub-domain for a typing error.",
    "revoked": "The consent was revoked or has run out. Connect again.",
    "wrong_client": "BambooHR does not know this client ID, or the client secret is not its own.",
    "code_used": "BambooHR did not take the code of this consent: it was used before or is too old. Connect again.",
    "expired": "BambooHR no longer accepts our access. Connect again.",
    "later": "BambooHR asks us to wait until {time}. We come back then.",
    "busy": "BambooHR kept asking us to slow down. We come back later.",
    "unavailable": "BambooHR answered with an error of its own (HTTP {status}) again and again.",
    "unreachable": "BambooHR could not be reached at {host}.",
    "timeout": "BambooHR took too long to answer.",
    "tls": "The certificate of {host} could not be verified.",
    "not_bamboohr": "What answers at {host} does not speak as BambooHR does.",
    "too_large": "BambooHR answered with more than we take at once.",
    "private": "{host} leads into a private network, which only the operator can allow.",
    "refused": "BambooHR refused a request (HTTP {status}).",
    "moving": "People kept moving between pages while they were read. We come back later.",
    "no_access": "Nobody has connected this integration with BambooHR yet.",
}


class BambooError(AccountError):
    """BambooHR cannot be read: `code` is a key of `SENTENCES`, `sentence` says it, `data` holds what it needs."""

    def __init__(self, code: str, **data: Any) -> None:
        self.data = data
        told = {"what": "that", "host": "this address", "status": "", "time": ""} | data
        at = data.get("at")
        if isinstance(at, datetime):
            told["time"] = f"{at:%H:%M} UTC"
        super().__init__(code, SENTENCES[code].format_map(told))


def explained(error: OutboundError, host: str) -> BambooError:
    """Return what a failed request means."""
    match error.code:
        case "later":
            return BambooError("later", **error.data)
        case "status":
            status = error.data.get("status")
            return BambooError("busy" if status == 429 else "unavailable", status=status, host=host)
        case "unknown_host" | "bad_address":
            return BambooError("no_such_subdomain", host=host)
        case "needs_https" | "private":
            return BambooError("private", host=host)
        case "bad_header":
            return BambooError("wrong_key")
        case "redirect" | "garbage":
            return BambooError("not_bamboohr", host=host)
        case code:
            return BambooError(code, host=host)
