"""The sheet on which one examination notes its checks."""

from datetime import datetime

from rgapp.integrations.saml.limits import MAX_SHOWN
from rgapp.integrations.saml.verdict import Check, CheckCode, Fixer

_TELLING = {code: place for place, code in enumerate(CheckCode)}


def shown(text: str) -> str:
    """Make text from outside short and printable."""
    if len(text) <= MAX_SHOWN and text.isprintable():
        return text.strip()
    flat = "".join(character if character.isprintable() else " " for character in text[: 2 * MAX_SHOWN])
    flat = " ".join(flat.split())
    return flat if len(flat) <= MAX_SHOWN else flat[: MAX_SHOWN - 1] + "…"


def stamp(moment: datetime) -> str:
    """Write a moment for a check's text."""
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")


class Sheet:
    """Collects checks in the order in which they are made."""

    def __init__(self) -> None:
        self.checks: list[Check] = []

    def passed(self, code: CheckCode, got: str = "", expected: str = "") -> None:
        """Note a check that passed."""
        self.checks.append(Check(code, True, shown(expected), shown(got)))

    def warned(self, code: CheckCode, got: str, expected: str = "", fixer: Fixer = Fixer.SETUP) -> None:
        """Note a check that passed but needs somebody's care."""
        self.checks.append(Check(code, True, shown(expected), shown(got), fixer, warning=True))

    def failed(self, code: CheckCode, expected: str, got: str, fixer: Fixer = Fixer.IDENTITY_PROVIDER) -> None:
        """Note a check that failed."""
        self.checks.append(Check(code, False, shown(expected), shown(got), fixer))

    def skipped(self, code: CheckCode, got: str = "", expected: str = "") -> None:
        """Note a check that was not made."""
        self.checks.append(Check(code, None, shown(expected), shown(got)))

    def test(
        self,
        good: bool,
        code: CheckCode,
        expected: str,
        got: str,
        fixer: Fixer = Fixer.IDENTITY_PROVIDER,
    ) -> bool:
        """Note a check by its result, and return that."""
        self.checks.append(Check(code, good, shown(expected), shown(got), fixer))
        return good

    @property
    def refusal(self) -> Check | None:
        """Return the most telling of the checks that failed."""
        failures = [check for check in self.checks if check.ok is False]
        return min(failures, key=lambda check: _TELLING[check.code], default=None)
