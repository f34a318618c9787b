"""Settings of SFTP integrations: what can be published, and what each mistake is told."""

from typing import Any

import pytest
from pydantic import ValidationError

from rgapp.integrations.base import problems_of
from rgapp.integrations.sftp.settings import Hold, SFTPSettings, dump
from rgapp.provisioning import Field, FieldRule

MAPPING = {
    "membership_no": {"column": " Employee ID "},
    "email": {"column": "E-mail"},
    "date_of_birth": {"column": "Birthday", "format": "%d/%m/%Y"},
}


def problems(settings: dict[str, Any]) -> dict[str, str]:
    """Return what is wrong with settings, by path."""
    with pytest.raises(ValidationError) as refused:
        SFTPSettings.model_validate(settings)
    return {problem.path: problem.message for problem in problems_of(refused.value)}


def test_what_is_not_said_is_the_careful_choice() -> None:
    settings = SFTPSettings.model_validate({"mapping": MAPPING})
    assert settings.full_file
    assert settings.hold is Hold.EVERYTHING
    assert settings.welcome_email
    assert settings.provision_master


def test_rules_name_columns_in_our_order_of_fields() -> None:
    settings = SFTPSettings.model_validate({"mapping": dict(reversed(MAPPING.items()))})
    assert list(settings.rules.items()) == [
        (Field.MEMBERSHIP_NO, FieldRule("Employee ID")),
        (Field.EMAIL, FieldRule("E-mail")),
        (Field.DATE_OF_BIRTH, FieldRule("Birthday", "%d/%m/%Y")),
    ]


def test_settings_as_json_are_read_back() -> None:
    status = {"column": "Status", "leaver": ["Left", "Terminated"]}
    settings = SFTPSettings.model_validate({"full_file": False, "mapping": {**MAPPING, "status": status}})
    assert SFTPSettings.model_validate(dump(settings)) == settings
    assert dump(settings)["mapping"]["status"] == status


def test_address_may_be_the_membership_number() -> None:
    same = {"membership_no": {"column": "Mail"}, "email": {"column": "Mail"}}
    assert SFTPSettings.model_validate({"mapping": same}).rules[Field.MEMBERSHIP_NO].name == "Mail"


def test_numbers_are_values_of_a_status_column() -> None:
    status = {"column": "Status", "leaver": [0, "3"]}
    settings = SFTPSettings.model_validate({"mapping": {**MAPPING, "status": status}})
    assert settings.mapping.status is not None
    assert settings.mapping.status.leaver_keys == {"0", "3"}


@pytest.mark.parametrize(
    ("mapping", "path", "said"),
    [
        ({}, "mapping", "email, membership_no"),
        ({"email": {"column": "Mail"}}, "mapping", "membership_no"),
        ({**MAPPING, "email": {"column": " "}}, "mapping.email.column", "at least 1 character"),
        ({**MAPPING, "email": {"attribute": "mail"}}, "mapping.email.attribute", "not known"),
        ({**MAPPING, "email": {"column": "Mail", "format": "%d/%m/%Y"}}, "mapping", "Only the date of birth"),
        ({**MAPPING, "date_of_birth": {"column": "Birthday"}}, "mapping", "how dates of birth are written"),
        ({**MAPPING, "date_of_birth": {"column": "B", "format": "%d/%m/%y"}}, "mapping.date_of_birth.format", "format"),
        ({**MAPPING, "salary": {"column": "Pay"}}, "mapping.salary", "not known"),
        ({**MAPPING, "status": {"column": "S"}}, "mapping.status.leaver", "missing"),
        ({**MAPPING, "status": {"column": "S", "leaver": []}}, "mapping.status.leaver", "at least one"),
        ({**MAPPING, "status": {"column": "S", "leaver": ["x", " X "]}}, "mapping.status.leaver", "twice"),
        ({**MAPPING, "status": {"column": "S", "leaver": [False]}}, "mapping.status.leaver.0", "quotes"),
        ({**MAPPING, "status": {"column": "S", "leaver": ["x"] * 51}}, "mapping.status.leaver", "At most 50"),
    ],
)
def test_mapping_that_cannot_be_used_says_why(mapping: dict[str, Any], path: str, said: str) -> None:
    assert said in problems({"mapping": mapping})[path]


def test_secrets_are_no_settings() -> None:
    found = problems({"mapping": MAPPING, "password": "correct horse", "authorized_keys": ["ssh-ed25519 AAAA"]})
    assert set(found) == {"password", "authorized_keys"}
