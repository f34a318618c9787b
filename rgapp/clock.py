"""The one place where the edges of the application read the time; everything inside takes it as an argument."""

from datetime import UTC, datetime


def utcnow() -> datetime:
    """Return the current time as an aware datetime in UTC."""
    return datetime.now(UTC)
