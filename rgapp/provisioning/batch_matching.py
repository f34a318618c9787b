"""Find the accounts of many records at once, and who stands in their way, as `matching.find` does for one."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pydantic_core import to_json
from sqlalchemy import ClauseElement, bindparam, func, select
from sqlalchemy.orm import Session

from rgapp.audit import Tag
from rgapp.models import AuditEvent, User, UserStatus
from rgapp.models.prepared import Prepared
from rgapp.provisioning.cells import Line
from rgapp.provisioning.matching import Account, Match
from rgapp.provisioning.policy import Source

NOBODY: Final = Match()


@dataclass(frozen=True, slots=True)
class Known(Account):
    """An account with what writing its changes needs, as it was when we looked."""

    field_sources: dict[str, Any]
    created_at: datetime
    deactivated_at: datetime | None
    last_sign_in_at: datetime | None


COLUMNS: Final = (
    "programme_id",
    "id",
    "status",
    "membership_no",
    "email",
    "email_key",
    "first_name",
    "last_name",
    "date_of_birth",
    "field_sources",
    "created_at",
    "deactivated_at",
    "last_sign_in_at",
)


def is_anybody_there(session: Session, programme_id: uuid.UUID) -> bool:
    """Tell whether a programme has people at all: in an empty one nobody has to be looked for."""
    return session.scalar(select(User.id).where(User.programme_id == programme_id).limit(1)) is not None


def find_many(session: Session, programme_id: uuid.UUID, lines: Sequence[Line], *, lock: bool = False) -> list[Match]:
    """Match each line: by the account that its feed has meant so far, if that is there, else by Membership No.

    With `lock`, those accounts stay as they are until the transaction ends. Who holds an address is looked up, but not
    locked.
    """
    session.flush()
    numbers = {line.membership_no for line in lines if line.membership_no}
    accounts = {each.id: each for each in _look_up(session, programme_id, "membership_no", numbers, lock)}
    by_number = {each.membership_no: each for each in accounts.values()}
    meant = {line.user_id for line in lines if line.user_id} - {identifier.hex for identifier in accounts}
    accounts |= {each.id: each for each in _look_up(session, programme_id, "id", meant, lock)}
    by_id = {each.id.hex: each for each in accounts.values()}
    addresses = {key for line in lines if (key := line.address_key)}
    by_address: dict[str | None, Known] = {}
    for each in _look_up(session, programme_id, "email_key", addresses, False):
        by_address[each.email_key] = accounts.get(each.id, each)
    if not accounts and not by_address:
        return [NOBODY] * len(lines)
    return [_match(line, by_number, by_id, by_address) for line in lines]


def _match(
    line: Line, by_number: dict[str, Known], by_id: dict[str, Known], by_address: dict[str | None, Known]
) -> Match:
    numbered = by_number.get(line.membership_no) if line.membership_no else None
    user = (by_id.get(line.user_id) if line.user_id else None) or numbered
    holder = by_address.get(line.address_key) if line.email else None
    if user is None and numbered is None and holder is None:
        return NOBODY
    return Match(
        user=user,
        membership_holder=numbered if numbered is not user else None,
        email_holder=holder if holder is not None and (user is None or holder.id != user.id) else None,
    )


def left_by_hand(session: Session, programme_id: uuid.UUID, users: Iterable[Known]) -> set[uuid.UUID]:
    """Return which of these a person took out: their last leaving was nobody's feed."""
    leavers = [user.id for user in users if user.status == UserStatus.LEAVER]
    if not leavers:
        return set()
    query = select(AuditEvent.user_id, AuditEvent.facts).where(
        AuditEvent.programme_id == programme_id,
        AuditEvent.user_id.in_(leavers),
        AuditEvent.tag == Tag.USER_DEACTIVATED,
    )
    last: dict[uuid.UUID | None, dict[str, Any]] = {}
    for user_id, facts in session.execute(query.order_by(AuditEvent.id)):
        last[user_id] = facts
    return {user_id for user_id, facts in last.items() if user_id and facts.get("source") == Source.HAND}


def _look_up(session: Session, programme_id: uuid.UUID, column: str, values: set[Any], lock: bool) -> Iterable[Known]:
    if not values:
        return ()
    on_sqlite = session.get_bind().dialect.name == "sqlite"
    wanted: Any = list(values)
    if on_sqlite:
        wanted = to_json(wanted).decode()
    elif column == "id":
        wanted = [uuid.UUID(hex=value) for value in wanted]
    statement = _STATEMENTS[column, lock]
    return [Known(*row) for row in statement.rows(session, {"of_programme": programme_id, "wanted": wanted})]


def _statement(column: str, lock: bool) -> Prepared:
    users = User.__table__.c
    columns = [users[name] for name in COLUMNS]

    def build(dialect: str) -> ClauseElement:
        # No type of ours: one parameter holds all values, as JSON or as an array.
        wanted: Any = bindparam("wanted")
        if dialect == "sqlite":
            among: Any = users[column].in_(select(func.json_each(wanted).table_valued("value").c.value))
        else:
            among = users[column] == func.any(wanted)
        query = select(*columns).where(users.programme_id == bindparam("of_programme"), among)
        # Two runs that lock in one order do not stand in each other's way. SQLite locks no rows, and would go through
        # the whole programme for the sake of the order.
        return query.order_by(users.id).with_for_update() if lock and dialect != "sqlite" else query

    return Prepared(build, columns)


_STATEMENTS = {
    (column, lock): _statement(column, lock)
    for column in ("membership_no", "id", "email_key")
    for lock in (False, True)
}
