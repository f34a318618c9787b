"""Groups that SCIM clients pushed, as a filter of the list: small ones are read whole, large ones are looked up."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, literal, select
from sqlalchemy.orm import Session

from rgapp.models import SCIMGroup, SCIMGroupMember, User
from rgapp.paging import Key
from rgapp.users.kinds import MOST_COUNTED

# A group of at most so many is read whole and ordered here; of a larger one an index of the users is walked.
MOST_READ = 5_000
# So many groups are offered, and in each so many members counted.
MOST_OFFERED = 100
MOST_MEMBERS_COUNTED = 1_000


@dataclass(frozen=True)
class Group:
    """One group with how many are in it: one more than `MOST_MEMBERS_COUNTED` at most."""

    id: uuid.UUID
    name: str
    count: int


def groups_of(session: Session, programme_id: uuid.UUID) -> list[Group]:
    """Return the groups of a programme by name, with their sizes; one query, each size by the members' own key."""
    some = (
        select(literal(1).label("one"))
        .where(SCIMGroupMember.programme_id == SCIMGroup.programme_id, SCIMGroupMember.group_id == SCIMGroup.id)
        .limit(MOST_MEMBERS_COUNTED + 1)
        .correlate(SCIMGroup)
        .subquery("some")
    )
    count = select(func.count()).select_from(some).correlate(SCIMGroup).scalar_subquery()
    query = select(SCIMGroup.id, SCIMGroup.display_name, count).where(SCIMGroup.programme_id == programme_id)
    rows = session.execute(query.order_by(SCIMGroup.display_key, SCIMGroup.id).limit(MOST_OFFERED))
    return [Group(*row) for row in rows]


def find_group(session: Session, programme_id: uuid.UUID, group_id: uuid.UUID) -> SCIMGroup | None:
    """Return a group of this programme, else None."""
    return session.get(SCIMGroup, (programme_id, group_id))


def is_member(group_id: uuid.UUID) -> ColumnElement[bool]:
    """Return the condition that a user is in a group: a look-up by the members' key."""
    return exists().where(
        SCIMGroupMember.programme_id == User.programme_id,
        SCIMGroupMember.group_id == group_id,
        SCIMGroupMember.user_id == User.id,
    )


def members(session: Session, programme_id: uuid.UUID, group_id: uuid.UUID, keys: Sequence[Key]) -> list[Any] | None:
    """Return everybody in a group, in no order, with the values of these keys; None where it is too large for that."""
    columns = {key.column.key: key.column for key in keys}
    kinds = (User.programme_id, User.id, User.status, User.source, User.incomplete)
    selected = [*kinds, *(column for name, column in columns.items() if name != "id")]
    rows = session.execute(_joined(select(*selected), programme_id, group_id).limit(MOST_READ + 1)).all()
    return list(rows) if len(rows) <= MOST_READ else None


def sample(session: Session, programme_id: uuid.UUID, group_id: uuid.UUID) -> list[Any]:
    """Return the first members of a large group with what they are counted by."""
    kinds = (User.programme_id, User.id, User.status, User.source, User.incomplete)
    return list(session.execute(_joined(select(*kinds), programme_id, group_id).limit(MOST_COUNTED + 1)))


def among(session: Session, programme_id: uuid.UUID, group_id: uuid.UUID, people: Sequence[Any]) -> list[Any]:
    """Return those of these people who are in a group, in one query."""
    if not people:
        return []
    inside = set(
        session.scalars(
            select(SCIMGroupMember.user_id).where(
                SCIMGroupMember.programme_id == programme_id,
                SCIMGroupMember.group_id == group_id,
                SCIMGroupMember.user_id.in_([one.id for one in people]),
            )
        )
    )
    return [one for one in people if one.id in inside]


def _joined(statement: Any, programme_id: uuid.UUID, group_id: uuid.UUID) -> Select[Any]:
    joined: Select[Any] = (
        statement.select_from(SCIMGroupMember)
        .join(User, (User.programme_id == SCIMGroupMember.programme_id) & (User.id == SCIMGroupMember.user_id))
        .where(SCIMGroupMember.programme_id == programme_id, SCIMGroupMember.group_id == group_id)
    )
    return joined
