"""Initial set-up: three ways to introduce an identity provider, and everything that can be wrong with them."""

import io
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from rgapp.clock import utcnow
from rgapp.demo.responses import idp_metadata, make_idp_key
from rgapp.integrations import service
from rgapp.integrations.saml.certificates import read_certificates
from rgapp.models import Integration, Programme
from tests.dashboard.conftest import hidden_fields
from tests.factories import Factory
from tests.sso.conftest import IDP_ENTITY_ID, SSO_URL

OPTIONS = {"signed": "assertion", "sp_initiated": "y", "parameter_name": "SAMLResponse", "sso_binding": "redirect"}


@pytest.fixture
def empty(make: Factory, acme: Programme) -> Integration:
    """Return a draft that says nothing about its identity provider."""
    return make.integration(acme, {"idp": {"certificates": []}, "mapping": {}}, name="Fresh", published=False)


@pytest.fixture
def send(browser: FlaskClient, path: Callable[..., str]) -> Callable[..., Any]:
    """Return a function that sends the form of Initial set-up."""

    def post(integration: Integration, **values: Any) -> Any:
        data = OPTIONS | {"name": integration.name} | values
        return browser.post(path(integration, "setup/initial"), data=data)

    return post


def upload(data: bytes, name: str = "metadata.xml") -> tuple[io.BytesIO, str]:
    return io.BytesIO(data), name


def test_metadata_is_shown_as_understood_before_it_is_saved(
    browser: FlaskClient,
    send: Callable[..., Any],
    empty: Integration,
    metadata: bytes,
    idp_key: tuple[str, str],
    path: Callable[..., str],
) -> None:
    answer = send(empty, way="file", metadata_file=upload(metadata), name="Acme login")
    page = answer.text
    assert answer.status_code == 200
    assert "Is this your identity provider?" in page
    assert IDP_ENTITY_ID in page
    assert SSO_URL in page
    assert read_certificates(idp_key[1])[0].fingerprint_sha256 in page
    assert empty.draft["idp"] == {"certificates": []}

    saved = browser.post(path(empty, "setup/confirm"), data=hidden_fields(page))
    assert saved.status_code == 303
    assert saved.location.endswith("setup/mapping")
    assert empty.name == "Acme login"
    assert empty.draft["idp"]["entity_id"] == IDP_ENTITY_ID
    assert len(empty.draft["idp"]["certificates"]) == 1


def test_going_back_from_the_metadata_loses_nothing_and_saves_nothing(
    browser: FlaskClient, send: Callable[..., Any], empty: Integration, metadata: bytes, path: Callable[..., str]
) -> None:
    page = send(
        empty, way="file", metadata_file=upload(metadata), name="Typed name", signed="either", idp_initiated="y"
    ).text
    back = browser.post(path(empty, "setup/confirm"), data=hidden_fields(page) | {"back": "1"}).text
    assert 'value="Typed name"' in back
    assert re.search(r'<input[^>]*\bchecked\b[^>]*\bvalue="either"', back)
    assert re.search(r'<input[^>]*\bchecked\b[^>]*\bid="idp_initiated"', back)
    assert empty.name == "Fresh"


def test_a_tampered_confirmation_is_not_saved(
    browser: FlaskClient, send: Callable[..., Any], empty: Integration, metadata: bytes, path: Callable[..., str]
) -> None:
    page = send(empty, way="file", metadata_file=upload(metadata)).text
    for understood in ("", "nonsense", "[]", '[{"entity_id": "x", "sso_url": "javascript:alert(1)"}]', '{"a": 1}', "7"):
        sent = hidden_fields(page) | {"understood": understood}
        answer = browser.post(path(empty, "setup/confirm"), data=sent)
        assert answer.status_code == 200
        assert "cannot be used as they are" in answer.text
    assert empty.draft["idp"] == {"certificates": []}


def test_one_of_several_identity_providers_is_chosen(
    browser: FlaskClient,
    send: Callable[..., Any],
    empty: Integration,
    idp_key: tuple[str, str],
    path: Callable[..., str],
) -> None:
    parts = [
        idp_metadata(entity_id=f"https://{name}.example", sso_url=SSO_URL, certificates=[idp_key[1]])
        .decode()
        .partition("?>")[2]
        for name in ("one", "two")
    ]
    document = f'<EntitiesDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata">{"".join(parts)}</EntitiesDescriptor>'
    page = send(empty, way="file", metadata_file=upload(document.encode())).text
    assert "describes 2 identity providers" in page
    browser.post(path(empty, "setup/confirm"), data=hidden_fields(page) | {"choice": "1"})
    assert empty.draft["idp"]["entity_id"] == "https://two.example"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (b"", "Choose the metadata file"),
        (b"   ", "The file is empty"),
        (b"nonsense", "not readable XML"),
        (b"<!doctype html><html><body>Sign in</body></html>", "This is a web page"),
        (b"<a/>", "not SAML metadata"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "document type declaration"),
        (b"<a>" + b"x" * 5000 + b"</a>", "larger than 2 MiB"),
    ],
)
def test_a_file_that_is_no_metadata_is_refused_in_plain_words(
    send: Callable[..., Any], empty: Integration, given: bytes, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rgapp.integrations.saml.metadata.MAX_METADATA", 4000)
    file = upload(given, "" if not given else "metadata.xml")
    page = send(empty, way="file", metadata_file=file, name="Kept name").text
    assert sentence in page
    assert 'value="Kept name"' in page


def test_a_metadata_address_inside_a_private_network_is_not_fetched(
    send: Callable[..., Any], empty: Integration
) -> None:
    page = send(empty, way="url", metadata_url="https://127.0.0.1/metadata").text
    assert "leads into a private network" in page
    assert 'value="https://127.0.0.1/metadata"' in page


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("", "Give the address of the metadata"),
        ("idp.example", "full address that begins with https://"),
        ("http://idp.example/metadata", "must begin with https://"),
        ("https://no-such-host.example/", "No server with this name"),
    ],
)
def test_an_address_that_cannot_be_fetched_is_refused_in_plain_words(
    send: Callable[..., Any], empty: Integration, address: str, sentence: str
) -> None:
    assert sentence in send(empty, way="url", metadata_url=address).text


def test_metadata_is_fetched_from_an_address_and_the_address_is_kept(
    browser: FlaskClient,
    send: Callable[..., Any],
    empty: Integration,
    metadata: bytes,
    path: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("rgapp.dashboard.saml.initial.fetch_metadata", lambda url, *, allow: metadata)
    page = send(empty, way="url", metadata_url="https://idp.example/metadata").text
    browser.post(path(empty, "setup/confirm"), data=hidden_fields(page))
    assert empty.draft["idp"]["metadata_url"] == "https://idp.example/metadata"


def test_details_by_hand_are_saved(
    send: Callable[..., Any], empty: Integration, idp_key: tuple[str, str], other_certificate: str
) -> None:
    answer = send(
        empty,
        way="hand",
        entity_id=IDP_ENTITY_ID,
        sso_url=SSO_URL,
        certificates=idp_key[1],
        certificate_files=[upload(other_certificate.encode(), "next.pem")],
    )
    assert answer.location.endswith("setup/mapping")
    assert empty.draft["idp"]["entity_id"] == IDP_ENTITY_ID
    assert len(empty.draft["idp"]["certificates"]) == 2


@pytest.mark.parametrize(("typed", "kept"), [("https://idp.example/slo", True), ("https://new.example/slo", False)])
def test_a_change_by_hand_keeps_where_answers_to_a_sign_out_go(
    make: Factory, acme: Programme, send: Callable[..., Any], typed: str, kept: bool
) -> None:
    slo = {"slo_url": "https://idp.example/slo", "slo_response_url": "https://idp.example/answers"}
    idp = {"entity_id": IDP_ENTITY_ID, "sso_url": SSO_URL, "certificates": []} | slo
    draft = make.integration(acme, {"idp": idp, "mapping": {}}, name="From metadata", published=False)
    send(draft, way="hand", entity_id=IDP_ENTITY_ID, sso_url="https://idp.example/new", slo_url=typed)
    assert draft.draft["idp"]["sso_url"] == "https://idp.example/new"
    assert (draft.draft["idp"].get("slo_response_url") == slo["slo_response_url"]) is kept


def test_an_incomplete_draft_is_saved_and_says_what_is_missing(
    browser: FlaskClient, send: Callable[..., Any], empty: Integration
) -> None:
    answer = send(empty, way="hand", entity_id=IDP_ENTITY_ID)
    assert answer.location.endswith("setup/initial")
    page = browser.get(answer.location).text
    assert "Still needed: the sign-in address; a signing certificate." in page
    assert empty.draft["idp"]["entity_id"] == IDP_ENTITY_ID


def test_a_private_key_is_neither_kept_nor_shown(
    send: Callable[..., Any], empty: Integration, idp_key: tuple[str, str]
) -> None:
    body = idp_key[0].splitlines()[5]
    for given in ({"certificates": idp_key[0]}, {"certificate_files": [upload(idp_key[0].encode(), "key.pem")]}):
        page = send(empty, way="hand", entity_id=IDP_ENTITY_ID, **given).text
        assert "contains a private key. We have not kept it" in page
        assert body not in page
        assert 'value="https://idp.example/saml"' in page
    assert empty.draft["idp"] == {"certificates": []}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("nonsense!", "This is not a certificate."),
        ("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----", "certificate request"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "a public key alone"),
    ],
)
def test_what_is_no_certificate_is_refused_in_plain_words(
    send: Callable[..., Any], empty: Integration, given: str, sentence: str
) -> None:
    assert sentence in send(empty, way="hand", certificates=given).text


def test_an_expired_certificate_is_taken_with_a_warning(
    browser: FlaskClient, send: Callable[..., Any], empty: Integration, path: Callable[..., str]
) -> None:
    _, expired = make_idp_key(utcnow() - timedelta(days=8000))
    send(empty, way="hand", entity_id=IDP_ENTITY_ID, sso_url=SSO_URL, certificates=expired)
    assert "Expired " in browser.get(path(empty, "setup/initial")).text
    assert "has expired" in browser.get(path(empty, "setup/review")).text


def test_every_error_is_shown_at_once_and_nothing_typed_is_lost(send: Callable[..., Any], empty: Integration) -> None:
    page = send(
        empty,
        way="hand",
        name="",
        sso_url="not an address",
        slo_url="ftp://x",
        certificates="nonsense!",
        parameter_name="a b",
        sp_initiated="",
    ).text
    assert "6 things need another look" in page
    for typed in ("not an address", "ftp://x", "nonsense!", "a b"):
        assert typed in page


def test_no_place_for_sign_in_to_start_is_an_error(
    browser: FlaskClient, empty: Integration, path: Callable[..., str]
) -> None:
    page = browser.post(path(empty, "setup/initial"), data={"name": "A", "way": "hand", "signed": "either"}).text
    assert "at least one place where sign-in may start" in page


def test_a_name_that_is_taken_is_an_error(send: Callable[..., Any], empty: Integration, draft: Integration) -> None:
    page = send(empty, way="hand", name=draft.name.upper(), entity_id="https://typed.example").text
    assert "has this name" in page
    assert "https://typed.example" in page


def test_certificates_are_added_and_removed(
    send: Callable[..., Any], draft: Integration, idp_key: tuple[str, str], other_certificate: str
) -> None:
    first = read_certificates(idp_key[1])[0].fingerprint_sha256
    send(
        draft,
        way="hand",
        entity_id=IDP_ENTITY_ID,
        sso_url=SSO_URL,
        certificates=other_certificate,
        remove=[first],
    )
    kept = [read_certificates(pem)[0].fingerprint_sha256 for pem in draft.draft["idp"]["certificates"]]
    assert kept == [read_certificates(other_certificate)[0].fingerprint_sha256]


def test_keeping_what_is_saved_changes_only_the_options(send: Callable[..., Any], draft: Integration) -> None:
    before = dict(draft.draft["idp"])
    send(draft, way="keep", signed="response")
    assert draft.draft["idp"] == before
    assert draft.draft["signed"] == "response"


def test_a_file_given_beside_keep_is_not_ignored(send: Callable[..., Any], draft: Integration, metadata: bytes) -> None:
    assert "Is this your identity provider?" in send(draft, way="keep", metadata_file=upload(metadata)).text


def test_a_change_by_somebody_else_is_not_lost_silently(
    browser: FlaskClient,
    session: Session,
    draft: Integration,
    path: Callable[..., str],
    make: Factory,
) -> None:
    """Sending the form again, having been told, puts it in place of the other change."""
    page = browser.get(path(draft, "setup/initial")).text
    from rgapp.auth.staff import staff_actor

    other = make.staff(name="Sam Second")
    service.save_draft(session, draft, actor=staff_actor(other), now=utcnow(), signed="either")
    sent = OPTIONS | hidden_fields(page) | {"name": "Mine", "way": "keep", "signed": "response"}
    answer = browser.post(path(draft, "setup/initial"), data=sent)
    assert "Sam Second changed it" in answer.text
    assert 'value="Mine"' in answer.text
    assert draft.draft["signed"] == "either"

    again = browser.post(path(draft, "setup/initial"), data=sent | hidden_fields(answer.text))
    assert again.status_code == 303
    assert draft.draft["signed"] == "response"


def test_saving_a_draft_leaves_what_is_live_alone(
    session: Session, send: Callable[..., Any], live: Integration
) -> None:
    send(live, way="keep", name="New name", signed="either")
    settings = service.live_settings(session, live)
    assert settings is not None
    assert settings["signed"] == "assertion"
    assert live.live_name == "Okta"
    assert live.name == "New name"
