"""The checks of what a response says: status, issuer, audience, times (core 2 and 3, profiles 4.1.4)."""

from dataclasses import dataclass
from datetime import UTC, datetime

from lxml import etree
from onelogin.saml2.constants import OneLogin_Saml2_Constants as Names

from rgapp.integrations.saml import limits
from rgapp.integrations.saml.connection import Connection
from rgapp.integrations.saml.contents import (
    Attributes,
    assertions_of,
    elements,
    issuer_of,
    moment,
    status_of,
    text_of,
)
from rgapp.integrations.saml.document import SAML
from rgapp.integrations.saml.sheet import Sheet, stamp
from rgapp.integrations.saml.verdict import CheckCode, ExpectedRequest, Fixer, Mode

_ENTITY = Names.NAMEID_ENTITY
_KNOWN_CONDITIONS = {f"{SAML}{name}" for name in ("AudienceRestriction", "OneTimeUse", "ProxyRestriction")}


@dataclass(frozen=True, slots=True)
class Context:
    """What the checks are made against."""

    connection: Connection
    request: ExpectedRequest | None
    now: datetime
    mode: Mode

    def begun(self, start: datetime) -> bool:
        """Tell whether a moment has come, clock skew allowed for."""
        return start - self.now <= self.connection.clock_skew

    def over(self, end: datetime) -> bool:
        """Tell whether a moment has passed, clock skew allowed for."""
        return self.now - end >= self.connection.clock_skew


def check_setup(connection: Connection, sheet: Sheet) -> None:
    """Check that there is something to check against: an empty entityID must never mean any issuer."""
    needed = {
        "entityID of the identity provider": connection.idp_entity_id,
        "certificate": connection.certificates,
        "our entityID": connection.entity_id,
        "our ACS URL": connection.acs_url,
    }
    missing = [name for name, value in needed.items() if not value]
    if missing:
        sheet.failed(CheckCode.SETUP_INCOMPLETE, "a complete set-up", f"no {missing[0]}", Fixer.SETUP)


def check_message(response: etree._Element, sheet: Sheet) -> None:
    """Check version, status and the number of assertions."""
    version = response.get("Version", "")
    sheet.test(version == "2.0", CheckCode.VERSION, "2.0", version or "none")
    code, below, message = status_of(response)
    got = ": ".join(part for part in (_tail(code), _tail(below), message) if part)
    sheet.test(code == Names.STATUS_SUCCESS, CheckCode.STATUS, "Success", got or "no status")
    count = len(assertions_of(response))
    sheet.test(count == 1, CheckCode.ASSERTION_COUNT, "1", str(count))


def check_response_issuer(response: etree._Element, connection: Connection, sheet: Sheet, *, required: bool) -> None:
    """Check the Response's Issuer, which may be missing only where nothing is signed or encrypted."""
    issuer, expected = issuer_of(response), connection.idp_entity_id
    if issuer is None and not required:
        sheet.passed(CheckCode.ISSUER_RESPONSE, "none (it may be left out)", expected)
        return
    sheet.test(
        _is_issuer(response, issuer, expected),
        CheckCode.ISSUER_RESPONSE,
        expected,
        issuer or "none",
        Fixer.SETUP,
    )


def check_assertion_issuer(assertion: etree._Element, connection: Connection, sheet: Sheet) -> None:
    """Check the Assertion's version and Issuer."""
    issuer, expected = issuer_of(assertion), connection.idp_entity_id
    version = assertion.get("Version", "")
    if version != "2.0":
        sheet.failed(CheckCode.VERSION, "2.0", f"{version or 'none'} (assertion)")
    good = _is_issuer(assertion, issuer, expected)
    sheet.test(good, CheckCode.ISSUER_ASSERTION, expected, issuer or "none", Fixer.SETUP)


def _is_issuer(element: etree._Element, issuer: str | None, expected: str) -> bool:
    """Tell whether an Issuer is the expected one, as an entity (core 2.2.5)."""
    found = elements(element, "Issuer")
    return bool(expected) and issuer == expected and found[0].get("Format", _ENTITY) == _ENTITY


def check_destination(response: etree._Element, connection: Connection, sheet: Sheet, *, signed: bool) -> None:
    """Check Destination, which has to be there where the response is signed (bindings 3.5.5.2)."""
    destination = response.get("Destination")
    if destination is None and not signed:
        sheet.passed(CheckCode.DESTINATION, "none (it may be left out)", connection.acs_url)
        return
    sheet.test(destination == connection.acs_url, CheckCode.DESTINATION, connection.acs_url, destination or "none")


def check_conditions(assertion: etree._Element, context: Context, sheet: Sheet) -> None:
    """Check the Conditions: for us, understood, and now (core 2.5)."""
    conditions = assertion.find(f"{SAML}Conditions")
    if conditions is None:
        sheet.failed(CheckCode.CONDITIONS_MISSING, "Conditions with our entityID as Audience", "none")
        return
    unknown = [c.tag for c in conditions if isinstance(c.tag, str) and c.tag not in _KNOWN_CONDITIONS]
    if unknown:
        sheet.failed(CheckCode.CONDITIONS_UNKNOWN, "conditions of SAML 2.0", etree.QName(unknown[0]).localname)
    restrictions = [
        [text_of(audience).strip() for audience in elements(restriction, "Audience")]
        for restriction in elements(conditions, "AudienceRestriction")
    ]
    ours = context.connection.entity_id
    good = bool(ours and restrictions) and all(ours in audiences for audiences in restrictions)
    named = ", ".join(audience for audiences in restrictions for audience in audiences)
    sheet.test(good, CheckCode.AUDIENCE, ours, named or "none")
    _check_window(conditions, context, sheet)


def _check_window(conditions: etree._Element, context: Context, sheet: Sheet) -> None:
    """Check the period of validity; both ends may be left out."""
    now = stamp(context.now)
    ends = (
        ("NotBefore", CheckCode.NOT_BEFORE, context.begun, Fixer.IDENTITY_PROVIDER),
        ("NotOnOrAfter", CheckCode.NOT_ON_OR_AFTER, lambda end: not context.over(end), Fixer.EMPLOYEE),
    )
    for name, code, holds, fixer in ends:
        given = conditions.get(name)
        if given is None:
            sheet.passed(code, "no limit")
            continue
        at = moment(given)
        sheet.test(at is not None and holds(at), code, f"now: {now}", stamp(at) if at else given, fixer)


def check_issue_instant(assertion: etree._Element, context: Context, sheet: Sheet) -> None:
    """Check that the assertion was not issued in what is our future, which a wrong clock brings about."""
    issued = moment(assertion.get("IssueInstant"))
    good = issued is not None and context.begun(issued)
    got = stamp(issued) if issued else assertion.get("IssueInstant", "none")
    sheet.test(good, CheckCode.ISSUED_IN_FUTURE, f"now: {stamp(context.now)}", got)


def check_authentication(assertion: etree._Element, context: Context, sheet: Sheet) -> datetime | None:
    """Check the AuthnStatement; return the end of the session that it sets, if it does."""
    statements = elements(assertion, "AuthnStatement")
    sheet.test(bool(statements), CheckCode.AUTHN_STATEMENT_MISSING, "AuthnStatement", str(len(statements)))
    given = [text for s in statements if (text := s.get("SessionNotOnOrAfter")) is not None]
    ends = [end for text in given if (end := moment(text)) is not None]
    if not given:
        return None
    good = len(ends) == len(given) and not context.over(min(ends))
    sheet.test(
        good,
        CheckCode.SESSION_EXPIRED,
        f"now: {stamp(context.now)}",
        stamp(min(ends)) if ends else given[0],
        Fixer.EMPLOYEE,
    )
    return min(ends, default=None)


def check_contents(
    name_id: str, attributes: Attributes, connection: Connection, sheet: Sheet, *, encrypted_id: bool
) -> None:
    """Check identifier and attributes: there where needed, and within limits."""
    if name_id:
        fits = len(name_id) <= limits.MAX_NAME_ID_LENGTH
        sheet.test(
            fits,
            CheckCode.NAME_ID_MISSING if fits else CheckCode.VALUE_TOO_LONG,
            f"at most {limits.MAX_NAME_ID_LENGTH:,} characters",
            "there" if fits else f"a NameID of {len(name_id):,} characters",
        )
    elif connection.requires_name_id:
        sheet.failed(CheckCode.NAME_ID_MISSING, "NameID", "encrypted" if encrypted_id else "none")
    else:
        sheet.passed(CheckCode.NAME_ID_MISSING, "none (the mapping does not need it)")
    if attributes.encrypted:
        sheet.failed(CheckCode.ENCRYPTED_ATTRIBUTE, "readable attributes", "EncryptedAttribute")
    sheet.test(
        attributes.total <= limits.MAX_VALUES,
        CheckCode.TOO_MANY_VALUES,
        f"at most {limits.MAX_VALUES:,} values",
        f"{attributes.total:,}",
    )
    if attributes.longest > limits.MAX_VALUE_LENGTH:
        sheet.failed(
            CheckCode.VALUE_TOO_LONG,
            f"at most {limits.MAX_VALUE_LENGTH:,} characters",
            f"a value of {attributes.longest:,} characters",
        )


def lasts_until(assertion: etree._Element, confirmed_until: datetime, context: Context) -> datetime:
    """Return how long the replay memory has to know this assertion: its latest end, and the clock skew."""
    conditions = assertion.find(f"{SAML}Conditions")
    end = moment(conditions.get("NotOnOrAfter")) if conditions is not None else None
    try:
        return max(end or confirmed_until, confirmed_until) + context.connection.clock_skew
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def _tail(code: str) -> str:
    """Return the word at the end of a status URN."""
    return code.rpartition(":")[2]
