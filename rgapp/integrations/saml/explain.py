"""Checks in words: for the admin what was expected, what came and who puts it right; for the employee one sentence."""

from dataclasses import dataclass

from rgapp.integrations.saml.verdict import Check, CheckCode, Fixer
from rgapp.integrations.saml.words import WORDS

FIXERS = {
    Fixer.IDENTITY_PROVIDER: "Your IT team, in the identity provider",
    Fixer.SETUP: "You, in this set-up",
    Fixer.HR_DATA: "HR, in its data",
    Fixer.EMPLOYEE: "The employee",
    Fixer.US: "Our support team",
}
_AGAIN = "Your sign-in took too long or was used already. Please start again."
_STARTS_HERE = "Please start from the sign-in page, not from a bookmark or your company's portal."
_NOT_CONFIRMED = "Your company's sign-in service did not confirm who you are, so we could not sign you in."
_NOT_READ = "We could not read the answer of your company's sign-in service. Please start again."
#: Everything else has this one sentence, so that nobody learns from it how far an answer got.
_DEFAULT = "Your company's sign-in service and ours do not understand each other at the moment."
_EMPLOYEE = {
    CheckCode.NOT_ON_OR_AFTER: _AGAIN,
    CheckCode.CONFIRMATION_EXPIRED: _AGAIN,
    CheckCode.SESSION_EXPIRED: _AGAIN,
    CheckCode.IN_RESPONSE_TO_FOREIGN: _AGAIN,
    CheckCode.IN_RESPONSE_TO_UNEXPECTED: _AGAIN,
    CheckCode.IDP_INITIATED_OFF: _STARTS_HERE,
    CheckCode.STATUS: _NOT_CONFIRMED,
    CheckCode.PARAMETER_MISSING: _NOT_READ,
    CheckCode.NOT_BASE64: _NOT_READ,
    CheckCode.NOT_XML: _NOT_READ,
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """One check as an admin reads it. `fix` is empty where nothing has to be done."""

    title: str
    expected: str
    got: str
    fix: str
    fixer: str


def explain(check: Check) -> Explanation:
    """Put one check into words."""
    words = WORDS[check.code]
    needs_care = check.ok is False or check.warning
    expected = check.expected or ("" if check.ok else words.expected)
    got = check.got or ("in order" if check.ok else "not checked" if check.ok is None else "")
    return Explanation(
        title=words.title,
        expected=expected,
        got=got,
        fix=words.fix if needs_care else "",
        fixer=FIXERS[check.fixer] if needs_care else "",
    )


def because(code: str) -> str:
    """Return the reason as the end of "Refused because …"; an unknown code has a reason too."""
    try:
        return WORDS[CheckCode(code)].because
    except ValueError:
        return "the response could not be verified"


def employee_sentence(code: str) -> str:
    """Return the one calm sentence for the employee, without detail; an unknown code has the general one."""
    try:
        return _EMPLOYEE.get(CheckCode(code), _DEFAULT)
    except ValueError:
        return _DEFAULT
