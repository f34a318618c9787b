"""Read the resources of one integration, as JSON: single ones, look-ups by an index, and pages of a search."""

import uuid
from collections.abc import Container, Sequence
from typing import Any

from scim2_models import NotFoundException, Resource, ResponseParameters, ScimProvider, SearchRequest
from scim2_server.storage import SearchPage
from sqlalchemy.orm import Session

from rgapp.scim import documents, groups, users
from rgapp.scim.scope import Scope
from rgapp.scim.search import Found, Kind, Search

USER: Kind = "User"
GROUP: Kind = "Group"
#: The attributes that are read from memberships.
LISTS: dict[str, str] = {USER: "groups", GROUP: "members"}


class Reader:
    """Reads users and groups; addresses in what it returns are relative to the SCIM root."""

    def __init__(self, session: Session, scope: Scope, provider: ScimProvider) -> None:
        self.session, self.scope, self.provider = session, scope, provider

    def model(self, kind: str) -> type[Resource[Any]]:
        """Return the model of a resource type, with its extensions."""
        model: Any = self.provider.model_for(kind)
        return model  # type: ignore[no-any-return]

    def document(self, kind: str, resource_id: str, *, members: bool = True, to_change: bool = False) -> dict[str, Any]:
        """Return a resource as JSON, its addresses still relative; `members` or `groups` only where asked for.

        `to_change` keeps others from changing it until the transaction ends. Raises `NotFoundException`.
        """
        identifier = users.read_id(resource_id)
        if identifier is None:
            raise not_found(kind, resource_id)
        if kind == USER:
            row = users.by_id(self.session, self.scope, identifier, to_change=to_change)
            if row is None:
                raise not_found(kind, resource_id)
            return documents.user_document(row, users.groups_of(self.session, self.scope, row) if members else [])
        group = groups.by_id(self.session, self.scope, identifier, to_change=to_change)
        if group is None:
            raise not_found(kind, resource_id)
        found = groups.members_of(self.session, self.scope, [identifier]) if members else {}
        return documents.group_document(group, found.get(identifier, []))

    def projected(self, kind: str, resource_id: str, parameters: ResponseParameters[Any]) -> dict[str, Any]:
        """Return a resource as JSON without the list that a response with these parameters does not show."""
        return self.document(kind, resource_id, members=not leaves_out(parameters, LISTS[kind]))

    def search_documents(self, kinds: Sequence[str], request: SearchRequest[Any], position: Any) -> Any:
        """Return one page of the matching resources as JSON."""
        models: dict[Kind, type[Resource[Any]]] = {}
        for kind in kinds:
            models[USER if kind == USER else GROUP] = self.model(kind)
        search = Search(self.session, self.scope, models, request)
        if request.cursor is None:
            found = search.by_index(request.start_index_0 or 0, request.count)
        else:
            found = search.by_cursor(position, request.count)
        wanted = {kind for kind in models if not leaves_out(request, LISTS[kind])}
        documents_: Any = self.documents(found.found, wanted)
        own = self.scope.integration_id
        return SearchPage(
            found.total,
            documents_,
            next=found.next.as_json(own) if found.next else None,
            previous=found.previous.as_json(own) if found.previous else None,
        )

    def documents(self, found: Sequence[Found], with_lists: Container[str]) -> list[dict[str, Any]]:
        """Return resources as JSON, in this order, types in `with_lists` with `groups` or `members`.

        Those that went meanwhile are not there.
        """
        people = [identifier for kind, identifier in found if kind == USER]
        rest = [identifier for kind, identifier in found if kind == GROUP]
        rows = users.load(self.session, self.scope, people)
        kept = groups.load(self.session, self.scope, rest)
        memberships = users.groups_of_all(self.session, self.scope, people) if people and USER in with_lists else {}
        inside = groups.members_of(self.session, self.scope, rest) if rest and GROUP in with_lists else {}
        made: list[dict[str, Any]] = []
        for kind, identifier in found:
            if kind == USER and identifier in rows:
                made.append(documents.user_document(rows[identifier], memberships.get(identifier, [])))
            elif kind == GROUP and identifier in kept:
                made.append(documents.group_document(kept[identifier], inside.get(identifier, [])))
        return made

    def lookup(self, attribute: str, value: str) -> list[dict[str, Any]]:
        """Return the users whose `id`, `userName` or `externalId` is this: what clients ask before every create."""
        rows = users.by_key(self.session, self.scope, attribute, value)
        return [documents.user_document(row, users.groups_of(self.session, self.scope, row)) for row in rows]


def not_found(kind: str, resource_id: str | uuid.UUID | None) -> NotFoundException:
    """Return the error for a resource that is not there."""
    return NotFoundException(detail=f"There is no {kind} with the id “{str(resource_id)[:60]}”.")


def leaves_out(parameters: ResponseParameters[Any], name: str) -> bool:
    """Tell whether a response does not show an attribute, which then need not be read (RFC 7644 section 3.9)."""
    if name in (str(each).rpartition(":")[2].lower() for each in parameters.excluded_attributes or []):
        return True
    wanted = [str(each).rpartition(":")[2].lower().partition(".")[0] for each in parameters.attributes or []]
    return bool(wanted) and name not in wanted
