"""Words for the requests of SCIM clients."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from rgapp.wording_scim import read_sentence, request_fix, request_sentence


@dataclass
class Line:
    """One line of the log."""

    method: str = "POST"
    path: str = "/Users"
    status: int = 201
    outcome: str = "created"
    accepted: bool = True
    listening: bool = False
    reason: str = ""
    scim_type: str = ""
    detail: str = ""
    person: str | None = "Jane (E1)"
    fields: list[Any] = field(default_factory=list)


def refused(**values: Any) -> Line:
    return Line(**{"accepted": False, "outcome": "refused", "status": 400} | values)


MISSING = {"field": "membership_no", "state": "missing"}


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (Line(), "Created an account for Jane (E1)."),
        (Line(listening=True), "Would create an account for Jane (E1)."),
        (Line(outcome="deactivated"), "Made Jane (E1) a leaver."),
        (Line(outcome="reactivated", person=None), "Brought this person back."),
        (Line(outcome="detached"), "No longer follows Jane (E1); the account stays."),
        (Line(outcome="created", path="/Groups", person=None), "Kept a new group."),
        (Line(outcome="created", path="/Groups", person="Sales"), "Kept the new group Sales."),
        (Line(outcome="updated", path="/Groups/1", listening=True, person=None), "Would change a group."),
        (Line(outcome="read", method="GET"), "Looked up users."),
        (refused(reason="email_conflict"), "Refused because the e-mail address belongs to another Membership No."),
        (refused(reason="fields", fields=[MISSING]), "Refused because the Membership No. is missing."),
        (refused(reason="fields"), "Refused because a mandatory field is missing or cannot be read."),
        (refused(detail="No such filter", listening=True), "Would be refused: No such filter."),
        (refused(detail="Really?"), "Refused: Really?"),
        (refused(), "Refused: the request could not be applied."),
        (refused(reason="something new"), "Refused: the request could not be applied."),
    ],
)
def test_what_came_of_a_request_is_one_sentence(line: Line, sentence: str) -> None:
    assert request_sentence(line) == sentence


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/ServiceProviderConfig", "Asked what is supported."),
        ("/Schemas/urn:x", "Asked for the schemas."),
        ("/Users", "Looked up users."),
        ("/Users/42", "Read one person."),
        ("/Users?filter=userName+eq+%22jane%22", 'Looked for somebody: userName eq "jane"'),
        ("/Groups?filter=x", "Looked up groups."),
        ("/Bulk", "Sent many changes at once."),
        ("/nothing", "Answered."),
    ],
)
def test_what_was_asked_is_said(path: str, sentence: str) -> None:
    assert read_sentence(path) == sentence


@pytest.mark.parametrize(
    ("line", "fixer", "words"),
    [
        (Line(), "", ""),
        (refused(reason="email_conflict"), "hr", "HR checks"),
        (refused(reason="fields"), "", "See the fields below"),
        (refused(reason="owned_fields"), "setup", "Change them in the directory"),
        (refused(scim_type="invalidFilter"), "idp", "a filter that SCIM does not have"),
        (refused(status=403), "setup", "Switch this connection on"),
        (refused(status=500), "us", "Our support team"),
    ],
)
def test_a_refusal_says_who_puts_it_right(line: Line, fixer: str, words: str) -> None:
    assert request_fix(line)[0] == fixer
    assert words in request_fix(line)[1]
