"""The subject's confirmation and the request it answers (core 2.4.1.2, profiles 4.1.4.2 and 4.1.4.3)."""

from dataclasses import dataclass
from datetime import datetime

from lxml import etree
from onelogin.saml2.constants import OneLogin_Saml2_Constants as Names

from rgapp.integrations.saml import limits
from rgapp.integrations.saml.checks import Context
from rgapp.integrations.saml.contents import moment
from rgapp.integrations.saml.document import SAML
from rgapp.integrations.saml.sheet import Sheet, stamp
from rgapp.integrations.saml.verdict import CheckCode, Fixer, Mode


@dataclass(frozen=True, slots=True)
class Confirmation:
    """One bearer confirmation that passed: the request it answers, and its end."""

    in_response_to: str | None
    not_on_or_after: datetime


def check_confirmation(
    response: etree._Element, assertion: etree._Element, context: Context, sheet: Sheet
) -> Confirmation | None:
    """Find a bearer confirmation that passes; note the checks of the one that comes nearest to passing."""
    confirmations = assertion.findall(f"{SAML}Subject/{SAML}SubjectConfirmation")
    bearers = [c for c in confirmations if c.get("Method") == Names.CM_BEARER]
    if not bearers or len(confirmations) > limits.MAX_CONFIRMATIONS:
        methods = ", ".join(c.get("Method", "") for c in confirmations) or "none"
        sheet.failed(CheckCode.CONFIRMATION_METHOD, Names.CM_BEARER, methods)
        return None
    best: tuple[int, Sheet, Confirmation | None] | None = None
    for bearer in bearers:
        trial = Sheet()
        trial.passed(CheckCode.CONFIRMATION_METHOD, "bearer")
        result = _check_one(response, bearer.find(f"{SAML}SubjectConfirmationData"), context, trial)
        failures = sum(check.ok is False for check in trial.checks)
        if best is None or failures < best[0]:
            best = failures, trial, result if failures == 0 else None
    if best is None:
        return None
    sheet.checks.extend(best[1].checks)
    return best[2]


def _check_one(
    response: etree._Element, data: etree._Element | None, context: Context, sheet: Sheet
) -> Confirmation | None:
    """Check one SubjectConfirmationData: for our ACS, still good, and for the request that we sent."""
    recipient = data.get("Recipient") if data is not None else None
    acs_url = context.connection.acs_url
    sheet.test(recipient == acs_url, CheckCode.RECIPIENT, acs_url, recipient or "none")
    end = _check_time(data, context, sheet)
    answers = data.get("InResponseTo") if data is not None else None
    _check_request(response.get("InResponseTo"), answers, context, sheet)
    return Confirmation(answers, end) if end is not None else None


def _check_time(data: etree._Element | None, context: Context, sheet: Sheet) -> datetime | None:
    """Check the confirmation's end, which it must have, and its start, which it should not have."""
    given = data.get("NotOnOrAfter") if data is not None else None
    end, now = moment(given), f"now: {stamp(context.now)}"
    if end is None:
        sheet.failed(CheckCode.CONFIRMATION_END_MISSING, "NotOnOrAfter", given or "none")
    else:
        good = not context.over(end)
        sheet.test(good, CheckCode.CONFIRMATION_EXPIRED, now, stamp(end), Fixer.EMPLOYEE)
    start_given = data.get("NotBefore") if data is not None else None
    if start_given is not None:
        start = moment(start_given)
        good = start is not None and context.begun(start)
        sheet.test(good, CheckCode.CONFIRMATION_NOT_BEFORE, now, stamp(start) if start else start_given)
    return end


def _check_request(outer: str | None, inner: str | None, context: Context, sheet: Sheet) -> None:
    """Check InResponseTo of the Response (outer) and of the signed confirmation (inner)."""
    if context.mode is Mode.PASTED:
        sheet.skipped(CheckCode.IN_RESPONSE_TO, "not checked: a pasted response answers no open request")
        if outer != inner and outer is not None:
            sheet.failed(CheckCode.IN_RESPONSE_TO_FOREIGN, outer, inner or "none in the assertion")
        return
    if context.request is None:
        _check_unsolicited(outer, inner, context, sheet)
        return
    wanted = context.request.id
    if inner is None or outer is None:
        where = "none" if inner is outer else "only in the response" if inner is None else "only in the assertion"
        sheet.failed(CheckCode.IN_RESPONSE_TO_MISSING, wanted, where)
    else:
        good = bool(wanted) and inner == wanted and outer == wanted
        code = CheckCode.IN_RESPONSE_TO if good else CheckCode.IN_RESPONSE_TO_FOREIGN
        sheet.test(good, code, wanted, outer if inner == wanted else inner, Fixer.EMPLOYEE)


def _check_unsolicited(outer: str | None, inner: str | None, context: Context, sheet: Sheet) -> None:
    """Check a response without a request of ours: allowed at all, and not an answer to somebody else's."""
    if inner is not None or outer is not None:
        got = inner if inner is not None else outer
        sheet.failed(CheckCode.IN_RESPONSE_TO_UNEXPECTED, "no InResponseTo", got or "empty", Fixer.EMPLOYEE)
        return
    sheet.passed(CheckCode.IN_RESPONSE_TO, "none", "none")
    on = context.connection.idp_initiated
    sheet.test(on, CheckCode.IDP_INITIATED_OFF, "sign-in that starts with us", "started at the provider", Fixer.SETUP)
