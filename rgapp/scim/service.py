"""The SCIM protocol of one integration: scim2-server's steps, with our answers where clients need others."""

from collections.abc import Mapping
from functools import lru_cache
from http import HTTPStatus
from typing import Any, TypeVar

from pydantic import ValidationError
from scim2_models import (
    BaseModel,
    Context,
    Error,
    InvalidValueException,
    MutabilityException,
    PatchOp,
    Resource,
    ResourceType,
    ResponseParameters,
    SCIMException,
    SearchRequest,
)
from scim2_server.conditions import Conditions
from scim2_server.requests import ScimRequest
from scim2_server.responses import ScimResponse
from scim2_server.routing import Operation, Target
from scim2_server.service import ScimService

from rgapp.integrations.scim.schemas import provider_for
from rgapp.scim import bodies
from rgapp.scim.bodies import Body
from rgapp.scim.cost import check_cost
from rgapp.scim.documents import located
from rgapp.scim.errors import AWAY, CHALLENGE, scim_error
from rgapp.scim.filters import check_length

#: A real client names at most each attribute once.
MOST_NAMES = 100
LONGEST_SORT = 500
RESOURCES = frozenset({"Users", "Groups"})
USUAL = {
    ("GET", 1): Operation.search,
    ("POST", 1): Operation.create,
    ("GET", 2): Operation.query,
    ("PUT", 2): Operation.replace,
    ("PATCH", 2): Operation.patch,
    ("DELETE", 2): Operation.delete,
}
ModelT = TypeVar("ModelT", bound=BaseModel)


@lru_cache(maxsize=200)
def service_for(needed: frozenset[str], secret: str) -> "Service":
    """Return the service for a mapping that needs these attributes; made once in a process."""
    return Service(provider_for(needed), secret=secret)


class Service(ScimService):
    """What is the same for all requests of integrations with the same mapping; it holds nothing of any request."""

    @staticmethod
    def match(request: ScimRequest) -> Target:
        """Return what a request asks for; the usual addresses without trying all the others first."""
        segments = request.path.strip("/").split("/")
        if segments[0] in RESOURCES and len(segments) <= 2 and segments[-1] != ".search":
            operation = USUAL.get((request.method, len(segments)))
            if operation is not None:
                return Target(operation, segments[0], segments[1] if len(segments) == 2 else None)
        return ScimService.match(request)

    # -- Bodies and queries ----------------------------------------------

    def read_body(self, model: type[ModelT], body: bytes, content_type: str | None, scim_ctx: Context) -> ModelT:
        """Validate a body that was decoded already."""
        self.ensure_json(content_type)
        document = self.decode_body(body, content_type)
        try:
            return model.model_validate(document, scim_ctx=scim_ctx)
        except ValidationError as error:
            raise SCIMException.from_error(readable(error)) from error
        except RecursionError as error:
            raise InvalidValueException(detail="The body is nested too deeply.") from error

    def decode_body(self, body: bytes, content_type: str | None) -> Any:
        """Return the JSON of a body."""
        self.ensure_json(content_type)
        return body.document if isinstance(body, Body) else bodies.decode(body)

    def read_search(self, resource_types: list[ResourceType], payload: Any) -> tuple[SearchRequest[Any], Any]:
        """Validate a search, once it is small enough to be looked at."""
        if isinstance(payload, dict):
            for name, value in payload.items():
                check_parameter(name, value)
        return super().read_search(resource_types, payload)

    def read_response_parameters(
        self, resource_type: ResourceType, query: Mapping[str, str]
    ) -> ResponseParameters[Any]:
        """Read `attributes` and `excludedAttributes`."""
        for name, value in query.items():
            check_parameter(name, value)
        return super().read_response_parameters(resource_type, query)

    def apply_replacement(
        self, current: Resource[Any], replacement: Any, conditions: Conditions
    ) -> Resource[Any] | None:
        """Apply a PUT; whoever says nothing of `active` leaves it as it is."""
        if "active" in type(replacement).model_fields and replacement.active is None:
            replacement.active = current.active  # type: ignore[attr-defined]  # Users have it.
        return super().apply_replacement(current, replacement, conditions)

    def apply_patch(
        self, current: Resource[Any], patch_op: "PatchOp[Any]", conditions: Conditions
    ) -> Resource[Any] | None:
        """Apply a PATCH; `active` can be set but not be taken away, for an account is open or it is not.

        Raises `InvalidValueException` where it would take long, or an attribute has too many values after it, members
        apart.
        """
        check_cost(current, patch_op)
        changed: Any = super().apply_patch(current, patch_op, conditions)
        if changed is not None and "active" in type(changed).model_fields and changed.active is None:
            raise MutabilityException(detail="'active' cannot be removed. Set it to false for somebody who leaves.")
        if changed is not None:
            _check_values(changed)
        return changed  # type: ignore[no-any-return]  # It is the resource, or None.

    # -- Responses ---------------------------------------------------------

    def shown(
        self,
        base_url: str,
        document: dict[str, Any],
        parameters: ResponseParameters[Any] | None = None,
    ) -> dict[str, Any]:
        """Return a stored document as the response has it: with addresses, and what `attributes` asks for."""
        document = located(document, base_url)
        if parameters is None or not (parameters.attributes or parameters.excluded_attributes):
            return document
        model: Any = self.provider.model_for(document["meta"]["resourceType"])
        shown: dict[str, Any] = model.model_validate(document).model_dump(
            scim_ctx=Context.RESOURCE_QUERY_RESPONSE, response_parameters=parameters
        )
        return shown

    def document_response(
        self,
        base_url: str,
        document: dict[str, Any],
        parameters: ResponseParameters[Any] | None = None,
        status: HTTPStatus = HTTPStatus.OK,
    ) -> ScimResponse:
        """Return the response that carries one resource, a PATCH's too: Microsoft Entra wants to see the whole."""
        body = self.shown(base_url, document, parameters)
        location = document["meta"]["location"]
        headers = {"Content-Location": location, "ETag": document["meta"]["version"]}
        if status is HTTPStatus.CREATED:
            headers["Location"] = location
        return ScimResponse(status, body, headers)

    def list_response(
        self,
        base_url: str,
        documents: list[dict[str, Any]],
        total: int | None,
        request: SearchRequest[Any] | None,
        **members: Any,
    ) -> ScimResponse:
        """Return a ListResponse (RFC 7644 section 3.4.2) without making models of what it lists."""
        shown = [self.shown(base_url, document, request) for document in documents]
        body: dict[str, Any] = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"]}
        if total is not None:
            body["totalResults"] = total
        body |= {name: value for name, value in members.items() if value is not None}
        body |= {"itemsPerPage": len(shown), "Resources": shown}
        return ScimResponse(HTTPStatus.OK, body)

    def cursors(self, types: list[ResourceType], request: SearchRequest[Any], page: Any) -> dict[str, str | None]:
        """Return the cursors of a page's neighbours."""
        if request.count == 0:
            return {}
        return {
            "nextCursor": self._seal(types, request, page.next),
            "previousCursor": self._seal(types, request, page.previous),
        }

    # -- Errors ------------------------------------------------------------

    @staticmethod
    def error_of(exception: Exception) -> Error:
        """Return the SCIM error of anything that was raised."""
        return scim_error(exception).to_error()

    def error_response(self, exception: Exception) -> ScimResponse:
        """Return the response of an error; what can be repeated says when."""
        response = super().error_response(exception)
        if response.status == HTTPStatus.SERVICE_UNAVAILABLE:
            response.headers["Retry-After"] = "5"
        return response

    def bulk_failure(self, outcome: dict[str, Any], exception: Exception) -> dict[str, Any]:
        """Return the outcome of an operation that failed; without a database there are no further ones."""
        if isinstance(exception, AWAY):
            raise exception
        return super().bulk_failure(outcome, exception)

    def www_authenticate(self, exception: SCIMException) -> str | None:
        """Return the challenge of a 401."""
        return CHALLENGE


def readable(error: ValidationError) -> Error:
    """Return the first findings about a body as one error, each with the attribute that it is about."""
    found = error.errors(include_url=False, include_input=False)
    errors = Error.from_validation_errors(found[:5])
    first = errors[0]
    details = [each.detail or "" for each in errors if each.scim_type == first.scim_type]
    text = "; ".join(
        detail.replace("Extra inputs are not permitted", "This attribute is not known") for detail in details
    )
    return Error(status=first.status, scim_type=first.scim_type, detail=text[:1000])


def _check_values(resource: Resource[Any]) -> None:
    """Refuse more values of one attribute than a whole resource may have, however many requests they came in."""
    for name in type(resource).model_fields:
        held = getattr(resource, name)
        if name != "members" and isinstance(held, list) and len(held) > bodies.MAX_VALUES:
            said = type(resource)._scim_name(name)
            raise InvalidValueException(detail=f"{said} has more than {bodies.MAX_VALUES} values.")


def check_parameter(name: str, value: Any) -> None:
    """Refuse a parameter that would take long to read; raises a `SCIMException`."""
    lowered = name.lower()
    if lowered == "filter":
        check_length(value)
    elif lowered == "sortby" and isinstance(value, str) and len(value) > LONGEST_SORT:
        raise InvalidValueException(detail=f"sortBy is longer than {LONGEST_SORT} characters.")
    elif lowered in {"attributes", "excludedattributes"}:
        names = value.split(",") if isinstance(value, str) else value
        if isinstance(names, list) and len(names) > MOST_NAMES:
            raise InvalidValueException(detail=f"{name} names more than {MOST_NAMES} attributes.")
