"""Words: every check has its explanation, every preset its steps, and a missing attribute its nearest name."""

import pytest

from rgapp.integrations.saml.explain import because, employee_sentence, explain
from rgapp.integrations.saml.names import KNOWN_NAMES, friendly, suggest
from rgapp.integrations.saml.presets import PRESETS, OurValue
from rgapp.integrations.saml.sheet import shown
from rgapp.integrations.saml.verdict import Check, CheckCode, Fixer
from rgapp.integrations.saml.words import WORDS

EMAIL = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"


@pytest.mark.parametrize("code", list(CheckCode))
def test_every_code_is_explained(code: CheckCode) -> None:
    words = WORDS[code]
    assert words.fix.endswith(".")
    assert words.because[0].islower()
    assert not words.because.endswith(".")
    for fixer in Fixer:
        explanation = explain(Check(code, False, "", "something", fixer))
        assert explanation.title == words.title
        assert explanation.fix
        assert explanation.fixer
    sentence = employee_sentence(code)
    assert sentence.endswith(".")
    assert not any(word in sentence for word in ("SAML", "signature", "XML", "certificate", "assertion"))
    assert because(code) == words.because


def test_passed_check_needs_no_fix() -> None:
    explanation = explain(Check(CheckCode.AUDIENCE, True))
    assert (explanation.fix, explanation.fixer, explanation.got) == ("", "", "in order")
    assert explain(Check(CheckCode.SIGNATURE, None)).got == "not checked"
    assert explain(Check(CheckCode.CERTIFICATE_EXPIRED, True, warning=True)).fix


def test_unknown_code_has_general_words() -> None:
    assert employee_sentence("something-new") == employee_sentence(CheckCode.SIGNATURE_INVALID)
    assert because("something-new")


def test_employee_learns_nothing_about_how_far_an_answer_got() -> None:
    codes = (CheckCode.SIGNATURE_INVALID, CheckCode.DECRYPTION_FAILED, CheckCode.AUDIENCE, CheckCode.SCHEMA)
    assert len({employee_sentence(code) for code in codes}) == 1


@pytest.mark.parametrize(
    ("wanted", "arrived", "nearest"),
    [
        ("mail", ["MAIL", "sn"], "MAIL"),
        ("mail", [EMAIL, "sn"], EMAIL),
        ("email", ["urn:oid:0.9.2342.19200300.100.1.3"], "urn:oid:0.9.2342.19200300.100.1.3"),
        ("employeeNumber", ["urn:oid:2.16.840.1.113730.3.1.3"], "urn:oid:2.16.840.1.113730.3.1.3"),
        ("employeeNumber", ["employee_number"], "employee_number"),
        ("employeeNumber", ["EmployeeID", "mail"], "EmployeeID"),
        ("givenName", ["firstName"], "firstName"),
        ("givenName", ["givenNmae"], "givenNmae"),
        ("dateOfBirth", ["birthDate"], "birthDate"),
        ("dob", ["urn:oid:1.3.6.1.4.1.25178.1.2.3"], "urn:oid:1.3.6.1.4.1.25178.1.2.3"),
        ("http://acme.example/claims/staffid", ["staffId"], "staffId"),
        ("dateOfBirth", ["department", "groups"], None),
        ("mail", [], None),
        ("mail", ["mail"], None),
        ("", ["x"], None),
    ],
)
def test_nearest_name_is_suggested(wanted: str, arrived: list[str], nearest: str | None) -> None:
    assert suggest(wanted, arrived) == nearest


def test_friendly_names() -> None:
    assert friendly(EMAIL) == "mail"
    assert friendly("http://acme.example/claims/badge") == "badge"
    assert friendly("urn:oid:9.9.9") == "urn:oid:9.9.9"
    assert friendly("///") == "///"
    assert all(name for name in KNOWN_NAMES.values())


def test_text_from_outside_is_made_short_and_printable() -> None:
    assert shown("a\x00b\n\u202ec") == "a b c"
    assert len(shown("x" * 1_000)) == 200


@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda preset: preset.key)
def test_preset_leads_through_the_whole_set_up(preset: object) -> None:
    assert preset.summary.endswith(".")
    assert 5 <= preset.minutes <= 30
    assert preset.needs
    assert preset.metadata_hint
    copied = {step.copy for step in preset.steps if step.copy}
    assert {OurValue.ENTITY_ID, OurValue.ACS_URL} <= copied or OurValue.METADATA_URL in copied
    assert all(step.text.endswith(".") for step in preset.steps)
    assert all(bool(step.copy) == bool(step.their_field) for step in preset.steps)
    assert set(preset.claims) == {"membership_no", "email", "first_name", "last_name", "date_of_birth"}


def test_the_catalogue_has_these_providers() -> None:
    assert list(PRESETS) == [
        "entra", "okta", "google", "onelogin", "adfs", "pingone", "jumpcloud", "keycloak", "custom",
    ]  # fmt: skip
