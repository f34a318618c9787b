"""The kind: settings, what a declarative file may say, and what of it is kept where."""

from pathlib import Path
from typing import Any

import pytest

from rgapp.integrations.bamboohr.declared import read_access
from rgapp.integrations.bamboohr.kind import BambooHR
from rgapp.integrations.bamboohr.settings import BambooSettings
from rgapp.integrations.base import DeclaredContext, SettingsError
from rgapp.integrations.registry import kind_of, tile_of
from rgapp.models import Programme
from tests.conftest import NOW
from tests.factories import Factory

KIND = BambooHR()
LOCAL = "http://127.0.0.1:9600"


@pytest.fixture
def acme(make: Factory) -> Programme:
    return make.programme("acme")


@pytest.fixture
def context(acme: Programme) -> DeclaredContext:
    return DeclaredContext(folder=Path(), programme=acme, now=NOW, outbound_allow=frozenset({LOCAL}))


def problems(error: pytest.ExceptionInfo[SettingsError]) -> dict[str, str]:
    return {problem.path: problem.message for problem in error.value.problems}


def test_it_has_a_tile() -> None:
    tile = tile_of("bamboohr")
    assert tile is not None
    assert kind_of(tile.kind).label == "Pull (BambooHR)"


def test_a_new_draft_knows_the_usual_fields_and_not_whom_to_ask(acme: Programme) -> None:
    draft = KIND.new_draft("bamboohr", acme)
    assert draft["mapping"]["membership_no"] == {"field": "employeeNumber"}
    assert draft["mapping"]["email"] == {"field": "workEmail", "otherwise": "homeEmail"}
    assert KIND.missing(draft) == ["the sub-domain of your BambooHR"]
    assert KIND.missing(draft | {"subdomain": "acme"}) == []


def test_the_shortest_declaration_is_filled_up(context: DeclaredContext) -> None:
    resolved = KIND.resolve({"subdomain": "Acme", "api_key": "k" * 40}, context)
    settings = BambooSettings.model_validate(resolved)
    assert settings.origin == "https://acme.bamboohr.com"
    assert settings.schedule == "daily"
    assert settings.mapping.names == (
        "employeeNumber", "workEmail", "homeEmail", "firstName", "lastName", "dateOfBirth",
    )  # fmt: skip
    assert "k" * 40 not in str(resolved)


def test_what_is_declared_comes_back_as_it_was(context: DeclaredContext) -> None:
    declared: dict[str, Any] = {
        "subdomain": "acme",
        "base_url": LOCAL,
        "schedule": "hourly",
        "filters": {"status": ["Active"], "country": ["Ireland", "United Kingdom"]},
        "mapping": {"membership_no": {"field": "id"}, "email": {"field": "homeEmail"}, "date_of_birth": None},
    }
    resolved = KIND.resolve(declared, context)
    assert resolved["mapping"]["email"] == {"field": "homeEmail"}
    assert "date_of_birth" not in resolved["mapping"]
    assert KIND.resolve(KIND.declare(resolved), context) == resolved


@pytest.mark.parametrize(
    ("declared", "path", "said"),
    [
        ({"subdomain": "acme", "base_url": "http://10.0.0.1"}, "base_url", "RGAPP_OUTBOUND_ALLOW"),
        ({"subdomain": "acme", "base_url": "http://[1"}, "base_url", "RGAPP_OUTBOUND_ALLOW"),
        ({"subdomain": "acme.evil.example/"}, "subdomain", "match"),
        ({}, "subdomain", "missing"),
        ({"subdomain": "acme", "shedule": "daily"}, "shedule", "not known"),
        ({"subdomain": "acme", "filters": {"city": ["Cork"]}}, "filters.city", "not known"),
        ({"subdomain": "acme", "mapping": {"email": None}}, "mapping", "email"),
        ({"subdomain": "acme", "mapping": {"first_name": {"field": "a", "otherwise": "b"}}}, "mapping", "second"),
    ],
)
def test_what_is_wrong_is_named(context: DeclaredContext, declared: dict[str, Any], path: str, said: str) -> None:
    with pytest.raises(SettingsError) as error:
        KIND.resolve(declared, context)
    assert said in problems(error)[path]


def test_a_way_in_is_a_key_or_a_consent() -> None:
    assert read_access({}) is None
    key = read_access({"api_key": " secret "})
    assert key is not None
    assert (key.method, key.values) == ("api_key", {"api_key": "secret"})
    assert "secret" not in repr(key)
    consent = {"client_id": "app", "client_secret": "hidden", "refresh_token": "token"}
    found = read_access({"oauth": consent})
    assert found is not None
    assert (found.method, found.values) == ("oauth", consent)


@pytest.mark.parametrize(
    ("declared", "path"),
    [
        ({"api_key": ""}, "api_key"),
        ({"api_key": {"file": "x"}}, "api_key"),
        ({"oauth": "x"}, "oauth"),
        ({"oauth": {"client_id": "x", "client_secret": ""}}, "oauth.client_secret"),
        ({"oauth": {"client_id": "x", "client_secret": "y"}}, "oauth.refresh_token"),
        ({"oauth": {"client_id": "x", "client_secret": "y", "refresh_token": "z", "scope": "all"}}, "oauth.scope"),
        ({"oauth": {"client_id": "x", "client_secret": "y", "refresh_token": "z"}, "api_key": "k"}, "oauth"),
    ],
)
def test_half_a_way_in_is_refused(declared: dict[str, Any], path: str) -> None:
    with pytest.raises(SettingsError) as error:
        read_access(declared)
    assert path in problems(error)


def test_settings_are_told_in_words() -> None:
    draft = {"subdomain": "acme", "filters": {"country": ["Ireland"]}, "mapping": {"email": {"field": "workEmail"}}}
    words = {one.label: one.after for one in KIND.differences(None, draft, NOW)}
    assert words["BambooHR"] == "acme.bamboohr.com"
    assert words["Who: country"] == "Ireland"
    assert words["Who: status"] == "Any"
    assert words["It pulls"] == "Every day"
    changed = KIND.differences(draft, draft | {"schedule": "hourly"}, NOW, ("BambooHR", "Bamboo"))
    assert [(one.label, one.before, one.after) for one in changed] == [
        ("Name", "BambooHR", "Bamboo"),
        ("It pulls", "Every day", "Every hour"),
    ]
