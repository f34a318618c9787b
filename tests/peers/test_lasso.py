"""Lasso, a library in C: both ways to start, signatures, ciphers and identifiers, signed requests, logout both ways.

It serialises objects of its own, in namespaces and an order of its own.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.peers.browser import Browser
from tests.peers.conftest import ROOT, Peer, Person
from tests.peers.provider import Provider, prepare, running
from tests.ports import free_port
from tests.tools import require

pytestmark = pytest.mark.xdist_group("lasso")


@pytest.fixture(scope="module")
def peer(
    connect: Callable[[Provider], Peer], provider_key: tuple[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Peer]:
    """Return a connection to a running Lasso."""
    python = require("lasso")
    provider = prepare("Lasso", tmp_path_factory.mktemp("lasso"), provider_key, free_port())
    peer = connect(provider)
    script = Path(__file__).parent / "providers" / "lasso_idp.py"
    with running(provider, [python, str(script), str(provider.folder)], ROOT):
        yield peer


@pytest.fixture(autouse=True)
def _usual(peer: Peer) -> None:
    """Start each test with the usual settings."""
    peer.provider.behave()
    peer.publish()


@pytest.mark.parametrize("start", ["with us", "at the provider"])
@pytest.mark.parametrize("sign", ["default", "assertion", "both"])
def test_a_sign_in(peer: Peer, browser: Browser, person: Person, sign: str, start: str) -> None:
    peer.provider.behave(person=person.attributes, sign=sign)
    peer.assert_created(person, browser.open(peer.login_url if start == "with us" else f"{peer.provider.url}/start"))
    assert peer.last_attempt().idp_initiated == (start == "at the provider")


@pytest.mark.parametrize("method", ["rsa-sha384", "rsa-sha512"])
def test_stronger_signatures(peer: Peer, browser: Browser, person: Person, method: str) -> None:
    peer.provider.behave(person=person.attributes, method=method)
    peer.assert_created(person, browser.open(peer.login_url))


def test_sha_1_is_refused_with_its_own_reason(peer: Peer, browser: Browser, person: Person) -> None:
    peer.provider.behave(person=person.attributes, method="rsa-sha1")
    peer.assert_refused(person, browser.open(peer.login_url), "protocol:signature_algorithm")


@pytest.mark.parametrize("sign", ["assertion", "both"])
@pytest.mark.parametrize("encrypt", ["default", "3des", "aes128", "aes256"])
def test_an_encrypted_assertion(peer: Peer, browser: Browser, person: Person, sign: str, encrypt: str) -> None:
    peer.provider.behave(person=person.attributes, sign=sign, encrypt=encrypt)
    peer.assert_created(person, browser.open(peer.login_url))


def test_an_encrypted_identifier(peer: Peer, browser: Browser, person: Person) -> None:
    peer.provider.behave(person=person.attributes, encrypt="aes256", encrypt_what="name id")
    attempt = peer.assert_created(person, browser.open(peer.login_url))
    assert {"code": "name_id_missing", "ok": True, "got": "there"}.items() <= next(
        check.items() for check in attempt.checks if check["code"] == "name_id_missing"
    )


def test_a_key_sent_by_rsa_1_5_is_refused_with_its_own_reason(peer: Peer, browser: Browser, person: Person) -> None:
    peer.provider.behave(person=person.attributes, encrypt="aes256", key_transport="rsa-1.5")
    peer.assert_refused(person, browser.open(peer.login_url), "protocol:encryption_algorithm")


@pytest.mark.parametrize("binding", ["redirect", "post"])
def test_it_verifies_our_signed_requests(peer: Peer, browser: Browser, person: Person, binding: str) -> None:
    peer.provider.behave(person=person.attributes, want_signed_requests=True)
    peer.publish(idp={"sso_binding": binding})
    peer.assert_created(person, browser.open(peer.login_url))


def test_it_refuses_a_request_that_is_not_signed(peer: Peer, browser: Browser, person: Person) -> None:
    """So the test above shows that ours was verified."""
    peer.provider.behave(person=person.attributes, want_signed_requests=True)
    assert browser.open(peer.login_url).status == 500


def test_signing_out_with_us_signs_out_there_and_comes_back(peer: Peer, browser: Browser, person: Person) -> None:
    peer.provider.behave(person=person.attributes)
    peer.assert_created(person, browser.open(peer.login_url))
    page = browser.send(browser.open(peer.logout_url))
    assert (page.status, page.path) == (200, f"/p/{peer.slug}/signed-out"), peer.provider.log()
    assert any(step.path == "/slo" for step in browser.steps)
    assert not peer.is_signed_in(browser)


@pytest.mark.parametrize("encrypt", [{}, {"encrypt": "aes256", "encrypt_what": "name id"}], ids=["plain", "encrypted"])
def test_signing_out_there_signs_out_with_us(
    peer: Peer, browser: Browser, person: Person, encrypt: dict[str, str]
) -> None:
    peer.provider.behave(person=person.attributes, **encrypt)
    peer.assert_created(person, browser.open(peer.login_url))
    assert peer.is_signed_in(browser)
    assert browser.open(f"{peer.provider.url}/leave").text == "Signed out everywhere.", peer.provider.log()
    assert not peer.is_signed_in(browser)
