"""Pulls under a consent: tokens are renewed, kept before they are used, and what was revoked is said."""

from typing import Any

import pytest
from flask import current_app

from rgapp.integrations.bamboohr import oauth
from rgapp.integrations.bamboohr.api import Bamboo
from rgapp.integrations.bamboohr.calls import OAuthAccess
from rgapp.integrations.bamboohr.errors import BambooError
from rgapp.integrations.pulls import access
from tests.integrations.bamboohr.house import House, MakeHouse


@pytest.fixture
def house(make_house: MakeHouse) -> House:
    return make_house(key=False)


def kept(house: House) -> str:
    row = access.of_integration(house.session, house.integration)
    secrets = access.secrets_of(row, current_app.extensions["sealer"])
    house.session.commit()
    assert secrets is not None
    return secrets.values["refresh_token"]


def test_a_consent_leads_in_and_its_token_is_replaced(house: House) -> None:
    given = house.consent()
    assert house.pull().state == "applied"
    first = kept(house)
    assert first != given
    assert house.pull(full=True).state == "applied"
    assert kept(house) not in {given, first}


def test_a_renewed_token_is_kept_before_anything_is_asked_with_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies right after the renewal: what BambooHR gave is not lost."""
    given = house.consent()

    def die(self: Bamboo, wanted: Any) -> None:
        self.calls.get("/api/v1/meta/fields")
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(Bamboo, "places", die)
        house.ask()
        with pytest.raises(RuntimeError, match="killed"):
            house.work()
    assert kept(house) != given
    done = house.work()
    assert done is not None
    assert done.state == "applied"


def test_what_cannot_be_kept_is_not_used(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.consent()
    house.simulated.do(faults=[])

    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(access, "renew", fail)
        house.ask()
        with pytest.raises(RuntimeError, match="full"):
            house.work()
    assert house.simulated.paths == ["POST /token.php"]


def test_a_token_that_another_process_renewed_is_taken_up(house: House) -> None:
    first = house.consent()
    house.simulated.do(faults=[])
    form = {"grant_type": "refresh_token", "refresh_token": first, "client_id": "rgapp-demo"}
    tokens = house.simulated.door.exchange(form | {"client_secret": "demo-client-secret"})[1]
    del house.simulated.door.refresh[first]
    made = Bamboo(
        house.simulated.origin,
        OAuthAccess("rgapp-demo", "demo-client-secret", first),
        allow=frozenset({house.simulated.origin}),
        stored=lambda: str(tokens["refresh_token"]),
    )
    made.check()
    made.close()


def test_an_access_token_that_runs_out_on_the_way_is_renewed(house: House) -> None:
    house.consent()
    house.simulated.do(faults=[{"kind": "do", "at": [4], "do": {"expire": True}}])
    assert house.pull().state == "applied"
    assert house.simulated.paths.count("POST /token.php") == 2


def test_a_revoked_consent_fails_in_words_and_changes_nothing(house: House) -> None:
    house.consent()
    house.pull()
    before = house.people()
    house.simulated.do(revoke=True)
    run = house.pull(full=True)
    assert (run.state, run.facts["code"]) == ("failed", "revoked")
    assert run.facts["sentence"] == "The consent was revoked or has run out. Connect again."
    assert house.people() == before
    row = access.of_integration(house.session, house.integration)
    assert row is not None
    assert row.problem == "revoked"
    assert row.problem_since is not None
    house.consent()
    assert house.pull().state == "applied"


def test_an_expired_key_is_noted(make_house: MakeHouse) -> None:
    house = make_house()
    house.pull()
    house.simulated.do(keys=["another"])
    run = house.pull()
    assert (run.state, run.facts["code"]) == ("failed", "wrong_key")
    row = access.of_integration(house.session, house.integration)
    assert row is not None
    assert row.problem == "wrong_key"
    house.simulated.do(keys=[house.simulated.key])
    assert house.pull().state == "applied"
    house.session.refresh(row)
    assert row.problem == ""
    assert row.checked_at is not None


def test_without_any_access_a_pull_fails_in_words(house: House) -> None:
    run = house.pull()
    assert (run.state, run.facts["code"]) == ("failed", "no_access")


def test_a_code_is_exchanged_once(house: House) -> None:
    door, origin = house.simulated.door, house.simulated.origin
    back = "https://rewards.example/manager/back"
    allow = frozenset({origin})
    code = door.code(back)
    tokens = oauth.exchange(origin, door.client_id, door.client_secret, code, back, allow=allow)
    assert tokens.refresh_token
    assert tokens.expires_in == 3600
    with pytest.raises(BambooError) as refused:
        oauth.exchange(origin, door.client_id, door.client_secret, code, back, allow=allow)
    assert refused.value.code == "code_used"
    with pytest.raises(BambooError) as refused:
        oauth.exchange(origin, door.client_id, "wrong", door.code(back), back, allow=allow)
    assert refused.value.code == "wrong_client"


def test_the_consent_page_is_asked_for_what_pulls_need() -> None:
    url = oauth.authorize_url("https://acme.bamboohr.com", "us", "https://rewards.example/back", "a&b")
    assert url.startswith("https://acme.bamboohr.com/authorize.php?request=authorize&response_type=code&client_id=us&")
    assert "state=a%26b" in url
    assert "offline_access" in url


def test_tokens_are_in_no_representation() -> None:
    shown = repr((oauth.Tokens("at-1", "rt-1", 5), OAuthAccess("id", "cs-1", "rt-2")))
    assert not any(secret in shown for secret in ("at-1", "rt-1", "cs-1", "rt-2"))
