"""What the mails say: every kind renders as text and HTML, with a short subject and nothing unescaped."""

from typing import Any

import pytest

from rgapp.mail.outbox import MailKind
from rgapp.mail.render import SUBJECT_LENGTH, render

PERSON = {
    "programme_name": "Acme <Rewards>",
    "sign_in_url": "https://rewards.example/p/acme/login",
    "contact_name": "HR team",
    "contact_email": "hr@acme.example",
    "first_name": "Jane",
    "sign_in_names": ["Okta"],
    "password_url": None,
}
CERTIFICATE = {
    "integration_name": "Okta",
    "days": 7,
    "expires_on": "3 April 2027",
    "integration_url": "https://rewards.example/manager/acme/integrations/1/setup/initial",
}
CONTEXTS: dict[MailKind, dict[str, Any]] = {
    MailKind.WELCOME: PERSON,
    MailKind.CERTIFICATE_EXPIRES: PERSON | CERTIFICATE,
    MailKind.TOKEN_EXPIRES: PERSON
    | CERTIFICATE
    | {"integration_id": "1", "manager_url": "https://rewards.example/manager/acme"},
    MailKind.UNUSUAL_LEAVERS: PERSON
    | {"integration_name": "Okta", "removals": 12, "manager_url": "https://rewards.example/manager/acme"},
    MailKind.FEED_SILENT: PERSON
    | {
        "integration_name": "Payroll",
        "integration_id": "1",
        "pulls": False,
        "days": 3,
        "last_on": "3 April 2027",
        "manager_url": "https://rewards.example/manager/acme",
    },
    MailKind.SYNC_RUN: PERSON
    | {
        "integration_name": "Payroll",
        "state": "held",
        "file": "<people>.csv",
        "sentence": "It would take out 12 people.",
        "leavers": 12,
        "refused": 0,
        "rows": 40,
        "manager_url": "https://rewards.example/manager/acme",
    },
    MailKind.PASSWORD_RESET: PERSON | {"password_url": "https://rewards.example/p/acme/password/token"},
}


@pytest.mark.parametrize("kind", list(MailKind))
def test_every_kind_has_a_subject_a_text_and_escaped_html(kind: MailKind) -> None:
    message = render(kind, CONTEXTS[kind])
    assert 0 < len(message.subject) <= SUBJECT_LENGTH
    assert message.text.strip()
    assert "<Rewards>" not in message.html
    assert "Acme &lt;Rewards&gt;" in message.html


@pytest.mark.parametrize("first_name", [None, "Jane"])
@pytest.mark.parametrize("names", [[], ["Okta"], ["Entra", "Okta"]])
@pytest.mark.parametrize("password_url", [None, "https://rewards.example/p/acme/password/token"])
def test_the_welcome_says_how_to_sign_in(first_name: str | None, names: list[str], password_url: str | None) -> None:
    context = PERSON | {"first_name": first_name, "sign_in_names": names, "password_url": password_url}
    message = render(MailKind.WELCOME, context)
    for body in (message.text, message.html):
        assert (password_url or PERSON["sign_in_url"]) in body
        assert ("password" in body.lower()) is (password_url is not None)
        assert all(name in body for name in names)
        assert "None" not in body


def test_a_long_name_is_cut_out_of_the_subject() -> None:
    assert len(render(MailKind.WELCOME, PERSON | {"programme_name": "Very long " * 9}).subject) <= SUBJECT_LENGTH


@pytest.mark.parametrize(
    ("state", "words"),
    [("held", "would take out 12 people"), ("failed", "nothing was changed"), ("applied", "3 of 40 rows were refused")],
)
def test_a_run_that_needs_a_look_says_why(state: str, words: str) -> None:
    context = CONTEXTS[MailKind.SYNC_RUN] | {"state": state, "refused": 3}
    message = render(MailKind.SYNC_RUN, context)
    for body in (message.text, message.html):
        assert words in " ".join(body.split())
