"""The list of users as CSV, safe to open in a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from rgapp.models import Programme, User

HEADER = (
    "Programme",
    "Membership No.",
    "E-mail address",
    "First name",
    "Last name",
    "Date of birth",
    "Status",
    "Source",
    "Last sign-in (UTC)",
)
# A cell that starts like this is a formula to a spreadsheet.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def safe_cell(value: Any) -> str:
    """Return a value as text that no spreadsheet runs: what looks like a formula gets an apostrophe in front."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA_STARTS) else text


def csv_head() -> str:
    """Return the first line; it starts with a byte order mark, without which Excel misreads names."""
    return "\ufeff" + _lines([HEADER])


def csv_lines(
    users: Sequence[User],
    programmes: Mapping[UUID, Programme],
    sources: Mapping[UUID, str],
    labels: Mapping[str, str],
) -> str:
    """Return the lines of these users."""
    return _lines(_row(user, programmes, sources, labels) for user in users)


def _row(
    user: User, programmes: Mapping[UUID, Programme], sources: Mapping[UUID, str], labels: Mapping[str, str]
) -> tuple[Any, ...]:
    programme = programmes.get(user.programme_id)
    source = sources.get(user.source_integration_id) if user.source_integration_id else None
    return (
        programme.name if programme is not None else "",
        user.membership_no,
        user.email,
        user.first_name,
        user.last_name,
        user.date_of_birth.isoformat() if user.date_of_birth else None,
        user.status,
        source or labels.get(user.source, user.source),
        f"{user.last_sign_in_at:%Y-%m-%d %H:%M}" if user.last_sign_in_at else None,
    )


def _lines(rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerows([safe_cell(value) for value in row] for row in rows)
    return text.getvalue()
