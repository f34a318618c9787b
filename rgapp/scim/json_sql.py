"""JSON in SQL: the few questions that filters and sorting ask, as SQLite and PostgreSQL spell them."""

from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    FromClause,
    Integer,
    String,
    Text,
    and_,
    cast,
    collate,
    false,
    func,
    select,
    true,
)
from sqlalchemy.sql import column


@dataclass(frozen=True)
class Entries:
    """The entries of a JSON array as rows: one entry of them, and its place in the array."""

    rows: FromClause
    entry: ColumnElement[Any]
    place: ColumnElement[Any]


class JSONSQL(Protocol):
    """What a database can be asked about JSON; `path` are names from the document down."""

    def text(self, document: ColumnElement[Any], *path: str) -> ColumnElement[Any]:
        """Return a string, NULL where there is none."""

    def boolean(self, document: ColumnElement[Any], *path: str) -> ColumnElement[Any]:
        """Return a boolean, NULL where there is none."""

    def own_text(self, entry: ColumnElement[Any]) -> ColumnElement[Any]:
        """Return an entry of an array that is a string itself."""

    def exists(self, document: ColumnElement[Any], *path: str) -> ColumnElement[bool]:
        """Tell whether there is anything."""

    def filled(self, document: ColumnElement[Any], *path: str) -> ColumnElement[bool]:
        """Tell whether an object has a member that is present (RFC 7644 section 3.4.2.2): no null, no empty string."""

    def entries(self, document: ColumnElement[Any], *path: str) -> Entries:
        """Return the entries of an array, none where there is no array."""

    def uuid_text(self, value: ColumnElement[Any]) -> ColumnElement[Any]:
        """Return an identifier as clients know it."""

    def contains(self, text: ColumnElement[Any], part: str) -> ColumnElement[bool]:
        """Tell whether a text has a part in it."""

    def ends(self, text: ColumnElement[Any], end: str) -> ColumnElement[bool]:
        """Tell whether a text ends so."""

    def ordered(self, text: ColumnElement[Any]) -> ColumnElement[Any]:
        """Return a text that is ordered by code point."""


class SQLite:
    """SQLite's JSON functions."""

    def text(self, document: ColumnElement[Any], *path: str) -> ColumnElement[Any]:
        """See `JSONSQL`."""
        return func.json_extract(document, _sqlite_path(path), type_=String)

    def boolean(self, document: ColumnElement[Any], *path: str) -> ColumnElement[Any]:
        """See `JSONSQL`; true and false are 1 and 0 here."""
        return func.json_extract(document, _sqlite_path(path), type_=Boolean)

    def own_text(self, entry: ColumnElement[Any]) -> ColumnElement[Any]:
        """See `JSONSQL`; `json_each` gives strings as they are."""
        return entry

    def exists(self, document: ColumnElement[Any], *path: str) -> ColumnElement[bool]:
        """See `JSONSQL`."""
        return func.json_type(document, _sqlite_path(path), type_=String).is_not(None)

    def filled(self, document: ColumnElement[Any], *path: str) -> ColumnElement[bool]:
        """See `JSONSQL`."""
        each = func.json_each(document, _sqlite_path(path)).table_valued(column("value", String)).alias()
        return select(true()).select_from(each).where(each.c.value != "").exists()

    def entries(self, document: ColumnElement[Any], *path: str) -> Entries:
        """See `JSONSQL`."""
        each = (
            func.json_each(document, _sqlite_path(path))
            .table_valued(column("value", String), column("key", Integer))
            .alias()
        )
        return Entries(each, each.c.value, each.c.key)

    def uuid_text(self, value: ColumnElement[Any]) -> ColumnElement[Any]:
        """See `JSONSQL`; it is kept as 32 digits."""
        digits = cast(value, String(32))
        parts = [func.substr(digits, start, length) for start, length in ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))]
        text: ColumnElement[Any] = parts[0]
        for part in parts[1:]:
            text = text.op("||")("-").op("||")(part)
        return cast(text, String)

    def contains(self, text: ColumnElement[Any], part: str) -> ColumnElement[bool]:
        """See `JSONSQL`."""
        return func.instr(text, part, type_=Integer) > 0

    def ends(self, text: ColumnElement[Any], end: str) -> ColumnElement[bool]:
        """See `JSONSQL`."""
        return func.substr(text, -len(end), type_=String) == end if end else text.is_not(None)

    def ordered(self, text: ColumnElement[Any]) -> ColumnElement[Any]:
        """See `JSONSQL`; that is how SQLite orders."""
        return text


class PostgreSQL:
    """PostgreSQL's functions of jsonb."""

    def text(self, document: ColumnElement[Any], *path: str) -> ColumnElement[Any]:
        """See `JSONSQL`."""
        return func.jsonb_extract_path_text(document, *path, type_=Text)

    def boolean(self, document: ColumnElement[Any], *path: str) -> ColumnElement[Any]:
        """See `JSONSQL`."""
        return cast(self.text(document, *path), Boolean)

    def own_text(self, entry: ColumnElement[Any]) -> ColumnElement[Any]:
        """See `JSONSQL`."""
        return cast(entry.op("#>>")(cast([], ARRAY(Text))), Text)

    def exists(self, document: ColumnElement[Any], *path: str) -> ColumnElement[bool]:
        """See `JSONSQL`."""
        return func.jsonb_extract_path(document, *path).is_not(None)

    def filled(self, document: ColumnElement[Any], *path: str) -> ColumnElement[bool]:
        """See `JSONSQL`."""
        whole = func.jsonb_extract_path(document, *path) if path else document
        each = func.jsonb_each_text(whole).table_valued(column("key", Text), column("value", Text)).alias()
        return select(true()).select_from(each).where(each.c.value != "").exists()

    def entries(self, document: ColumnElement[Any], *path: str) -> Entries:
        """See `JSONSQL`."""
        each = (
            func.jsonb_array_elements(func.jsonb_extract_path(document, *path))
            .table_valued("value", with_ordinality="place")
            .render_derived()
        )
        return Entries(each, each.c.value, each.c.place)

    def uuid_text(self, value: ColumnElement[Any]) -> ColumnElement[Any]:
        """See `JSONSQL`."""
        return collate(cast(value, Text), "C")

    def contains(self, text: ColumnElement[Any], part: str) -> ColumnElement[bool]:
        """See `JSONSQL`."""
        return func.strpos(text, part, type_=Integer) > 0

    def ends(self, text: ColumnElement[Any], end: str) -> ColumnElement[bool]:
        """See `JSONSQL`."""
        return func.right(text, len(end), type_=Text) == end if end else text.is_not(None)

    def ordered(self, text: ColumnElement[Any]) -> ColumnElement[Any]:
        """See `JSONSQL`; else the rules of the database's language would order."""
        return collate(cast(text, Text), "C")


DIALECTS: dict[str, JSONSQL] = {"sqlite": SQLite(), "postgresql": PostgreSQL()}


def starts(ordered: ColumnElement[Any], start: str) -> ColumnElement[bool]:
    """Tell whether a text starts so, as a range that an index answers; it is ordered by code point."""
    if not start:
        return ordered.is_not(None)
    end = after_prefix(start)
    return ordered >= start if end is None else and_(ordered >= start, ordered < end)


def after_prefix(prefix: str) -> str | None:
    """Return the first text by code point after all those that start with this; None where there is none."""
    for place in range(len(prefix) - 1, -1, -1):
        code = ord(prefix[place])
        if code < 0x10FFFF:
            following = 0xE000 if code == 0xD7FF else code + 1  # Half a pair is no character.
            return prefix[:place] + chr(following)
    return None


def as_bool(condition: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return a condition that is never unknown: what is unknown does not hold."""
    return func.coalesce(condition, false(), type_=Boolean)


def _sqlite_path(path: tuple[str, ...]) -> str:
    return "$" + "".join(f'."{name}"' for name in path)
