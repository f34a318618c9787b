"""The npm command saml-idp, run as its manual says: its page is filled in, and its answers signed twice by default."""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lxml import etree

from rgapp.integrations.saml.document import DS
from rgapp.integrations.saml.service_metadata import MD
from tests.peers.browser import Browser, Page
from tests.peers.conftest import Peer, Person
from tests.peers.provider import Provider, prepare, running
from tests.ports import free_port
from tests.tools import require

pytestmark = pytest.mark.xdist_group("saml-idp")

NAMES = ("employeeNumber", "mail", "givenName", "sn")
CONFIG = "module.exports = {user: %s, metadata: %s};\n"


@pytest.fixture(scope="module")
def command(
    connect: Callable[[Provider], Peer], provider_key: tuple[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., AbstractContextManager[Peer]]:
    """Return a function that runs the command with further options."""
    node = Path(require("node providers"))

    @contextmanager
    def run(**options: str) -> Iterator[Peer]:
        folder = tmp_path_factory.mktemp("saml-idp")
        provider = prepare("saml-idp", folder, provider_key, free_port())
        peer = connect(provider)
        metadata = [{"id": name, "optional": False, "displayName": name, "multiValue": False} for name in NAMES]
        user = {"userName": "", "nameIdFormat": "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"}
        (folder / "attributes.js").write_text(CONFIG % (json.dumps(user), json.dumps(metadata)))
        place = f".//{MD}KeyDescriptor[@use='encryption']//{DS}X509Certificate"
        body = etree.fromstring(peer.our_metadata()).findtext(place)
        ours = x509.load_der_x509_certificate(base64.b64decode(body))
        (folder / "ours.crt").write_bytes(ours.public_bytes(Encoding.PEM))
        public = ours.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (folder / "ours.pub").write_bytes(public)
        words = {
            "acsUrl": peer.acs_url,
            "sloUrl": peer.acs_url.replace("/acs", "/sls"),
            "audience": peer.entity_id,
            "issuer": f"{provider.url}/metadata",
            "cert": str(folder / "idp.crt"),
            "key": str(folder / "idp.key"),
            "configFile": str(folder / "attributes.js"),
            "port": str(provider.port),
        } | {name: text.format(folder=folder) for name, text in options.items()}
        line = ["node", "node_modules/saml-idp/bin/run.js", *(f"--{name}={text}" for name, text in words.items())]
        with running(provider, line, node, NODE_NO_WARNINGS="1", PORT=str(provider.port), HOST="localhost"):
            peer.publish()
            yield peer

    return run


@pytest.fixture(scope="module")
def peer(command: Callable[..., AbstractContextManager[Peer]]) -> Iterator[Peer]:
    """Return a connection to the command as it runs without further options."""
    with command() as running_peer:
        yield running_peer


def fill_in(browser: Browser, page: Page, person: Person) -> Page:
    """Fill the command's page in, and go on."""
    return browser.send(page, userName=person.membership_no, **person.attributes)


def test_a_sign_in_that_starts_with_us(peer: Peer, browser: Browser, person: Person) -> None:
    peer.assert_created(person, fill_in(browser, browser.open(peer.login_url), person))


def test_a_sign_in_that_starts_at_the_provider(peer: Peer, browser: Browser, person: Person) -> None:
    peer.assert_created(person, fill_in(browser, browser.open(f"{peer.provider.url}/"), person))
    assert peer.last_attempt().idp_initiated


@pytest.mark.parametrize("signed", ["assertion", "response", "either"])
def test_signed_twice_it_is_good_whatever_is_asked_for(
    peer: Peer, browser: Browser, person: Person, signed: str
) -> None:
    peer.publish(signed=signed)
    peer.assert_created(person, fill_in(browser, browser.open(peer.login_url), person))


def test_signing_out_with_us_signs_out_there_and_comes_back(peer: Peer, browser: Browser, person: Person) -> None:
    """It answers by a form, signed inside, whatever our metadata prefers."""
    peer.assert_created(person, fill_in(browser, browser.open(peer.login_url), person))
    page = browser.send(browser.open(peer.logout_url))
    assert (page.status, page.path) == (200, f"/p/{peer.slug}/signed-out"), peer.provider.log()
    assert "SAMLResponse" in browser.posted
    assert not peer.is_signed_in(browser)


def test_signing_out_there_signs_out_with_us(peer: Peer, browser: Browser, person: Person) -> None:
    peer.assert_created(person, fill_in(browser, browser.open(peer.login_url), person))
    assert peer.is_signed_in(browser)
    browser.open(f"{peer.provider.url}/signout")
    assert "SAMLRequest" in browser.posted
    assert not peer.is_signed_in(browser)


def test_encrypted_assertions(
    command: Callable[..., AbstractContextManager[Peer]], browser: Browser, person: Person
) -> None:
    options = {"encryptAssertion": "true", "encryptionCert": "{folder}/ours.crt", "signResponse": "false"}
    with command(**options, encryptionPublicKey="{folder}/ours.pub") as peer:
        attempt = peer.assert_created(person, fill_in(browser, browser.open(peer.login_url), person))
    assert "decrypted with our key" in str(attempt.checks)
