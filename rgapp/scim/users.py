"""The rows of SCIM users: look-ups by their indexes, and the few statements that write them."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, delete, exists, literal_column, select, update
from sqlalchemy.orm import Session

from rgapp.integrations.scim.schemas import MAX_RESULTS
from rgapp.models import SCIMGroup, SCIMGroupMember, SCIMUser, User, UserStatus
from rgapp.models.prepared import Prepared
from rgapp.models.rows import insert_if_new
from rgapp.scim.documents import Document, caseless, exact, key_of
from rgapp.scim.scope import Scope

#: One more than a page has, so that a look-up which finds more is known to.
MOST_LOOKED_UP = MAX_RESULTS + 1
_USERS, _PEOPLE = SCIMUser.__table__.c, User.__table__.c
_GROUPS, _MEMBERS = SCIMGroup.__table__.c, SCIMGroupMember.__table__.c
# Most people are in no group: asking for that on the way saves asking for their groups.
_IS_MEMBER = (
    exists()
    .where(_MEMBERS.programme_id == _USERS.programme_id, _MEMBERS.user_id == _USERS.user_id)
    .correlate(SCIMUser.__table__)
    .label("is_member")
)
_COLUMNS = [
    _USERS.user_id,
    _USERS.resource,
    _USERS.version,
    _USERS.created_at,
    _USERS.updated_at,
    _PEOPLE.status,
    _IS_MEMBER,
]
_SELECT = select(*_COLUMNS).join(
    User.__table__, (_PEOPLE.programme_id == _USERS.programme_id) & (_PEOPLE.id == _USERS.user_id)
)
_OURS = (
    _USERS.programme_id == bindparam("of_programme"),
    _USERS.integration_id == bindparam("of_integration"),
)
_SCOPED = _SELECT.where(*_OURS)


class Row(NamedTuple):
    """A SCIM user as it is stored, with the status of the account, and whether it is in a group of anybody's."""

    user_id: uuid.UUID
    resource: dict[str, Any]
    version: int
    created_at: datetime
    updated_at: datetime
    status: str
    is_member: bool

    @property
    def active(self) -> bool:
        """Tell whether the account is open."""
        return self.status == UserStatus.ACTIVE


_BY_ID = Prepared(lambda _: _SCOPED.where(_USERS.user_id == bindparam("wanted")), _COLUMNS)
_BY_USER_NAME = Prepared(lambda _: _SCOPED.where(_USERS.user_name_key == bindparam("wanted")), _COLUMNS)
_BY_EXTERNAL_ID = Prepared(
    lambda _: (
        _SCOPED.where(_USERS.external_id == bindparam("wanted"))
        .order_by(_USERS.user_id)
        .limit(literal_column(str(MOST_LOOKED_UP)))
        .offset(literal_column("0"))
    ),
    _COLUMNS,
)
# The account as well: PostgreSQL reads anew, once it has waited, only those rows that it locks, and whether somebody is
# active stands there.
_LOCKED = Prepared(
    lambda _: _SCOPED.where(_USERS.user_id == bindparam("wanted")).with_for_update(
        of=[SCIMUser.__table__, User.__table__]
    ),
    _COLUMNS,
)
_OWNER_OF_NAME = Prepared(
    lambda _: select(_USERS.user_id).where(*_OURS, _USERS.user_name_key == bindparam("wanted")), [_USERS.user_id]
)
_WRITTEN = ("user_name", "user_name_key", "external_id", "resource", "search", "version", "updated_at")
_UPDATE = Prepared(
    lambda _: (
        update(SCIMUser)
        .where(*_OURS, _USERS.user_id == bindparam("wanted"), _USERS.version == bindparam("expected"))
        .values({name: bindparam(f"new_{name}") for name in _WRITTEN})
    )
)
_TOUCH = Prepared(
    lambda _: (
        update(SCIMUser)
        .where(*_OURS, _USERS.user_id == bindparam("wanted"), _USERS.version == bindparam("expected"))
        .values(version=bindparam("new_version"), updated_at=bindparam("new_updated_at"))
    )
)
_MEMBERSHIPS = [_MEMBERS.group_id, _GROUPS.display_name]
_GROUPS_OF = Prepared(
    lambda _: (
        select(*_MEMBERSHIPS)
        .join(
            SCIMGroup.__table__,
            (_GROUPS.programme_id == _MEMBERS.programme_id) & (_GROUPS.id == _MEMBERS.group_id),
        )
        .where(
            _MEMBERS.programme_id == bindparam("of_programme"),
            _MEMBERS.user_id == bindparam("wanted"),
            _GROUPS.integration_id == bindparam("of_integration"),
        )
        .order_by(_MEMBERS.group_id)
    ),
    _MEMBERSHIPS,
)
HOT: dict[str, Prepared] = {"id": _BY_ID, "username": _BY_USER_NAME, "externalid": _BY_EXTERNAL_ID}


def by_id(session: Session, scope: Scope, user_id: uuid.UUID, *, to_change: bool = False) -> Row | None:
    """Return a user; `to_change` keeps others from changing it until the transaction ends."""
    locks = to_change and session.get_bind().dialect.name == "postgresql"
    found = (_LOCKED if locks else _BY_ID).rows(session, {**scope.values, "wanted": user_id})
    return Row(*found[0]) if found else None


def owner_of_name(session: Session, scope: Scope, user_name: str) -> uuid.UUID | None:
    """Return who has a userName, whatever its case."""
    found = _OWNER_OF_NAME.rows(session, {**scope.values, "wanted": caseless(user_name)})
    return found[0][0] if found else None


def by_key(session: Session, scope: Scope, attribute: str, value: str) -> list[Row]:
    """Return the users whose `id`, `userName` or `externalId` (in lower case) is this, at most `MOST_LOOKED_UP`."""
    wanted: Any = value
    if attribute == "id":
        wanted = read_id(value)
        if wanted is None:
            return []
    else:
        wanted = caseless(value) if attribute == "username" else exact(value)
    values = {**scope.values, "wanted": wanted}
    return [Row(*row) for row in HOT[attribute].rows(session, values)]


def load(session: Session, scope: Scope, identifiers: Sequence[uuid.UUID]) -> dict[uuid.UUID, Row]:
    """Return the users with these identifiers."""
    if not identifiers:
        return {}
    found = session.execute(_SCOPED.where(_USERS.user_id.in_(identifiers)), scope.values)
    return {row[0]: Row(*row) for row in found}


def groups_of(session: Session, scope: Scope, row: Row) -> list[dict[str, Any]]:
    """Return the value of one user's `groups` (RFC 7643 section 4.1.2)."""
    if not row.is_member:
        return []
    return [_membership(*found) for found in _GROUPS_OF.rows(session, {**scope.values, "wanted": row.user_id})]


def groups_of_all(
    session: Session, scope: Scope, identifiers: Sequence[uuid.UUID]
) -> dict[uuid.UUID, list[dict[str, Any]]]:
    """Return the values of `groups` of many users; who is in none is not there."""
    query = (
        select(_MEMBERS.user_id, *_MEMBERSHIPS)
        .join(
            SCIMGroup.__table__,
            (_GROUPS.programme_id == _MEMBERS.programme_id) & (_GROUPS.id == _MEMBERS.group_id),
        )
        .where(
            _MEMBERS.programme_id == scope.programme_id,
            _MEMBERS.user_id.in_(identifiers),
            _GROUPS.integration_id == scope.integration_id,
        )
        .order_by(_MEMBERS.group_id)
    )
    found: dict[uuid.UUID, list[dict[str, Any]]] = {}
    for user_id, group_id, name in session.execute(query):
        found.setdefault(user_id, []).append(_membership(group_id, name))
    return found


def _membership(group_id: uuid.UUID, name: str) -> dict[str, Any]:
    return {"value": str(group_id), "$ref": f"Groups/{group_id}", "display": name, "type": "direct"}


def keys_of(document: Document) -> dict[str, Any]:
    """Return the columns that a document fills.

    Raises `InvalidValueException` where userName or externalId do not fit.
    """
    said = document.resource
    external_id = said.get("externalId")
    return {
        "user_name": said.get("userName") or "",
        "user_name_key": key_of("userName", said.get("userName"), caseless),
        "external_id": key_of("externalId", external_id, exact) if external_id else None,
        "resource": said,
        "search": document.search,
    }


def insert(session: Session, scope: Scope, user_id: uuid.UUID, keys: dict[str, Any], now: datetime) -> bool:
    """Insert a user; False where this user, or its userName, is there already."""
    row = {
        "programme_id": scope.programme_id,
        "integration_id": scope.integration_id,
        "user_id": user_id,
        **keys,
        "version": 1,
        "created_at": now,
        "updated_at": now,
    }
    return insert_if_new(session, SCIMUser, row)


def replace(session: Session, scope: Scope, row: Row, keys: dict[str, Any], now: datetime) -> bool:
    """Replace what is stored of a user; False where somebody else changed it after it was read."""
    values = {f"new_{name}": value for name, value in keys.items()}
    values |= {"new_version": row.version + 1, "new_updated_at": now, "expected": row.version, "wanted": row.user_id}
    return _UPDATE.run(session, {**scope.values, **values}) == 1


def touch(session: Session, scope: Scope, row: Row, now: datetime) -> bool:
    """Note that a user changed whose document stays; False where somebody else changed it after it was read."""
    values = {"new_version": row.version + 1, "new_updated_at": now, "expected": row.version, "wanted": row.user_id}
    return _TOUCH.run(session, {**scope.values, **values}) == 1


def remove(session: Session, scope: Scope, user_id: uuid.UUID) -> None:
    """Remove a user's resource and its memberships in this integration's groups; the account is not touched."""
    ours = select(_GROUPS.id).where(
        _GROUPS.programme_id == scope.programme_id, _GROUPS.integration_id == scope.integration_id
    )
    session.execute(
        delete(SCIMGroupMember).where(
            _MEMBERS.programme_id == scope.programme_id, _MEMBERS.user_id == user_id, _MEMBERS.group_id.in_(ours)
        ),
        execution_options={"synchronize_session": False},
    )
    session.execute(
        delete(SCIMUser).where(*_OURS, _USERS.user_id == bindparam("wanted")),
        {**scope.values, "wanted": user_id},
        execution_options={"synchronize_session": False},
    )


def read_id(text: str) -> uuid.UUID | None:
    """Return the identifier that a text stands for as we write it, else None."""
    try:
        found = uuid.UUID(text)
    except ValueError:
        return None
    return found if str(found) == text else None
