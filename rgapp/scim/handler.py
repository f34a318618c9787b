"""The SCIM operations: each reads the request, asks the storage, and answers with JSON straight from what is stored.

scim2-server's own handler makes models of everything on its way out; here only what is written, or shown in part, is.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from scim2_models import Error, InvalidSyntaxException, PatchOp, Resource, ResourceType
from scim2_server.bulk import BulkPlan, BulkStep
from scim2_server.conditions import Conditions
from scim2_server.handler import ScimHandler
from scim2_server.requests import ScimRequest
from scim2_server.responses import ScimResponse
from scim2_server.routing import Operation, Target

from rgapp.integrations.scim import bridge
from rgapp.integrations.scim.log import Entry
from rgapp.scim import bodies
from rgapp.scim.bodies import Body
from rgapp.scim.errors import Unavailable
from rgapp.scim.hot import activity_of, leaves_members, look_up_of, member_changes_of, members_of
from rgapp.scim.reading import GROUP, LISTS, leaves_out
from rgapp.scim.service import Service
from rgapp.scim.storage import SQLStorage

#: What an operation of a bulk request did, where provisioning has no word for it.
DONE: Final = {"POST": "created", "PUT": "updated", "PATCH": "updated", "DELETE": "deleted"}
#: So much of a processor's time has one bulk request: on SQLite nobody else writes meanwhile.
BULK_SECONDS: Final = 10.0
NO_TIME: Final = "The operations before this one took too long. Nothing of this one was done: please repeat it."


class Handler(ScimHandler):
    """Serves one request; `entry` is its line in the log."""

    service: Service
    storage: SQLStorage

    def __init__(self, service: Service, storage: SQLStorage, entry: Entry) -> None:
        super().__init__(service, storage)
        self.entry = entry
        self.ends_at = 0.0

    def create(self, request: ScimRequest) -> ScimResponse:
        """Create a resource (RFC 7644 section 3.3)."""
        with self.service.provider:
            _, resource_type = self._routed(request, Operation.create)
            parameters = self.service.read_response_parameters(resource_type, request.query)
            body = self._bridged(request, resource_type)
            resource = self.service.read_creation(resource_type, body, request.header("Content-Type"))
            document = self.storage.create_document(str(resource_type.name), resource)
            self._did("created")
            return self.service.document_response(request.base_url, document, parameters, HTTPStatus.CREATED)

    def query(self, request: ScimRequest) -> ScimResponse:
        """Read a resource (RFC 7644 section 3.4.1)."""
        with self.service.provider:
            target, resource_type = self._routed(request, Operation.query)
            kind = str(resource_type.name)
            parameters = self.service.read_response_parameters(resource_type, request.query)
            document = self.storage.projected(kind, str(target.resource_id), parameters)
            version = document["meta"]["version"]
            if not self.service.read_conditions(request).check(version, "GET"):
                return ScimResponse(HTTPStatus.NOT_MODIFIED, None, {"ETag": version})
            return self.service.document_response(request.base_url, document, parameters)

    def replace(self, request: ScimRequest) -> ScimResponse:
        """Replace a resource (RFC 7644 section 3.5.1)."""
        with self.service.provider:
            target, resource_type = self._routed(request, Operation.replace)
            read = partial(self.service.read_replacement, resource_type)
            return self._change(request, target, resource_type, read, self.service.apply_replacement)

    def patch(self, request: ScimRequest) -> ScimResponse:
        """Modify a resource (RFC 7644 section 3.5.2)."""
        with self.service.provider:
            target, resource_type = self._routed(request, Operation.patch)
            if resource_type.name == "User":
                active = activity_of(self.service.decode_body(request.body, request.header("Content-Type")))
                if active is not None:
                    return self._set_active(request, str(target.resource_id), resource_type, active)
            elif not request.query:
                changed = self._change_members(request, target, resource_type)
                if changed is not None:
                    return changed
            read = partial(self.service.read_patch, resource_type)
            return self._change(request, target, resource_type, read, self.service.apply_patch)

    def _set_active(
        self, request: ScimRequest, resource_id: str, resource_type: ResourceType, active: bool
    ) -> ScimResponse:
        """Do what most changes are, without making models of the resource."""
        parameters = self.service.read_response_parameters(resource_type, request.query)
        document, changed = self.storage.set_active(resource_id, active, self.service.read_conditions(request))
        self._did("updated" if changed else "unchanged")
        return self.service.document_response(request.base_url, document, parameters)

    def _change_members(self, request: ScimRequest, target: Target, resource_type: ResourceType) -> ScimResponse | None:
        """Change a group member by member, however many it has; None for a change of anything else."""
        changes = member_changes_of(self._bridged(request, resource_type).document)
        if changes is None:
            return None
        conditions = self.service.read_conditions(request)
        version, changed = self.storage.change_members(str(target.resource_id), changes, conditions)
        self._did("updated" if changed else "unchanged")
        if any(change.alone for change in changes):
            document = self.storage.document(GROUP, str(target.resource_id))
            return self.service.document_response(request.base_url, document)
        return ScimResponse(HTTPStatus.NO_CONTENT, None, {"ETag": version})

    def _change(
        self,
        request: ScimRequest,
        target: Target,
        resource_type: ResourceType,
        read: Callable[[bytes, str | None], Any],
        apply: Callable[..., Resource[Any] | None],
    ) -> ScimResponse:
        kind, resource_id = str(resource_type.name), str(target.resource_id)
        parameters = self.service.read_response_parameters(resource_type, request.query)
        # A group may have thousands of members: no models are made of them where they can be left apart.
        said = self._bridged(request, resource_type).document if kind == GROUP else None
        members = members_of(said) if request.method == "PUT" else None
        apart = members is not None or leaves_members(said)
        shows = not leaves_out(parameters, LISTS[kind])
        before = self.storage.document(kind, resource_id, to_change=True, members=not apart)
        body = self._bridged(request, resource_type, before)
        if members is not None:
            body = Body.of(request.body, {name: value for name, value in body.document.items() if name != "members"})
        change = read(body, request.header("Content-Type"))
        current = self.storage.model(kind).model_validate(before)
        changed = apply(current, change, self.service.read_conditions(request))
        if changed is None and members is not None and not self.storage.has_members(resource_id, members):
            changed = current
        if changed is None:
            self._did("unchanged")
            before = self.storage.document(kind, resource_id) if apart and shows else before
            return self.service.document_response(request.base_url, before, parameters)
        version = before["meta"]["version"]
        document = self.storage.update_document(kind, changed, version, apart=apart, members=members, shows=shows)
        self._did("updated")
        return self.service.document_response(request.base_url, document, parameters)

    def delete(self, request: ScimRequest) -> ScimResponse:
        """Delete a resource (RFC 7644 section 3.6)."""
        with self.service.provider:
            target, resource_type = self._routed(request, Operation.delete)
            conditions = self.service.read_conditions(request)
            self.storage.delete_if(str(resource_type.name), str(target.resource_id), conditions)
            self._did("deleted")
            return self.service.deletion_response()

    # -- Search -------------------------------------------------------------

    def search(self, request: ScimRequest) -> ScimResponse:
        """Search with GET (RFC 7644 section 3.4.2)."""
        with self.service.provider:
            target = self.service.route(request, Operation.search)
            types = self.service.searched_types(target.endpoint)
            hot = self._looked_up(request, types)
            if hot is not None:
                return hot
            query = self._meant(types, request.query)
            return self._listed(request, types, *self.service.read_search_query(types, query))

    def search_with_body(self, request: ScimRequest) -> ScimResponse:
        """Search with POST on `.search` (RFC 7644 section 3.4.3)."""
        with self.service.provider:
            target = self.service.route(request, Operation.search_with_body)
            types = self.service.searched_types(target.endpoint)
            payload = self.service.decode_body(request.body, request.header("Content-Type"))
            if not isinstance(payload, dict):
                raise InvalidSyntaxException(detail="The body has to be a SearchRequest.")
            return self._listed(request, types, *self.service.read_search(types, self._meant(types, payload)))

    def _listed(self, request: ScimRequest, types: list[ResourceType], search: Any, position: Any) -> ScimResponse:
        page = self.storage.search_documents([str(each.name) for each in types], search, position)
        members: dict[str, Any] = (
            {"startIndex": search.start_index} if search.cursor is None else self.service.cursors(types, search, page)
        )
        return self.service.list_response(request.base_url, page.resources, page.total, search, **members)

    def _looked_up(self, request: ScimRequest, types: list[ResourceType]) -> ScimResponse | None:
        """Answer a look-up of one user by an identifier; None for anything else that a search can be."""
        asked = look_up_of(request.query) if len(types) == 1 and types[0].name == "User" else None
        if asked is None:
            return None
        documents = self.storage.lookup(asked.attribute, asked.value)
        if len(documents) > asked.most:
            return None
        return self.service.list_response(request.base_url, documents, len(documents), None, startIndex=1)

    # -- Bulk ---------------------------------------------------------------

    def bulk(self, request: ScimRequest) -> ScimResponse:
        """Run a bulk request (RFC 7644 section 3.7); an operation that fails leaves the others as they are."""
        self.storage.savepoints = True
        self.ends_at = time.thread_time() + BULK_SECONDS
        document = self.service.decode_body(request.body, request.header("Content-Type"))
        bodies.check_bulk(document)
        models = {
            str(each.endpoint): self.storage.model(str(each.name)) for each in self.service.provider.resource_types
        }
        return super().bulk(replace(request, body=Body.of(request.body, bridge.standard_bulk(models, document))))

    def run_bulk_step(
        self, request: ScimRequest, plan: BulkPlan, step: BulkStep
    ) -> tuple[dict[str, Any], Resource[Any] | None]:
        """Run one operation of a bulk request, which has its own line in the log."""
        operation = plan.operation(step)
        whole, part = self.entry, Entry(str(operation.method or ""), str(operation.path or ""))
        whole.parts.append(part)
        self.entry = self.storage.people.entry = part
        try:
            if time.thread_time() < self.ends_at:
                result, resource = super().run_bulk_step(request, plan, step)
            else:
                outcome = self.service.bulk_outcome(request.base_url, operation)
                result, resource = self.service.bulk_failure(outcome, Unavailable(detail=NO_TIME)), None
        finally:
            self.entry = self.storage.people.entry = whole
        _note_result(part, result)
        return result, resource

    def patch_resource(
        self, resource_type: ResourceType, resource_id: str, patch_op: "PatchOp[Any]", conditions: Conditions
    ) -> Resource[Any]:
        """Apply a PATCH of a bulk request; the members of a group change as in one that comes alone."""
        kind = str(resource_type.name)
        changes = member_changes_of(patch_op.model_dump()) if kind == GROUP else None
        if changes is None:
            return super().patch_resource(resource_type, resource_id, patch_op, conditions)
        self.storage.change_members(resource_id, changes, conditions)
        return self.storage.model(kind).model_validate(self.storage.document(kind, resource_id, members=False))

    # -- Steps --------------------------------------------------------------

    def _routed(self, request: ScimRequest, operation: Operation) -> tuple[Target, ResourceType]:
        target = self.service.route(request, operation)
        return target, self.service.resource_type_at(str(target.endpoint))

    def _bridged(
        self, request: ScimRequest, resource_type: ResourceType, current: Mapping[str, Any] | None = None
    ) -> Body:
        """Return the body in standard SCIM, whatever dialect the client speaks."""
        document = self.service.decode_body(request.body, request.header("Content-Type"))
        if request.method.upper() == "PATCH":
            bodies.check_patch(document)
        model = self.storage.model(str(resource_type.name))
        return Body.of(request.body, bridge.standard_body(request.method, model, document, current))

    def _meant(self, types: list[ResourceType], query: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters of a search in standard SCIM, whatever dialect the client speaks."""
        return bridge.standard_query([self.storage.model(str(each.name)) for each in types], query)

    def _did(self, outcome: str) -> None:
        """Note what was done, where provisioning has not noted what became of a person."""
        if self.entry.outcome == "read":
            self.entry.outcome = outcome


def _note_result(part: Entry, result: Mapping[str, Any]) -> None:
    """Note how one operation of a bulk request was answered."""
    part.status = int(result["status"])
    error = result.get("response")
    if isinstance(error, Error) and part.status >= HTTPStatus.BAD_REQUEST:
        part.scim_type, part.detail = error.scim_type or "", error.detail or ""
        part.outcome = part.outcome if part.outcome == "rejected" else "refused"
        part.reason = part.reason or part.scim_type
    elif part.outcome == "read":
        part.outcome = DONE.get(part.method, part.outcome)
