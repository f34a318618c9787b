"""The storage of one integration's resources (`scim2_server.ScimStorage`) in our database.

It keeps what a client says; people themselves are written by provisioning alone, through `People`. It flushes and never
commits. Errors are those of `scim2_models`.
"""

import uuid
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Any

from scim2_models import (
    PreconditionFailedException,
    Resource,
    ResourceType,
    ResponseParameters,
    ScimProvider,
    SearchRequest,
    UniquenessException,
)
from scim2_server.conditions import Conditions
from scim2_server.storage import ScimStorage, SearchPage
from sqlalchemy.orm import Session

from rgapp.models import UserStatus
from rgapp.provisioning import Outcome, OutcomeKind
from rgapp.scim import documents, groups, users
from rgapp.scim.hot import MemberChange
from rgapp.scim.reading import GROUP, LISTS, USER, Reader, leaves_out, not_found
from rgapp.scim.scope import People, Scope

NAME_TAKEN = "Another user of this integration has this userName."
CHANGED = "This user was changed by another request."
ALREADY_THERE = "This user is here already and active."


class SQLStorage(Reader, ScimStorage):
    """Users and groups of one integration.

    `clock` gives the time of a write. With `savepoints` each operation is undone alone where it fails: a bulk request
    needs that, for a single one the whole transaction is the operation.
    """

    supports_cursors = True

    def __init__(
        self,
        session: Session,
        scope: Scope,
        provider: ScimProvider,
        people: People,
        clock: Callable[[], datetime],
    ) -> None:
        super().__init__(session, scope, provider)
        self.people, self.clock = people, clock
        self.savepoints = False

    def operation(self) -> AbstractContextManager[Any]:
        """Enclose one operation."""
        return self.session.begin_nested() if self.savepoints else nullcontext()

    def get(
        self,
        resource_type: ResourceType,
        resource_id: str,
        *,
        response_parameters: ResponseParameters[Any] | None = None,
    ) -> Resource[Any]:
        """Return a resource."""
        kind = str(resource_type.name)
        whole = response_parameters is None or not leaves_out(response_parameters, LISTS[kind])
        return self.model(kind).model_validate(self.document(kind, resource_id, members=whole))

    def search(
        self,
        resource_types: list[ResourceType],
        search_request: SearchRequest[Any],
        *,
        position: Any = None,
    ) -> SearchPage:
        """Return one page of the matching resources."""
        page: SearchPage = self.search_documents([str(each.name) for each in resource_types], search_request, position)
        page.resources = [self.model(each["meta"]["resourceType"]).model_validate(each) for each in page.resources]
        return page

    def create(self, resource_type: ResourceType, resource: Resource[Any]) -> Resource[Any]:
        """Store a new resource."""
        kind = str(resource_type.name)
        return self.model(kind).model_validate(self.create_document(kind, resource))

    def create_document(self, kind: str, resource: Any) -> dict[str, Any]:
        """Store a new resource, and return it as JSON."""
        now = self.clock()
        if kind == USER:
            return self._create_user(resource, now)
        document = documents.stored(resource, documents.NOT_KEPT_OF_GROUPS)
        keys = groups.keys_of(document)
        self.people.entry.group = keys["display_name"]
        members = groups.wanted_members(self.session, self.scope, resource.members or [])
        group_id = groups.insert_group(self.session, self.scope, keys, now)
        groups.set_members(self.session, self.scope, group_id, members)
        return self.document(GROUP, str(group_id))

    def _create_user(self, resource: Any, now: datetime) -> dict[str, Any]:
        document = documents.stored(resource, documents.NOT_KEPT_OF_USERS)
        keys = users.keys_of(document)
        active = resource.active is not False
        outcome = self.people.create(document.resource, active=active)
        user_id = _account_of(outcome)
        if users.insert(self.session, self.scope, user_id, keys, now):
            status = UserStatus.ACTIVE if active else UserStatus.LEAVER
            return documents.user_document(
                users.Row(user_id, document.resource, 1, now, now, status, is_member=False), []
            )
        # The user is here, or another one has the name.
        known = users.by_id(self.session, self.scope, user_id, to_change=True)
        if known is None or users.owner_of_name(self.session, self.scope, keys["user_name"]) not in {None, user_id}:
            raise UniquenessException(detail=NAME_TAKEN)
        if outcome.kind is OutcomeKind.DEACTIVATED or (active and outcome.kind is not OutcomeKind.REACTIVATED):
            raise UniquenessException(detail=ALREADY_THERE)
        return self._replace_user(known, keys, now)

    def update(
        self,
        resource_type: ResourceType,
        resource: Resource[Any],
        *,
        expected_version: str | None = None,
    ) -> Resource[Any]:
        """Replace a stored resource."""
        kind = str(resource_type.name)
        return self.model(kind).model_validate(self.update_document(kind, resource, expected_version))

    def update_document(
        self,
        kind: str,
        resource: Any,
        expected_version: str | None,
        *,
        apart: bool = False,
        members: Sequence[str] | None = None,
        shows: bool = True,
    ) -> dict[str, Any]:
        """Replace a stored resource, and return it as JSON.

        With `apart` the resource says nothing of a group's members: they become those with the identifiers in
        `members`, or stay who they are. `shows` asks for them.
        """
        now = self.clock()
        if kind == USER:
            return self._update_user(resource, expected_version, now)
        group = self._group_to_change(resource.id, expected_version)
        document = documents.stored(resource, documents.NOT_KEPT_OF_GROUPS)
        keys = groups.keys_of(document)
        wanted = None if members is None else groups.known_users(self.session, self.scope, members)
        if not apart:
            wanted = groups.wanted_members(self.session, self.scope, resource.members or [])
        for name, value in keys.items():
            setattr(group, name, value)
        self.people.entry.group = keys["display_name"]
        group.version, group.updated_at = group.version + 1, now
        self.session.flush()
        if wanted is not None:
            groups.set_members(self.session, self.scope, group.id, wanted)
        return self.document(GROUP, str(group.id), members=shows)

    def _update_user(self, resource: Any, expected_version: str | None, now: datetime) -> dict[str, Any]:
        row = self._user_to_change(resource.id, expected_version)
        document = documents.stored(resource, documents.NOT_KEPT_OF_USERS)
        keys = users.keys_of(document)
        if users.owner_of_name(self.session, self.scope, keys["user_name"]) not in {None, row.user_id}:
            raise UniquenessException(detail=NAME_TAKEN)
        active = row.active if resource.active is None else resource.active
        outcome = self.people.update(row.user_id, row.resource, document.resource, active=active)
        if outcome.only_leaves:
            # What was not taken of the person does not stand in the resource either.
            return self._touch_user(row, now)
        return self._replace_user(row, keys, now)

    def _replace_user(self, row: users.Row, keys: dict[str, Any], now: datetime) -> dict[str, Any]:
        if not users.replace(self.session, self.scope, row, keys, now):
            raise PreconditionFailedException(detail=CHANGED)
        return self.document(USER, str(row.user_id))

    def _touch_user(self, row: users.Row, now: datetime) -> dict[str, Any]:
        if not users.touch(self.session, self.scope, row, now):
            raise PreconditionFailedException(detail=CHANGED)
        return self.document(USER, str(row.user_id))

    def set_active(self, resource_id: str, active: bool, conditions: Conditions) -> tuple[dict[str, Any], bool]:
        """Open or close an account and change nothing else; returns the user, and whether anything changed."""
        row = self._user_to_change(resource_id, None)
        conditions.check(documents.version_tag(row.version, active=row.active), "PATCH")
        changes = row.active is not active
        if changes:
            now = self.clock()
            self.people.update(row.user_id, row.resource, row.resource, active=active)
            if not users.touch(self.session, self.scope, row, now):
                raise PreconditionFailedException(detail=CHANGED)
            status = UserStatus.ACTIVE if active else UserStatus.LEAVER
            row = row._replace(version=row.version + 1, updated_at=now, status=status)
        return documents.user_document(row, users.groups_of(self.session, self.scope, row)), changes

    def change_members(
        self, resource_id: str, changes: Sequence[MemberChange], conditions: Conditions
    ) -> tuple[str, bool]:
        """Add members to a group and take others out, without reading the rest unless it goes; later changes win.

        Returns the group's version, and whether anything changed.
        """
        group = self._group_to_change(resource_id, None)
        conditions.check(documents.version_tag(group.version), "PATCH")
        alone = max((at for at, change in enumerate(changes) if change.alone), default=None)
        # Who is named only before everybody else goes is looked for all the same: nobody unknown is taken for known.
        groups.known_users(self.session, self.scope, _joining(changes[:alone] if alone is not None else ()))
        stays = {text: change.joins for change in changes[alone or 0 :] for text in change.identifiers}
        wanted = groups.known_users(self.session, self.scope, [text for text, joins in stays.items() if joins])
        unwanted = {found for text, joins in stays.items() if not joins and (found := users.read_id(text))}
        if alone is None:
            present = groups.present_members(self.session, self.scope, group.id, wanted | unwanted)
            joining, leaving = wanted - present, unwanted & present
        else:
            present = groups.all_members(self.session, self.scope, group.id)
            joining, leaving = wanted - present, present - wanted
        if joining or leaving:
            groups.add_members(self.session, self.scope, group.id, joining)
            groups.remove_members(self.session, self.scope, group.id, leaving)
            group.version, group.updated_at = group.version + 1, self.clock()
            self.session.flush()
        return documents.version_tag(group.version), bool(joining or leaving)

    def delete(self, resource_type: ResourceType, resource_id: str, *, expected_version: str | None = None) -> None:
        """Delete a resource; what that means for the person, the integration says."""
        self.delete_if(str(resource_type.name), resource_id, Conditions(), expected_version)

    def delete_if(
        self, kind: str, resource_id: str, conditions: Conditions, expected_version: str | None = None
    ) -> None:
        """Delete a resource whose version is the expected one and fulfils the conditions of the request."""
        if kind == USER:
            row = self._user_to_change(resource_id, expected_version)
            conditions.check(documents.version_tag(row.version, active=row.active), "DELETE")
            self.people.delete(row.user_id, row.resource)
            users.remove(self.session, self.scope, row.user_id)
        else:
            group = self._group_to_change(resource_id, expected_version)
            conditions.check(documents.version_tag(group.version), "DELETE")
            groups.remove(self.session, self.scope, group.id)

    def _user_to_change(self, resource_id: str | None, expected_version: str | None) -> users.Row:
        identifier = users.read_id(resource_id or "")
        row = users.by_id(self.session, self.scope, identifier, to_change=True) if identifier else None
        if row is None:
            raise not_found(USER, resource_id)
        _check_version(documents.version_tag(row.version, active=row.active), expected_version)
        return row

    def has_members(self, resource_id: str, identifiers: Sequence[str]) -> bool:
        """Tell whether a group has these users as its members, and nobody else.

        Raises `InvalidValueException` for one that this integration does not have.
        """
        wanted = groups.known_users(self.session, self.scope, identifiers)
        return wanted == groups.all_members(self.session, self.scope, uuid.UUID(resource_id))

    def _group_to_change(self, resource_id: str | None, expected_version: str | None) -> Any:
        identifier = users.read_id(resource_id or "")
        group = groups.by_id(self.session, self.scope, identifier, to_change=True) if identifier else None
        if group is None:
            raise not_found(GROUP, resource_id)
        self.people.entry.group = group.display_name
        _check_version(documents.version_tag(group.version), expected_version)
        return group


def _joining(changes: Sequence[MemberChange]) -> list[str]:
    return [text for change in changes if change.joins for text in change.identifiers]


def _account_of(outcome: Outcome) -> uuid.UUID:
    assert outcome.user_id is not None  # noqa: S101 - what was accepted has an account.
    return outcome.user_id


def _check_version(version: str, expected: str | None) -> None:
    if expected is not None and version != expected:
        raise PreconditionFailedException
