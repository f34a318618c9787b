"""SimpleSAMLphp, the identity provider of many universities and companies: as its package installs it, under php -S.

Its XML comes from PHP's DOM and its signatures from xmlseclibs.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.peers.browser import Browser
from tests.peers.conftest import Peer, Person
from tests.peers.provider import Provider, prepare, running
from tests.ports import free_port
from tests.tools import require

pytestmark = pytest.mark.xdist_group("simplesamlphp")


@pytest.fixture(scope="module")
def peer(
    connect: Callable[[Provider], Peer], provider_key: tuple[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Peer]:
    """Return a connection to a running SimpleSAMLphp."""
    www = require("simplesamlphp")
    folder = tmp_path_factory.mktemp("simplesamlphp")
    provider = prepare("SimpleSAMLphp", folder, provider_key, free_port(), metadata_path="/saml2/idp/metadata.php")
    peer = connect(provider)
    variables = {
        "PROVIDER_FOLDER": str(folder),
        "SIMPLESAMLPHP_CONFIG_DIR": str(Path(__file__).parent / "providers" / "simplesamlphp"),
    }
    command = ["php", "-d", "error_reporting=E_ERROR", "-S", f"localhost:{provider.port}", "-t", www]
    with running(provider, command, folder, **variables):
        yield peer


@pytest.fixture(autouse=True)
def _usual(peer: Peer) -> None:
    """Start each test with the usual settings."""
    peer.provider.behave()
    peer.publish()


def at_the_provider(peer: Peer) -> str:
    """Return the address at which a sign-in starts at the provider."""
    return f"{peer.provider.url}/saml2/idp/SSOService.php?spentityid={quote(peer.entity_id, safe='')}"


SIGNED: dict[str, dict[str, Any]] = {
    "default": {},
    "assertion": {"saml20.sign.response": False, "saml20.sign.assertion": True},
    "response": {"saml20.sign.response": True, "saml20.sign.assertion": False},
    "both": {"saml20.sign.response": True, "saml20.sign.assertion": True},
}


@pytest.mark.parametrize("start", ["with us", "at the provider"])
@pytest.mark.parametrize("sign", list(SIGNED))
def test_a_sign_in(peer: Peer, browser: Browser, person: Person, sign: str, start: str) -> None:
    peer.publish(signed="response" if sign == "response" else "assertion")
    peer.provider.behave(person=person.attributes, service=SIGNED[sign])
    peer.assert_created(person, browser.open(peer.login_url if start == "with us" else at_the_provider(peer)))
    assert peer.last_attempt().idp_initiated == (start == "at the provider")


@pytest.mark.parametrize("sign", ["assertion", "response", "both"])
@pytest.mark.parametrize(
    "cipher", ["", "2001/04/xmlenc#aes256-cbc", "2009/xmlenc11#aes256-gcm", "2001/04/xmlenc#tripledes-cbc"]
)
def test_an_encrypted_assertion(peer: Peer, browser: Browser, person: Person, sign: str, cipher: str) -> None:
    peer.publish(signed="either")
    chosen = {"sharedkey_algorithm": f"http://www.w3.org/{cipher}"} if cipher else {}
    service = SIGNED[sign] | {"assertion.encryption": True} | chosen
    peer.provider.behave(person=person.attributes, service=service)
    attempt = peer.assert_created(person, browser.open(peer.login_url))
    assert "decrypted with our key" in str(attempt.checks)


@pytest.mark.parametrize("binding", ["redirect", "post"])
def test_it_verifies_our_signed_requests(peer: Peer, browser: Browser, person: Person, binding: str) -> None:
    peer.publish(idp={"want_signed_requests": True, "sso_binding": binding})
    peer.provider.behave(person=person.attributes, service={"validate.authnrequest": True})
    peer.assert_created(person, browser.open(peer.login_url))


def test_it_refuses_a_request_that_is_not_signed(peer: Peer, browser: Browser, person: Person) -> None:
    """So the test above shows that ours was verified."""
    peer.provider.behave(person=person.attributes, service={"validate.authnrequest": True})
    page = browser.open(peer.login_url)
    assert page.url.startswith(peer.provider.url)
    assert "the request is not signed" in page.text.lower() or "signature" in page.text.lower()
    assert browser.posted == {}


def test_signing_out_with_us_signs_out_there_and_comes_back(peer: Peer, browser: Browser, person: Person) -> None:
    peer.provider.behave(person=person.attributes)
    peer.assert_created(person, browser.open(peer.login_url))
    page = browser.send(browser.open(peer.logout_url))
    assert (page.status, page.path) == (200, f"/p/{peer.slug}/signed-out"), peer.provider.log()
    assert any("SingleLogoutService" in step.path for step in browser.steps)
    assert not peer.is_signed_in(browser)


def test_signing_out_there_signs_out_with_us(peer: Peer, browser: Browser, person: Person) -> None:
    peer.provider.behave(person=person.attributes)
    peer.assert_created(person, browser.open(peer.login_url))
    assert peer.is_signed_in(browser)
    back = quote(f"{peer.provider.url}/robots.txt", safe="")
    browser.open(f"{peer.provider.url}/saml2/idp/SingleLogoutService.php?ReturnTo={back}")
    assert not peer.is_signed_in(browser), peer.provider.log()
