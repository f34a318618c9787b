"""What went wrong, as SCIM says it (RFC 7644 section 3.12): words for clients, and for the admins who read the log."""

import logging
import traceback
from http import HTTPStatus
from typing import Any

from scim2_models import (
    Error,
    InvalidValueException,
    MutabilityException,
    SCIMException,
    UnauthorizedException,
    UniquenessException,
)
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from rgapp.integrations.scim.people import PersonRefused
from rgapp.provisioning import Outcome, ProvisioningConflict, Refusal
from rgapp.tokens import new_reference
from rgapp.wording import FIELD_LABELS, problem_sentence

logger = logging.getLogger(__name__)
#: What says that the database cannot be reached now, or not soon enough; a bulk request does not go on after it.
AWAY = (OperationalError, InterfaceError, PoolTimeout)
#: PostgreSQL's words for "again, please": serialization failure, deadlock.
AGAIN = frozenset({"40001", "40P01"})
CHALLENGE = 'Bearer realm="SCIM"'


class TooManyRequests(SCIMException):
    """Too many refused tokens came from one network."""

    status = 429
    _default_detail = "There were too many requests with a wrong token. Please try again in a minute."


class Unavailable(SCIMException):
    """The request can be repeated a little later."""

    status = 503
    _default_detail = "The service is busy. Please repeat the request in a few seconds."


class SwitchedOff(SCIMException):
    """The integration cannot be used now."""

    status = 403


def unauthorized() -> UnauthorizedException:
    """Return the one answer to every token that opens nothing: why, is nobody's business."""
    return UnauthorizedException(detail=STATUS_WORDS[401])


def scim_error(exception: Exception) -> SCIMException:
    """Return the SCIM error of what was raised; what nobody expected is logged, and shown by its reference only."""
    if isinstance(exception, SCIMException):
        return exception
    if isinstance(exception, PersonRefused):
        return _refused(exception.outcome)
    if isinstance(exception, IntegrityError):
        return UniquenessException(detail="Another request wrote the same person or group at this moment.")
    if isinstance(exception, (ProvisioningConflict, *AWAY)):
        return Unavailable()
    return Unexpected(detail=f"Something went wrong here. Please name the reference {_logged(exception)}.")


class Unexpected(SCIMException):
    """Something nobody expected; the log has it under a reference."""

    status = 500


def is_again(exception: Exception) -> bool:
    """Tell whether the same work may well succeed when it is done once more."""
    if isinstance(exception, IntegrityError):
        return True
    return isinstance(exception, DBAPIError) and getattr(exception.orig, "sqlstate", None) in AGAIN


def error_body(status: int, detail: str, scim_type: str = "") -> dict[str, Any]:
    """Return the body of an error."""
    return Error(status=status, detail=detail, scim_type=scim_type or None).model_dump()


def status_words(status: int) -> str:
    """Return what a status without a reason of its own means, for a client."""
    return STATUS_WORDS.get(status) or HTTPStatus(status).phrase


STATUS_WORDS = {
    400: "The request cannot be read.",
    401: "The bearer token is missing, wrong, expired or revoked.",
    404: "There is no SCIM endpoint at this address.",
    405: "This address does not know this method.",
    413: "The body is too large.",
    429: "There were too many requests. Please try again in a minute.",
    500: "Something went wrong here.",
    503: "The service cannot be reached at the moment. Please repeat the request in a few seconds.",
}


def _refused(outcome: Outcome) -> SCIMException:
    match outcome.refusal:
        case Refusal.MEMBERSHIP_CONFLICT:
            return UniquenessException(detail="The Membership No. belongs to another account of this programme.")
        case Refusal.IDENTITY_CONFLICT:
            return UniquenessException(detail="Another user of this integration who is active has this externalId.")
        case Refusal.EMAIL_CONFLICT:
            return UniquenessException(
                detail="The e-mail address belongs to somebody with another Membership No. in this programme."
            )
        case Refusal.OWNED_FIELDS:
            names = ", ".join(FIELD_LABELS[field] for field in outcome.blocked)
            detail = f"Another directory integration owns these fields of the person: {names}."
            return MutabilityException(detail=detail)
        case Refusal.FIELDS:
            return InvalidValueException(detail=_problems(outcome))
        case _:
            return InvalidValueException(detail="This person cannot be provisioned as the request describes them.")


def _problems(outcome: Outcome) -> str:
    """Say what is wrong with each mandatory field."""
    sentences = []
    for entry in outcome.reading.errors:
        if entry.problem is not None:
            sentence = problem_sentence(entry.field, entry.problem.code, entry.problem.data, entry.looked_for)
            sentences.append(f"{FIELD_LABELS[entry.field].rstrip('.')} ({entry.looked_for}): {sentence}")
    return " ".join(sentences)


def _logged(exception: Exception) -> str:
    reference = new_reference()
    if isinstance(exception, DBAPIError):
        # PostgreSQL names the values in its messages, and they are people's details: only the place is logged.
        place = "".join(traceback.format_tb(exception.__traceback__))
        logger.error("unexpected error %s in SCIM: %s\n%s", reference, type(exception.orig).__name__, place)
    else:
        logger.error("unexpected error %s in SCIM", reference, exc_info=exception)
    return reference
