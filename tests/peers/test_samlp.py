"""The npm package samlp: both ways to start, every way to sign, encryption, signed requests, logout both ways.

Its XML is written from templates by hand and signed by xml-crypto, so prefixes and white space are its own.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.peers.browser import Browser
from tests.peers.conftest import Peer, Person
from tests.peers.provider import Provider, prepare, running
from tests.ports import free_port
from tests.tools import require

pytestmark = pytest.mark.xdist_group("samlp")


@pytest.fixture(scope="module")
def peer(
    connect: Callable[[Provider], Peer], provider_key: tuple[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Peer]:
    """Return a connection to a running samlp."""
    folder = Path(require("node providers"))
    provider = prepare("samlp", tmp_path_factory.mktemp("samlp"), provider_key, free_port())
    peer = connect(provider)
    with running(provider, ["node", "samlp_idp.js", str(provider.folder)], folder, NODE_NO_WARNINGS="1"):
        yield peer


@pytest.fixture(autouse=True)
def _usual(peer: Peer) -> None:
    """Start each test with the usual settings."""
    peer.provider.behave()
    peer.publish()


@pytest.mark.parametrize("start", ["with us", "at the provider"])
@pytest.mark.parametrize("sign", ["assertion", "response", "both"])
def test_a_sign_in(peer: Peer, browser: Browser, person: Person, sign: str, start: str) -> None:
    peer.publish(signed="response" if sign == "response" else "assertion")
    peer.provider.behave(person=person.attributes, sign=sign)
    peer.assert_created(person, browser.open(peer.login_url if start == "with us" else f"{peer.provider.url}/start"))
    assert peer.last_attempt().idp_initiated == (start == "at the provider")


@pytest.mark.parametrize(
    "form",
    [
        {"signatureNamespacePrefix": "ds"},
        {"typedAttributes": False},
        {"includeAttributeNameFormat": True},
        {"signatureNamespacePrefix": "dsig", "lifetimeInSeconds": 60},
    ],
    ids=["prefix", "untyped", "name formats", "another prefix"],
)
def test_its_ways_of_writing(peer: Peer, browser: Browser, person: Person, form: dict[str, object]) -> None:
    peer.provider.behave(person=person.attributes, sign="both", samlp=form)
    peer.assert_created(person, browser.open(peer.login_url))


def test_sha_1_is_refused_with_its_own_reason(peer: Peer, browser: Browser, person: Person) -> None:
    peer.provider.behave(person=person.attributes, samlp={"signatureAlgorithm": "rsa-sha1"})
    peer.assert_refused(person, browser.open(peer.login_url), "protocol:signature_algorithm")
    peer.provider.behave(person=person.attributes, samlp={"digestAlgorithm": "sha1"})
    peer.assert_refused(person, browser.open(peer.login_url), "protocol:digest_algorithm")


@pytest.mark.parametrize("sign", ["assertion", "both"])
@pytest.mark.parametrize(
    "cipher", ["", "xmlenc#aes128-cbc", "xmlenc#aes256-cbc", "xmlenc11#aes128-gcm", "xmlenc#tripledes-cbc"]
)
def test_an_encrypted_assertion(peer: Peer, browser: Browser, person: Person, sign: str, cipher: str) -> None:
    year = "2009" if "xmlenc11" in cipher else "2001"
    chosen = {"encryptionAlgorithm": f"http://www.w3.org/{year}/04/{cipher}".replace("2009/04", "2009")}
    options = {"disallowEncryptionWithInsecureAlgorithm": False, **(chosen if cipher else {})}
    peer.provider.behave(person=person.attributes, sign=sign, encrypt=True, samlp=options)
    attempt = peer.assert_created(person, browser.open(peer.login_url))
    assert ("encryption_old" in str(attempt.checks)) == ("tripledes" in cipher)


@pytest.mark.parametrize("binding", ["redirect", "post"])
def test_it_verifies_our_signed_requests(peer: Peer, browser: Browser, person: Person, binding: str) -> None:
    peer.publish(idp={"want_signed_requests": True, "sso_binding": binding})
    peer.provider.behave(person=person.attributes, want_signed_requests=True)
    peer.assert_created(person, browser.open(peer.login_url))


def test_it_refuses_a_request_that_is_not_signed(peer: Peer, browser: Browser, person: Person) -> None:
    """So the test above shows that ours was verified."""
    peer.provider.behave(person=person.attributes, want_signed_requests=True)
    assert browser.open(peer.login_url).status == 500


@pytest.mark.parametrize("by_post", [False, True], ids=["by redirect", "by post"])
def test_signing_out_with_us_signs_out_there_and_comes_back(
    peer: Peer, browser: Browser, person: Person, by_post: bool
) -> None:
    peer.provider.behave(person=person.attributes, logout_by_post=by_post)
    peer.assert_created(person, browser.open(peer.login_url))
    page = browser.send(browser.open(peer.logout_url))
    assert (page.status, page.path) == (200, f"/p/{peer.slug}/signed-out"), peer.provider.log()
    assert any(step.path == "/slo" for step in browser.steps)
    assert not peer.is_signed_in(browser)


@pytest.mark.parametrize("by_post", [False, True], ids=["by redirect", "by post"])
def test_signing_out_there_signs_out_with_us(peer: Peer, browser: Browser, person: Person, by_post: bool) -> None:
    peer.provider.behave(person=person.attributes, logout_by_post=by_post)
    peer.assert_created(person, browser.open(peer.login_url))
    assert peer.is_signed_in(browser)
    page = browser.open(f"{peer.provider.url}/leave")
    assert (page.status, page.text) == (200, "OK"), peer.provider.log()
    assert not peer.is_signed_in(browser)
