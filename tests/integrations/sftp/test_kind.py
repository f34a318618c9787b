"""The SFTP kind: its tile, its declarative form, what it says of settings, and what clients are given."""

import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rgapp.integrations.base import DeclaredContext, Difference, IntegrationKind, SettingsError
from rgapp.integrations.sftp.kind import SFTP
from rgapp.models import Integration, Programme

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
MAPPING = {
    "membership_no": {"column": "Employee ID"},
    "email": {"column": "E-mail"},
    "date_of_birth": {"column": "Birthday"},
}
KIND: IntegrationKind = SFTP()


def context(region: str = "international") -> DeclaredContext:
    """Return where a file was read, for a programme of this region."""
    return DeclaredContext(Path(), Programme(slug="acme", name="Acme", region=region), NOW)


def problems(declared: dict[str, Any]) -> dict[str, str]:
    """Return what is wrong with a declaration, by path."""
    with pytest.raises(SettingsError) as refused:
        KIND.resolve(declared, context())
    return {problem.path: problem.message for problem in refused.value.problems}


def test_one_tile_stands_with_the_directories() -> None:
    (tile,) = KIND.tiles()
    assert (tile.key, tile.kind, tile.group, tile.name) == ("sftp", "sftp", "Directory", "SFTP")


def test_dates_are_written_as_the_region_does_where_the_file_does_not_say() -> None:
    resolved = KIND.resolve({"mapping": MAPPING}, context())
    assert resolved["mapping"]["date_of_birth"] == {"column": "Birthday", "format": "%d/%m/%Y"}


def test_declared_format_stays() -> None:
    mapping = {**MAPPING, "date_of_birth": {"column": "Birthday", "format": "%Y-%m-%d"}}
    assert KIND.resolve({"mapping": mapping}, context())["mapping"]["date_of_birth"]["format"] == "%Y-%m-%d"


def test_field_that_is_null_is_not_mapped() -> None:
    resolved = KIND.resolve({"mapping": {**MAPPING, "date_of_birth": None}}, context())
    assert set(resolved["mapping"]) == {"membership_no", "email"}


def test_what_is_exported_resolves_to_the_same() -> None:
    status = {"column": "Status", "leaver": ["Left"]}
    declared = {"full_file": False, "hold": "deactivations", "mapping": {**MAPPING, "status": status}}
    resolved = KIND.resolve(declared, context())
    assert KIND.resolve(KIND.declare(resolved), context()) == resolved


def test_secrets_are_checked_and_never_become_settings() -> None:
    declared = {"password": "correct horse", "authorized_keys": ["ssh-ed25519 AAAA hr@acme"], "mapping": MAPPING}
    resolved = KIND.resolve(declared, context())
    assert "correct horse" not in str(resolved)
    assert "ssh-ed25519" not in str(resolved)
    access = SFTP().access(declared)
    assert access.password == "correct horse"
    assert access.authorized_keys == ("ssh-ed25519 AAAA hr@acme",)
    assert "correct horse" not in repr(access)


def test_access_that_is_not_declared_stays_as_it_is() -> None:
    access = SFTP().access({"mapping": MAPPING})
    assert access.password is None
    assert access.authorized_keys is None


def test_every_mistake_is_told_at_once() -> None:
    declared = {"passwort": "x", "password": "", "authorized_keys": "ssh-rsa", "full_file": "perhaps", "mapping": {}}
    assert set(problems(declared)) == {"passwort", "password", "authorized_keys", "full_file", "mapping"}


def test_too_many_keys_are_refused() -> None:
    assert "At most" in problems({"authorized_keys": ["ssh-rsa AAAA"] * 21, "mapping": MAPPING})["authorized_keys"]


def test_mapping_that_is_none_is_told() -> None:
    assert "mapping" in problems({"mapping": ["Employee ID"]})


def test_new_draft_lacks_its_mapping() -> None:
    draft = KIND.new_draft("sftp", Programme(slug="acme", name="Acme"))
    assert KIND.missing(draft) == ["where the Membership No. comes from", "where the E-mail address comes from"]


def test_dates_without_a_format_are_missing_in_a_draft() -> None:
    assert KIND.missing({"mapping": MAPPING}) == ["how dates of birth are written"]


def test_feed_by_which_nobody_ever_leaves_is_noticed() -> None:
    (notice,) = KIND.notices({"full_file": False, "mapping": MAPPING}, NOW)
    assert "nobody ever leaves" in notice.sentence
    assert not KIND.notices({"full_file": True, "mapping": MAPPING}, NOW)
    status = {"column": "Status", "leaver": ["Left"]}
    assert not KIND.notices({"full_file": False, "mapping": {**MAPPING, "status": status}}, NOW)


def test_differences_are_in_words() -> None:
    status = {"column": "Status", "leaver": ["Left", "Gone"]}
    before = KIND.resolve({"mapping": MAPPING}, context())
    after = KIND.resolve(
        {
            "full_file": False,
            "hold": "deactivations",
            "welcome_email": False,
            "mapping": {
                **MAPPING,
                "email": {"column": "Mail"},
                "status": status,
            },
        },
        context(),
    )
    found = {each.label: (each.before, each.after) for each in KIND.differences(before, after, NOW, ("Old", "New"))}
    assert found["Name"] == ("Old", "New")
    assert found["E-mail address"] == ("“E-mail”", "“Mail”")
    assert found["Status column"] == ("None", "“Status”; left: Left, Gone")
    assert found["Welcome e-mail to new users"] == ("Yes", "No")
    assert set(found) >= {"What a file holds", "A file is held"}
    assert "Date of birth" not in found


def test_without_a_before_everything_is_different() -> None:
    after = KIND.resolve({"mapping": MAPPING}, context())
    assert Difference("Date of birth", "", "“Birthday”, written dd/mm/yyyy") in KIND.differences(None, after, NOW)


def test_fields_belong_to_the_provision_master() -> None:
    assert KIND.owns_fields({"mapping": MAPPING})
    assert not KIND.owns_fields({"provision_master": False})


def test_clients_are_given_host_port_and_user_name() -> None:
    integration = Integration(id=uuid.uuid4())
    assert KIND.urls(integration, "https://rewards.example") == {"host": "rewards.example", "port": "2222"}
    kind = SFTP(address=lambda base_url: ("files.example", 22), username=lambda integration: "acme-7k2m9q")
    assert kind.urls(integration, "") == {"host": "files.example", "port": "22", "username": "acme-7k2m9q"}


def test_kind_brings_feeds_and_no_tokens() -> None:
    assert SFTP().feeds.holds_all({"mapping": MAPPING | {"date_of_birth": None}})
    assert not SFTP().has_tokens


def test_nothing_is_prepared_for_life() -> None:
    integration = Integration()
    KIND.prepare(integration, None, now=NOW)  # type: ignore[arg-type]
    assert integration.service_key is None
