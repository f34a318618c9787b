"""The mails: subject, plain text and HTML say the same, and nothing that is not true."""

import pytest
from lxml import html

from rgapp.mail.render import render

CONTEXT = {
    "programme_name": "Acme Rewards",
    "sign_in_url": "https://rewards.example/p/acme/login",
    "contact_name": "Ruth Okafor",
    "contact_email": "people@acme.example",
    "first_name": "Jane",
    "sign_in_names": ["Okta"],
    "password_url": None,
}
MORE = {
    "welcome": {},
    "password_reset": {"password_url": "https://rewards.example/p/acme/password/abc"},
    "token_expires": {
        "integration_name": "Okta",
        "integration_id": "1",
        "expires_on": "3 May 2026",
        "days": 12,
        "manager_url": "https://rewards.example/manager/acme",
    },
    "unusual_leavers": {
        "integration_name": "Okta",
        "removals": 12,
        "manager_url": "https://rewards.example/manager/acme",
    },
    "sync_run": {
        "integration_name": "Payroll",
        "state": "held",
        "file": "people.csv",
        "sentence": "There is not a single row: nobody is named.",
        "leavers": 0,
        "refused": 0,
        "rows": 0,
        "manager_url": "https://rewards.example/manager/acme",
    },
    "feed_silent": {
        "integration_name": "Payroll",
        "integration_id": "1",
        "pulls": False,
        "days": 3,
        "last_on": "3 May 2026",
        "manager_url": "https://rewards.example/manager/acme",
    },
    "certificate_expires": {
        "integration_name": "Okta",
        "expires_on": "3 May 2026",
        "days": 12,
        "integration_url": "https://rewards.example/manager/integrations/1",
    },
}


@pytest.mark.parametrize("kind", MORE)
@pytest.mark.parametrize(
    "name", ["Acme Rewards", "N" * 100, "The Very Long and Winding Programme Name of Acme Corporation"]
)
def test_a_subject_is_one_line_of_at_most_60_characters(kind: str, name: str) -> None:
    message = render(kind, CONTEXT | MORE[kind] | {"programme_name": name, "integration_name": name})

    assert 0 < len(message.subject) <= 60
    assert "\n" not in message.subject


@pytest.mark.parametrize("kind", MORE)
def test_every_mail_has_one_button_and_a_plain_twin_with_its_address(kind: str) -> None:
    message = render(kind, CONTEXT | MORE[kind])
    buttons = html.fromstring(message.html).xpath("//td[@class='button']/a/@href")

    assert len(buttons) == 1
    assert buttons[0] in message.text


def test_a_welcome_without_passwords_does_not_mention_one() -> None:
    message = render("welcome", CONTEXT)

    assert "password" not in (message.subject + message.text + message.html).lower()
    assert "Sign in with Okta" in message.text
    assert "Welcome, Jane" in message.html


def test_a_welcome_to_somebody_without_a_name_still_reads_well() -> None:
    message = render("welcome", CONTEXT | {"first_name": None})

    assert message.text.startswith("Welcome.\n")


def test_a_welcome_with_passwords_has_the_link_to_choose_one() -> None:
    message = render("welcome", CONTEXT | {"password_url": "https://rewards.example/p/acme/password/abc"})

    assert "https://rewards.example/p/acme/password/abc" in message.text
    assert CONTEXT["sign_in_url"] in message.html


def test_names_are_escaped_in_html() -> None:
    message = render("welcome", CONTEXT | {"first_name": "<b>Jane</b>", "programme_name": "A & B"})

    assert "<b>" not in message.html
    assert "A &amp; B" in message.html
    assert "A & B" in message.text


def test_an_expired_certificate_is_told_as_expired() -> None:
    message = render("certificate_expires", CONTEXT | MORE["certificate_expires"] | {"days": 0})

    assert message.subject == "Okta: certificate has expired"
    assert "was valid until 3 May 2026" in message.text
