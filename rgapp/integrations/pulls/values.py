"""Values as other services answer them: text, numbers, and the many ways to say nothing."""

from typing import Any, Final

# A day that nobody has given, as some databases write it.
NO_DAY: Final = "0000-00-00"


def text(value: Any) -> str | None:
    """Return a value as text; None for what is empty or no plain value: omitted, null and empty are the same here."""
    if value.__class__ is str:  # Nearly always it is.
        return value if value.strip() and value != NO_DAY else None
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, int | float) else None


def number(value: Any) -> int | None:
    """Return a count, which comes as a number or as text; None for anything else."""
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):  # JSON can say 1e400.
        return None
