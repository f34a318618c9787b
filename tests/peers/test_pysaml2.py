"""pysaml2's Server: both ways to start, every way to sign, encryption, signed requests, and logout in both directions.

pysaml2 calls xmlsec1, so its XML is written by ElementTree and signed by libxml2.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.peers.browser import Browser
from tests.peers.conftest import MAPPING, ROOT, Peer, Person
from tests.peers.provider import Provider, prepare, running
from tests.ports import free_port
from tests.tools import require

pytestmark = pytest.mark.xdist_group("pysaml2")

OIDS = {
    "employeeNumber": "urn:oid:2.16.840.1.113730.3.1.3",
    "mail": "urn:oid:0.9.2342.19200300.100.1.3",
    "givenName": "urn:oid:2.5.4.42",
    "sn": "urn:oid:2.5.4.4",
}
BY_OID = {field: {"attribute": OIDS[source["attribute"]]} for field, source in MAPPING.items()}


@pytest.fixture(scope="module")
def peer(
    connect: Callable[[Provider], Peer], provider_key: tuple[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Peer]:
    """Return a connection to a running pysaml2."""
    require("xmlsec1")
    provider = prepare("pysaml2", tmp_path_factory.mktemp("pysaml2"), provider_key, free_port())
    peer = connect(provider)
    script = Path(__file__).parent / "providers" / "pysaml2_idp.py"
    with running(provider, [sys.executable, str(script), str(provider.folder)], ROOT):
        peer.publish(mapping=BY_OID)
        yield peer


@pytest.fixture(autouse=True)
def _usual(peer: Peer) -> None:
    """Start each test with the usual settings."""
    peer.provider.behave()
    peer.publish(mapping=BY_OID)


@pytest.mark.parametrize("sign", ["assertion", "response", "both"])
def test_a_sign_in_that_starts_with_us(peer: Peer, browser: Browser, person: Person, sign: str) -> None:
    peer.publish(mapping=BY_OID, signed="response" if sign == "response" else "assertion")
    peer.provider.behave(person=person.attributes, sign=sign)
    peer.assert_created(person, browser.open(peer.login_url))


@pytest.mark.parametrize("sign", ["assertion", "response", "both"])
def test_a_sign_in_that_starts_at_the_provider(peer: Peer, browser: Browser, person: Person, sign: str) -> None:
    peer.publish(mapping=BY_OID, signed="either")
    peer.provider.behave(person=person.attributes, sign=sign)
    peer.assert_created(person, browser.open(f"{peer.provider.url}/start"))
    assert peer.last_attempt().idp_initiated


def test_relay_state_of_the_provider_is_a_page_of_the_site(peer: Peer, browser: Browser, person: Person) -> None:
    peer.provider.behave(person=person.attributes, relay_state=f"/p/{peer.slug}/details")
    assert browser.open(f"{peer.provider.url}/start").path == f"/p/{peer.slug}/details"


def test_its_default_of_sha_1_is_refused_with_its_own_reason(peer: Peer, browser: Browser, person: Person) -> None:
    peer.provider.behave(person=person.attributes, default_algorithms=True)
    peer.assert_refused(person, browser.open(peer.login_url), "protocol:signature_algorithm")


@pytest.mark.parametrize("sign", ["assertion", "response", "both"])
@pytest.mark.parametrize("encrypt", ["default", "aes128-cbc", "aes256-cbc", "aes256-gcm"])
def test_an_encrypted_assertion(peer: Peer, browser: Browser, person: Person, sign: str, encrypt: str) -> None:
    peer.publish(mapping=BY_OID, signed="either")
    peer.provider.behave(person=person.attributes, sign=sign, encrypt=encrypt)
    attempt = peer.assert_created(person, browser.open(peer.login_url))
    assert ("encryption_old" in str(attempt.checks)) == (encrypt == "default")


def test_an_encrypted_assertion_with_its_namespaces_outside(peer: Peer, browser: Browser, person: Person) -> None:
    """Where the response is signed as well, pysaml2 writes prefixes that nothing declares; no parser takes that."""
    peer.provider.behave(person=person.attributes, encrypt="aes256-gcm", self_contained=False)
    peer.assert_created(person, browser.open(peer.login_url))


@pytest.mark.parametrize("binding", ["redirect", "post"])
def test_it_verifies_our_signed_requests(peer: Peer, browser: Browser, person: Person, binding: str) -> None:
    peer.provider.behave(person=person.attributes, want_signed_requests=True)
    peer.publish(mapping=BY_OID, idp={"sso_binding": binding})
    assert peer.settings["idp"]["want_signed_requests"]
    peer.assert_created(person, browser.open(peer.login_url))


def test_it_refuses_a_request_that_is_not_signed(peer: Peer, browser: Browser, person: Person) -> None:
    """So the test above shows that ours was verified."""
    peer.publish(mapping=BY_OID)
    peer.provider.behave(person=person.attributes, want_signed_requests=True)
    assert browser.open(peer.login_url).status == 500


def test_signing_out_with_us_signs_out_there_and_comes_back(peer: Peer, browser: Browser, person: Person) -> None:
    peer.provider.behave(person=person.attributes)
    peer.assert_created(person, browser.open(peer.login_url))
    page = browser.send(browser.open(peer.logout_url))
    assert (page.status, page.path) == (200, f"/p/{peer.slug}/signed-out")
    assert [step.path for step in browser.steps[-4:]][1:3] == ["/slo", f"/sso/{peer.public_id}/sls"]
    assert not peer.is_signed_in(browser)


def test_signing_out_there_signs_out_with_us(peer: Peer, browser: Browser, person: Person) -> None:
    peer.provider.behave(person=person.attributes)
    peer.assert_created(person, browser.open(peer.login_url))
    assert peer.is_signed_in(browser)
    page = browser.open(f"{peer.provider.url}/leave")
    assert page.text == "Signed out everywhere."
    assert not peer.is_signed_in(browser)


def test_an_answer_brought_twice_is_taken_once(peer: Peer, browser: Browser, person: Person) -> None:
    peer.provider.behave(person=person.attributes)
    peer.assert_created(person, browser.open(f"{peer.provider.url}/start"))
    assert Browser().post(peer.acs_url, browser.posted).status == 403
    assert peer.last_attempt().reason == "replayed"
