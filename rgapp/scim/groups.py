"""The rows of SCIM groups and of who is in them (RFC 7643 section 4.2)."""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from scim2_models import InvalidValueException, TooManyException
from sqlalchemy import ColumnElement, delete, insert, select
from sqlalchemy.orm import Session

from rgapp.models import SCIMGroup, SCIMGroupMember, SCIMUser
from rgapp.models.base import new_id
from rgapp.models.rows import insert_row
from rgapp.scim.documents import Document, caseless, exact, key_of
from rgapp.scim.scope import Scope
from rgapp.scim.users import read_id

AT_ONCE = 500
#: The members of all groups of one page; a single group is shown however large it is.
MOST_SHOWN = 100_000
TOO_MANY = (
    f"The groups of this page have more than {MOST_SHOWN} members. "
    "Ask for fewer at once, or leave the members out (excludedAttributes=members)."
)
NO_GROUPS = "members: only users can be members; groups in groups are not kept."
_GROUPS, _MEMBERS, _USERS = SCIMGroup.__table__.c, SCIMGroupMember.__table__.c, SCIMUser.__table__.c
#: Sessions hold no memberships and no groups as objects, so there is nothing to bring in line.
PLAIN = {"synchronize_session": False}


def by_id(session: Session, scope: Scope, group_id: uuid.UUID, *, to_change: bool = False) -> SCIMGroup | None:
    """Return a group; `to_change` keeps others from changing it until the transaction ends."""
    query = select(SCIMGroup).where(
        SCIMGroup.programme_id == scope.programme_id,
        SCIMGroup.integration_id == scope.integration_id,
        SCIMGroup.id == group_id,
    )
    query = query.with_for_update() if to_change else query
    return session.scalar(query.execution_options(populate_existing=True))


def load(session: Session, scope: Scope, identifiers: Sequence[uuid.UUID]) -> dict[uuid.UUID, SCIMGroup]:
    """Return the groups with these identifiers."""
    if not identifiers:
        return {}
    query = select(SCIMGroup).where(
        SCIMGroup.programme_id == scope.programme_id,
        SCIMGroup.integration_id == scope.integration_id,
        SCIMGroup.id.in_(identifiers),
    )
    return {group.id: group for group in session.scalars(query.execution_options(populate_existing=True))}


def members_of(
    session: Session, scope: Scope, identifiers: Sequence[uuid.UUID]
) -> dict[uuid.UUID, list[dict[str, Any]]]:
    """Return the values of `members` of these groups; a group without any is not there.

    Raises `TooManyException` where several groups have so many that the answer would not fit into memory.
    """
    several = len(identifiers) > 1
    query = (
        select(_MEMBERS.user_id, *([_MEMBERS.group_id] if several else []))
        .join(
            SCIMUser.__table__,
            (_USERS.programme_id == _MEMBERS.programme_id) & (_USERS.user_id == _MEMBERS.user_id),
        )
        .where(
            _MEMBERS.programme_id == scope.programme_id,
            _MEMBERS.group_id.in_(identifiers),
            _USERS.integration_id == scope.integration_id,
        )
        .order_by(_MEMBERS.user_id)
    )
    if not several:
        alone = [_member(user_id) for user_id in session.scalars(query)]
        return {identifiers[0]: alone} if alone else {}
    rows = session.execute(query.limit(MOST_SHOWN + 1)).all()
    if len(rows) > MOST_SHOWN:
        raise TooManyException(detail=TOO_MANY)
    found: dict[uuid.UUID, list[dict[str, Any]]] = {}
    for user_id, group_id in rows:
        found.setdefault(group_id, []).append(_member(user_id))
    return found


def _member(user_id: uuid.UUID) -> dict[str, Any]:
    text = str(user_id)
    return {"value": text, "$ref": f"Users/{text}", "type": "User"}


def keys_of(document: Document) -> dict[str, Any]:
    """Return the columns that a document fills.

    Raises `InvalidValueException` where displayName or externalId do not fit.
    """
    said = document.resource
    external_id = said.get("externalId")
    return {
        "display_name": said.get("displayName") or "",
        "display_key": key_of("displayName", said.get("displayName"), caseless),
        "external_id": key_of("externalId", external_id, exact) if external_id else None,
        "resource": said,
        "search": document.search,
    }


def insert_group(session: Session, scope: Scope, keys: dict[str, Any], now: datetime) -> uuid.UUID:
    """Insert a group; returns its identifier."""
    group_id = new_id()
    row = {"programme_id": scope.programme_id, "integration_id": scope.integration_id, "id": group_id, **keys}
    insert_row(session, SCIMGroup, {**row, "version": 1, "created_at": now, "updated_at": now})
    return group_id


def wanted_members(session: Session, scope: Scope, members: Sequence[Any]) -> set[uuid.UUID]:
    """Return whom a list of members names.

    Raises `InvalidValueException` for groups, and for users that this integration does not have.
    """
    if any((member.type or "User").lower() != "user" for member in members):
        raise InvalidValueException(detail=NO_GROUPS)
    return known_users(session, scope, [member.value or "" for member in members])


def known_users(session: Session, scope: Scope, identifiers: Sequence[str]) -> set[uuid.UUID]:
    """Return the users with these identifiers.

    Raises `InvalidValueException` for one that this integration does not have.
    """
    wanted: dict[uuid.UUID, None] = {}
    for text in identifiers:
        user_id = read_id(text)
        if user_id is None:
            raise InvalidValueException(detail=f"members: there is no user with the id {_shown(text)}.")
        wanted[user_id] = None
    known: set[uuid.UUID] = set()
    for some in _portions(list(wanted)):
        query = select(_USERS.user_id).where(
            _USERS.programme_id == scope.programme_id,
            _USERS.integration_id == scope.integration_id,
            _USERS.user_id.in_(some),
        )
        known.update(session.scalars(query))
    unknown = next((user_id for user_id in wanted if user_id not in known), None)
    if unknown is not None:
        raise InvalidValueException(detail=f"members: there is no user with the id {_shown(str(unknown))}.")
    return known


def set_members(session: Session, scope: Scope, group_id: uuid.UUID, wanted: set[uuid.UUID]) -> None:
    """Make these users the members of a group, and nobody else."""
    present = all_members(session, scope, group_id)
    add_members(session, scope, group_id, wanted - present)
    remove_members(session, scope, group_id, present - wanted)


def all_members(session: Session, scope: Scope, group_id: uuid.UUID) -> set[uuid.UUID]:
    """Return the members of a group."""
    return set(session.scalars(select(_MEMBERS.user_id).where(*_of_group(scope, group_id))))


def present_members(session: Session, scope: Scope, group_id: uuid.UUID, among: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """Return which of these users are members of a group."""
    found: set[uuid.UUID] = set()
    for some in _portions(sorted(among)):
        query = select(_MEMBERS.user_id).where(*_of_group(scope, group_id), _MEMBERS.user_id.in_(some))
        found.update(session.scalars(query))
    return found


def add_members(session: Session, scope: Scope, group_id: uuid.UUID, joining: set[uuid.UUID]) -> None:
    """Add users to a group that are not in it."""
    ours = {"programme_id": scope.programme_id, "group_id": group_id}
    if joining:
        session.execute(insert(SCIMGroupMember), [{**ours, "user_id": user_id} for user_id in sorted(joining)])


def remove_members(session: Session, scope: Scope, group_id: uuid.UUID, leaving: set[uuid.UUID]) -> None:
    """Take users out of a group."""
    for some in _portions(sorted(leaving)):
        these = (*_of_group(scope, group_id), _MEMBERS.user_id.in_(some))
        session.execute(delete(SCIMGroupMember).where(*these), execution_options=PLAIN)


def _of_group(scope: Scope, group_id: uuid.UUID) -> tuple[ColumnElement[bool], ...]:
    return (_MEMBERS.programme_id == scope.programme_id, _MEMBERS.group_id == group_id)


def remove(session: Session, scope: Scope, group_id: uuid.UUID) -> None:
    """Remove a group with its memberships."""
    session.execute(delete(SCIMGroupMember).where(*_of_group(scope, group_id)), execution_options=PLAIN)
    session.execute(
        delete(SCIMGroup).where(_GROUPS.programme_id == scope.programme_id, _GROUPS.id == group_id),
        execution_options=PLAIN,
    )


def _portions(identifiers: list[uuid.UUID]) -> Iterator[list[uuid.UUID]]:
    for start in range(0, len(identifiers), AT_ONCE):
        yield identifiers[start : start + AT_ONCE]


def _shown(value: str | None) -> str:
    return f"“{(value or '')[:60]}”"
