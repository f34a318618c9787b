"""Fill a database with people by plain SQL: one big programme, fifty others of every size, names as they are spread."""

import json
import random
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import accumulate
from typing import Any
from uuid import UUID

import psycopg
from uuid_utils.compat import uuid7

from benchmarks.responses import FIRST, LAST

OTHERS = 50
SYLLABLES = (
    "an",
    "bel",
    "ca",
    "dor",
    "el",
    "fa",
    "gri",
    "ha",
    "im",
    "jo",
    "ka",
    "li",
    "mo",
    "na",
    "o",
    "pe",
    "ri",
    "st",
)
# As wide as the dictionary of a country: a thousand first names, twenty thousand last ones, the first of them common.
FIRST_NAMES, LAST_NAMES = 1_000, 20_000
COLUMNS = (
    "programme_id, id, membership_no, email, email_key, first_name, last_name, first_key, last_key, date_of_birth, "
    "status, source, field_sources, gaps, incomplete, created_at, updated_at, last_sign_in_at"
)
PROGRAMME = (
    "id, slug, name, region, timezone, contact_name, contact_email, colour, password_sign_in, guard_percent, "
    "guard_people, created_at"
)


@dataclass(frozen=True)
class Names:
    """Names in the order of how common they are, drawn with the frequencies of Zipf's law, softened."""

    names: list[str]
    weights: list[float]

    @classmethod
    def made(cls, known: tuple[str, ...], count: int, seed: int) -> "Names":
        """Make so many names; the known ones are the commonest."""
        chance = random.Random(seed)  # noqa: S311 - the same people on every run.
        found = dict.fromkeys(known)
        while len(found) < count:
            found["".join(chance.choices(SYLLABLES, k=chance.randint(2, 4))).capitalize()] = None
        return cls(list(found), list(accumulate(1 / (rank + 10) for rank in range(count))))

    def drawn(self, chance: random.Random, count: int) -> list[str]:
        """Draw names."""
        return chance.choices(self.names, cum_weights=self.weights, k=count)


def fill(address: str, big: UUID, people: int) -> None:
    """Give the big programme so many people, and a fifth as many to fifty programmes beside it."""
    programmes = [(uuid7(), f"other-{number}") for number in range(OTHERS)]
    total = people // 5
    shares = [max(1, int(total / (number + 1) / 4.5)) for number in range(OTHERS)]
    sizes = [(big, people), *((identifier, share) for (identifier, _), share in zip(programmes, shares, strict=True))]
    writer = _SQLite(address) if address.startswith("sqlite") else _PostgreSQL(address)
    writer.programmes([(identifier, slug) for identifier, slug in programmes])
    writer.people(_people(sizes, writer.on_sqlite))


def _people(sizes: list[tuple[UUID, int]], on_sqlite: bool) -> Iterator[tuple[Any, ...]]:
    """Yield the rows: five in a hundred are leavers, one in fifty lacks something, most came by their first sign-in."""
    chance = random.Random(1)  # noqa: S311 - the same people on every run.
    first_names, last_names = Names.made(FIRST, FIRST_NAMES, 2), Names.made(LAST, LAST_NAMES, 3)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    at: Any = now.strftime("%Y-%m-%d %H:%M:%S.%f") if on_sqlite else now
    sources = json.dumps([[{"source": "inbound-saml", "name": "Okta", "at": now.isoformat()}, ["email"]]])
    for programme, count in sizes:
        owner = programme.hex if on_sqlite else programme
        kinds = chance.choices(("inbound-saml", "scim", "hand"), (80, 17, 3), k=count)
        everybody = zip(first_names.drawn(chance, count), last_names.drawn(chance, count), kinds, strict=True)
        for number, (first, last, source) in enumerate(everybody):
            identifier = uuid7()
            email = f"{first}.{last}.{number}@acme.example".lower().replace(" ", "").replace("’", "")
            gap = chance.random() < 0.02
            yield (
                owner,
                identifier.hex if on_sqlite else identifier,
                f"E{number:07}",
                email,
                email,
                first,
                last,
                first.casefold(),
                last.casefold(),
                None if gap else (str(date(1980, 1, 1)) if on_sqlite else date(1980, 1, 1)),
                "leaver" if chance.random() < 0.05 else "active",
                source,
                sources,
                json.dumps({"date_of_birth": "missing"} if gap else {}),
                gap,
                at,
                at,
                at if chance.random() < 0.7 else None,
            )


class _SQLite:
    on_sqlite = True

    def __init__(self, address: str) -> None:
        self.connection = sqlite3.connect(address.removeprefix("sqlite:///"), isolation_level=None)
        self.connection.execute("PRAGMA synchronous = OFF")
        self.connection.execute("PRAGMA cache_size = -1000000")

    def programmes(self, found: list[tuple[UUID, str]]) -> None:
        """Insert the programmes beside the big one."""
        for identifier, slug in found:
            self.connection.execute(_programme("?"), (identifier.hex, slug, slug.title(), "2026-01-01 00:00:00.000000"))

    def people(self, rows: Iterator[tuple[Any, ...]]) -> None:
        """Insert the people; the indexes are made afterwards, which is far quicker."""
        indexes = self.connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'users' AND sql IS NOT NULL"
        ).fetchall()
        self.connection.execute("BEGIN")
        for name, _ in indexes:
            self.connection.execute(f'DROP INDEX "{name}"')
        marks = ", ".join("?" * len(COLUMNS.split(",")))
        self.connection.executemany(f"INSERT INTO users ({COLUMNS}) VALUES ({marks})", rows)  # noqa: S608 - our own.
        for _, statement in indexes:
            self.connection.execute(statement)
        self.connection.execute("COMMIT")
        self.connection.execute("ANALYZE")
        self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.connection.close()


class _PostgreSQL:
    on_sqlite = False

    def __init__(self, address: str) -> None:
        self.connection = psycopg.connect(address, autocommit=True)

    def programmes(self, found: list[tuple[UUID, str]]) -> None:
        """Insert the programmes beside the big one."""
        for identifier, slug in found:
            self.connection.execute(
                _programme("%s"), (identifier, slug, slug.title(), datetime(2026, 1, 1, tzinfo=UTC))
            )

    def people(self, rows: Iterator[tuple[Any, ...]]) -> None:
        """Copy the people in, and tidy up as the server would in its first minutes."""
        with self.connection.cursor() as cursor, cursor.copy(f"COPY users ({COLUMNS}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        self.connection.execute("VACUUM ANALYZE")
        self.connection.close()


def _programme(mark: str) -> str:
    values = f"{mark}, {mark}, {mark}, 'international', 'UTC', '', '', 'indigo', false, 10, 5, {mark}"
    return f"INSERT INTO programmes ({PROGRAMME}) VALUES ({values})"  # noqa: S608 - our own constants.
