"""`flask integration token`: printed once, two alive at most, listed by their last characters, revoked."""

import pytest

from rgapp.integrations.scim import tokens
from rgapp.integrations.scim.settings import DEFAULT_MAPPING
from rgapp.models import Integration, Programme, SCIMToken
from rgapp.tokens import hash_token
from tests.cli.conftest import Terminal
from tests.factories import Factory


@pytest.fixture
def entra(make: Factory, acme: Programme) -> Integration:
    """Return a live SCIM integration."""
    return make.integration(acme, {"mapping": DEFAULT_MAPPING}, kind="scim", provider="scim", name="Entra")


def test_a_token_is_printed_alone_and_kept_as_a_hash(terminal: Terminal, entra: Integration) -> None:
    token = terminal.run("integration", "token", str(entra.id), "--label", "first").strip()
    row = terminal.session.query(SCIMToken).one()
    assert (row.token_hash, row.hint, row.label) == (hash_token(token), token[-4:], "first")
    assert row.expires_at is not None
    assert (row.expires_at - row.created_at).days == 365
    assert terminal.errors[0].endswith("It is not shown again.")


def test_a_third_token_is_refused_until_one_is_revoked(terminal: Terminal, entra: Integration) -> None:
    first = terminal.run("integration", "token", str(entra.id)).strip()
    terminal.run("integration", "token", str(entra.id), "--no-expiry")
    assert "Two tokens are alive" in terminal.fails("integration", "token", str(entra.id))[0]
    terminal.run("integration", "revoke-token", str(entra.id), first[-4:])
    terminal.run("integration", "token", str(entra.id))
    states = [each["state"] for each in terminal.json("integration", "tokens", str(entra.id))]
    assert states == ["live", "live", "revoked"]


def test_last_characters_that_look_like_an_option_name_a_token(
    terminal: Terminal, entra: Integration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "new_token", lambda: "x" * 40 + "-h_-")
    terminal.run("integration", "token", str(entra.id))
    terminal.run("integration", "revoke-token", str(entra.id), "-h_-")
    assert [each["state"] for each in terminal.json("integration", "tokens", str(entra.id))] == ["revoked"]


def test_the_list_names_no_token(terminal: Terminal, entra: Integration) -> None:
    token = terminal.run("integration", "token", str(entra.id)).strip()
    listed = terminal.run("integration", "tokens", str(entra.id))
    assert token not in listed
    assert token[-4:] in listed


def test_an_unknown_token_is_not_revoked(terminal: Terminal, entra: Integration) -> None:
    assert "no such token" in terminal.fails("integration", "revoke-token", str(entra.id), "zzzz")[0]


def test_a_sign_in_connection_has_no_tokens(terminal: Terminal, make: Factory, acme: Programme) -> None:
    okta = make.integration(acme, {}, published=False)
    assert "has no tokens" in terminal.fails("integration", "token", str(okta.id))[0]


def test_a_scim_integration_is_applied_with_the_usual_mapping_exported_and_unchanged(
    terminal: Terminal, acme: Programme
) -> None:
    entry = {
        "kind": "scim",
        "name": "Entra",
        "published": True,
        "mapping": {"membership_no": {"attribute": "userName"}, "date_of_birth": None},
    }
    file = terminal.write({"programme": "acme", "integrations": [entry]})
    printed = terminal.run("integration", "apply", file).splitlines()
    assert printed == [
        "Entra: created, published as version 1",
        f"  base_url: http://127.0.0.1:8000/scim/{acme.id}/v2",
    ]
    exported = terminal.run("integration", "export", "--programme", "acme")
    assert terminal.run("integration", "apply", file).splitlines() == ["Entra: unchanged"]
    again = terminal.run("integration", "apply", terminal.write(exported, "exported.yaml")).splitlines()
    assert again == ["guard: unchanged", "Entra: unchanged"]
    (listed,) = terminal.json("integration", "list", "--programme", "acme")
    assert listed["provider"] == "scim"
    assert listed["urls"] == {"base_url": f"http://127.0.0.1:8000/scim/{acme.id}/v2"}


def test_a_bad_scim_entry_names_every_problem(terminal: Terminal, acme: Programme) -> None:
    entry = {"kind": "scim", "name": "Entra", "on_delete": "erase", "mapping": {"email": {"attribute": "emails["}}}
    errors = terminal.fails("integration", "apply", terminal.write({"programme": "acme", "integrations": [entry]}))
    assert any(error.startswith("integrations[0].on_delete: ") for error in errors)
    assert any(error.startswith("integrations[0].mapping.email.attribute: ") for error in errors)
