"""Whom a feed has brought so far: what each row said then, to tell what is new, and who is absent now."""

import json
import uuid
from array import array
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rgapp.database import reading
from rgapp.integrations.sync.expected import Expected
from rgapp.models import FeedRecord, Integration, User, UserStatus
from rgapp.models.bulk import insert_many, select_all, update_many
from rgapp.provisioning.cells import Line

KEYS: Final = ("programme_id", "integration_id", "key")
VALUES: Final = ("user_id", "digest", "row_digest", "present")


@dataclass(frozen=True, slots=True)
class Record:
    """What is kept of one person of one feed."""

    user_id: str
    digest: bytes
    row_digest: bytes | None
    present: bool


class KnownPeople:
    """The people of one integration's feed."""

    def __init__(self, session: Session, programme_id: uuid.UUID, integration_id: uuid.UUID) -> None:
        self._session = session
        self._programme_id = programme_id
        self._integration_id = integration_id
        self._place_in_hex = (programme_id.hex, integration_id.hex)

    def _place(self) -> tuple[Any, Any]:
        on_sqlite = self._session.get_bind().dialect.name == "sqlite"
        return self._place_in_hex if on_sqlite else (self._programme_id, self._integration_id)

    def expected(self) -> tuple[Expected, int]:
        """Return what is expected of rows that nothing was wrong with last time, and how many people are there."""
        marks = array("q")
        people = 0
        statement = "SELECT row_digest FROM feed_records WHERE programme_id = ? AND integration_id = ? AND present"
        for rows in select_all(self._session, statement, self._place()):
            people += len(rows)
            marks.extend(hash(bytes(digest)) for (digest,) in rows if digest is not None)
        return Expected(marks), people

    def unexpected(self) -> tuple[Expected, int]:
        """Return that no row is expected, and one person where there are any: asking costs the same for a million."""
        anybody = select(FeedRecord.key).where(
            FeedRecord.programme_id == self._programme_id,
            FeedRecord.integration_id == self._integration_id,
            FeedRecord.present,
        )
        return Expected(array("q")), int(self._session.scalar(anybody.limit(1)) is not None)

    def records(self, keys: Iterable[str]) -> dict[str, Record]:
        """Return what is kept of these people."""
        wanted = list(keys)
        if not wanted:
            return {}
        on_sqlite = self._session.get_bind().dialect.name == "sqlite"
        among = "IN (SELECT value FROM json_each(?))" if on_sqlite else "= ANY(?)"
        statement = (
            "SELECT key, user_id, digest, row_digest, present FROM feed_records "  # noqa: S608 - our own words.
            f"WHERE programme_id = ? AND integration_id = ? AND key {among}"
        )
        given: Any = json.dumps(wanted, ensure_ascii=False) if on_sqlite else wanted
        found: dict[str, Record] = {}
        for rows in select_all(self._session, statement, (*self._place(), given)):
            for key, user_id, digest, row_digest, present in rows:
                identifier = user_id if isinstance(user_id, str) else user_id.hex
                kept = bytes(row_digest) if row_digest is not None else None
                found[key] = Record(identifier, bytes(digest), kept, bool(present))
        return found

    def present(self, keys: Iterable[str]) -> frozenset[str]:
        """Return who of these are there, in a transaction that ends with it."""
        with reading():
            found = self.records(keys)
            self._session.rollback()
        return frozenset(key for key, record in found.items() if record.present)

    def not_met(self, expected: Expected) -> Iterator[tuple[str, str]]:
        """Yield key and user of those who are present and whose row is still expected, or had something wrong."""
        columns, where = "key, user_id, row_digest", "programme_id = ? AND integration_id = ? AND present"
        statement = f"SELECT {columns} FROM feed_records WHERE {where}"  # noqa: S608 - our own words.
        for rows in select_all(self._session, statement, self._place()):
            for key, user_id, digest in rows:
                if digest is None or hash(bytes(digest)) in expected:
                    yield key, user_id if isinstance(user_id, str) else user_id.hex

    def places(self, user_ids: Sequence[str]) -> Iterator[tuple[str, str, bytes | None]]:
        """Yield user, key and row of what is kept of these people, as far as they are present."""
        query = select(FeedRecord.user_id, FeedRecord.key, FeedRecord.row_digest).where(
            FeedRecord.programme_id == self._programme_id,
            FeedRecord.integration_id == self._integration_id,
            FeedRecord.user_id.in_([uuid.UUID(hex=each) for each in user_ids]),
            FeedRecord.present,
        )
        for user_id, key, digest in self._session.execute(query):
            yield user_id.hex, key, bytes(digest) if digest is not None else None

    def listed_elsewhere(self, user_ids: Sequence[str]) -> dict[str, tuple[str, str]]:
        """Return those of these people who are active and whom another live feed of the programme names.

        Each with her Membership No. and the feed's name; of several feeds the first by name.
        """
        name = func.min(func.coalesce(Integration.live_name, Integration.name))
        query = (
            select(FeedRecord.user_id, User.membership_no, name)
            .join(
                Integration,
                (Integration.programme_id == FeedRecord.programme_id) & (Integration.id == FeedRecord.integration_id),
            )
            .join(User, (User.programme_id == FeedRecord.programme_id) & (User.id == FeedRecord.user_id))
            .where(
                FeedRecord.programme_id == self._programme_id,
                FeedRecord.user_id.in_([uuid.UUID(hex=each) for each in user_ids]),
                FeedRecord.integration_id != self._integration_id,
                FeedRecord.present,
                Integration.enabled,
                Integration.live_version.is_not(None),
                User.status == UserStatus.ACTIVE,
            )
            .group_by(FeedRecord.user_id, User.membership_no)
        )
        return {user_id.hex: (number or "", feed) for user_id, number, feed in self._session.execute(query)}

    def numbered(self, membership_nos: Collection[str]) -> set[str]:
        """Return who has one of these Membership Nos."""
        if not membership_nos:
            return set()
        query = select(User.id).where(User.programme_id == self._programme_id, User.membership_no.in_(membership_nos))
        return {user_id.hex for user_id in self._session.scalars(query)}

    def lock(self, user_ids: Sequence[str]) -> None:
        """Let of two feeds that drop the same people at once the second one see what the first one did."""
        query = select(User.id).where(
            User.programme_id == self._programme_id, User.id.in_([uuid.UUID(hex=each) for each in user_ids])
        )
        self._session.scalars(query.order_by(User.id).with_for_update()).all()

    def people(self, user_ids: Sequence[str]) -> dict[str, tuple[bool, str]]:
        """Return whether each of these is active, and how to call her."""
        found = self._session.execute(
            select(User.id, User.status, User.first_name, User.last_name, User.membership_no).where(
                User.programme_id == self._programme_id, User.id.in_([uuid.UUID(hex=each) for each in user_ids])
            )
        )
        return {
            identifier.hex: (status == UserStatus.ACTIVE, call(first, last, number))
            for identifier, status, first, last, number in found
        }

    def row_of(self, line: Line, user_id: str) -> tuple[Any, ...]:
        """Return what is kept of a row and the person whom it made or met, as `remember` writes it."""
        row_digest = bytes.fromhex(line.row_digest) if line.row_digest else None
        return (*self._place_in_hex, line.key, user_id, bytes.fromhex(line.digest), row_digest, True)

    def remember(self, fresh: Sequence[tuple[Any, ...]], again: Sequence[tuple[Any, ...]]) -> None:
        """Keep what rows said: those of `row_of`, of people who are new to the feed, and of those who are not."""
        insert_many(self._session, FeedRecord, (*KEYS, *VALUES), fresh)
        update_many(self._session, FeedRecord, KEYS, VALUES, [(*row[len(KEYS) :], *row[: len(KEYS)]) for row in again])

    def forget(self, keys: Sequence[str]) -> None:
        """Note that these people are absent, and that is settled: coming back they are somebody who changed."""
        rows = [(False, *self._place_in_hex, key) for key in keys]
        update_many(self._session, FeedRecord, KEYS, ("present",), rows)


def is_kept(line: Line, record: Record | None) -> bool:
    """Tell whether everything that would be kept of a row is kept already."""
    if record is None or not record.present or record.digest.hex() != line.digest:
        return False
    return (record.row_digest.hex() if record.row_digest else None) == line.row_digest


def call(first_name: str | None, last_name: str | None, membership_no: str | None) -> str:
    """Return how a person is called in lists: "Jane Carter (E1001)"."""
    name = " ".join(part for part in (first_name, last_name) if part)
    return (f"{name} ({membership_no})" if name else str(membership_no or ""))[:200]
