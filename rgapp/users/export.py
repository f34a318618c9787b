"""The list of users as CSV, safe to open in a spreadsheet."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from rgapp.models import Programme, User
from rgapp.spreadsheets import BYTE_ORDER_MARK, csv_text

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


def csv_head() -> str:
    """Return the first line; it starts with a byte order mark, without which Excel misreads names."""
    return BYTE_ORDER_MARK + csv_text([HEADER])


def csv_lines(
    users: Sequence[User],
    programmes: Mapping[UUID, Programme],
    sources: Mapping[UUID, str],
    labels: Mapping[str, str],
) -> str:
    """Return the lines of these users."""
    return csv_text(_row(user, programmes, sources, labels) for user in users)


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
