"""Metadata: an identity provider's document is understood, and what is none is named in plain words."""

from pathlib import Path

import pytest
from lxml import etree
from onelogin.saml2 import __file__ as onelogin

from rgapp.demo.responses import idp_metadata
from rgapp.integrations.saml.connection import Binding, Signed
from rgapp.integrations.saml.metadata import read_metadata
from rgapp.integrations.saml.metadata_problems import (
    SENTENCES,
    WARNINGS,
    MetadataError,
    MetadataProblem,
    MetadataWarning,
)
from rgapp.integrations.saml.service_metadata import build_metadata
from tests.idp import ACS_URL, ENTITY_ID, NOW, connection, key_pair

SSO = "https://idp.example/sso"


def metadata(**changes: object) -> bytes:
    """Return good metadata, with changes."""
    given: dict[str, object] = {
        "entity_id": "https://idp.example",
        "sso_url": SSO,
        "certificates": [key_pair("idp").certificate],
        "slo_url": "https://idp.example/slo",
    }
    return idp_metadata(**(given | changes))


def several(*entity_ids: str) -> bytes:
    """Return a federation's document."""
    inside = b"".join(metadata(entity_id=entity_id).split(b"?>", 1)[1] for entity_id in entity_ids)
    return b'<EntitiesDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata">' + inside + b"</EntitiesDescriptor>"


def test_metadata_is_understood() -> None:
    read = read_metadata(metadata(want_signed_requests=True), now=NOW)
    assert (read.entity_id, read.sso_url, read.sso_binding) == ("https://idp.example", SSO, Binding.REDIRECT)
    assert read.slo_url == "https://idp.example/slo"
    assert [certificate.subject for certificate in read.certificates] == ["CN=idp"]
    assert read.want_authn_requests_signed
    assert read.name_id_formats == ("urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",)
    assert read.warnings == ()


def test_post_is_taken_where_there_is_no_redirect() -> None:
    xml = metadata().replace(b"bindings:HTTP-Redirect", b"bindings:SOAP")
    read = read_metadata(xml, now=NOW)
    assert read.sso_binding is Binding.POST
    assert read.slo_url is None


def test_every_signing_certificate_is_taken_and_no_other() -> None:
    pems = [key_pair(name).certificate for name in ("idp", "other", "idp", "expired")]
    xml = metadata(certificates=pems)
    read = read_metadata(xml, now=NOW)
    assert [certificate.subject for certificate in read.certificates] == ["CN=idp", "CN=other", "CN=expired"]
    assert read.warnings == (MetadataWarning.CERTIFICATE_EXPIRED,)
    encryption = xml.replace(b'use="signing"', b'use="encryption"', 1)
    assert read_metadata(encryption, now=NOW).certificates[0].subject == "CN=other"
    assert len(read_metadata(xml.replace(b' use="signing"', b""), now=NOW).certificates) == 3


def test_unusable_certificate_beside_a_good_one_is_a_warning() -> None:
    xml = metadata(certificates=["-\nAAAA\n-", key_pair("idp").certificate])
    assert read_metadata(xml, now=NOW).warnings == (MetadataWarning.CERTIFICATE_SKIPPED,)


@pytest.mark.parametrize(("url", "warned"), [("http://idp.example/", True), ("http://localhost:8100/", False)])
def test_plain_http_is_a_warning_unless_it_stays_on_the_machine(url: str, warned: bool) -> None:
    assert (MetadataWarning.PLAIN_HTTP in read_metadata(metadata(sso_url=url), now=NOW).warnings) is warned


def test_certificate_of_the_future_is_a_warning() -> None:
    early = NOW.replace(year=2020)
    assert MetadataWarning.CERTIFICATE_NOT_YET_VALID in read_metadata(metadata(), now=early).warnings


def test_one_of_several_providers_can_be_chosen() -> None:
    xml = several("https://a.example", "https://b.example")
    with pytest.raises(MetadataError) as raised:
        read_metadata(xml, now=NOW)
    assert raised.value.code is MetadataProblem.SEVERAL_IDPS
    assert raised.value.entity_ids == ("https://a.example", "https://b.example")
    assert read_metadata(xml, now=NOW, entity_id="https://b.example").entity_id == "https://b.example"
    with pytest.raises(MetadataError) as raised:
        read_metadata(xml, now=NOW, entity_id="https://c.example")
    assert raised.value.code is MetadataProblem.UNKNOWN_ENTITY_ID


def test_names_attributes_and_dates_are_read() -> None:
    xml = (
        metadata()
        .replace(b"<md:IDPSSODescriptor", b'<md:IDPSSODescriptor validUntil="2027-01-01T00:00:00Z"')
        .replace(
            b"<md:KeyDescriptor",
            b'<md:Extensions><u:UIInfo xmlns:u="urn:oasis:names:tc:SAML:metadata:ui">'
            b'<u:DisplayName xml:lang="de">Acme Anmeldung</u:DisplayName>'
            b'<u:DisplayName xml:lang="en">Acme Login</u:DisplayName></u:UIInfo></md:Extensions><md:KeyDescriptor',
        )
        .replace(
            b"</md:IDPSSODescriptor>",
            b'<a:Attribute xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion" Name="mail" FriendlyName="E-mail"/>'
            b'<a:Attribute xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion" Name="mail"/></md:IDPSSODescriptor>'
            b'<md:RoleDescriptor><c:ClaimType xmlns:c="http://docs.oasis-open.org/wsfed/authorization/200706" '
            b'Uri="http://x/upn"><c:DisplayName>UPN</c:DisplayName></c:ClaimType></md:RoleDescriptor>',
        )
    )
    read = read_metadata(b"\xef\xbb\xbf" + xml, now=NOW)
    assert read.display_name == "Acme Login"
    assert [(a.name, a.friendly_name) for a in read.attributes] == [("mail", "E-mail"), ("http://x/upn", "UPN")]
    assert read.valid_until is not None
    assert read.valid_until.year == 2027


def test_utf16_is_read() -> None:
    xml = metadata().decode().replace("UTF-8", "UTF-16").encode("utf-16")
    assert read_metadata(xml, now=NOW).entity_id == "https://idp.example"


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"x" * (2 * 1024 * 1024 + 1), "too_large"),
        (b"hello", "not_xml"),
        (metadata()[:300], "not_xml"),
        (b"<!DOCTYPE html><html></html>", "html_page"),
        (b"<html><body>Sign in</body></html>", "html_page"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', "doctype"),
        (b"<a>" * 3_000 + b"</a>" * 3_000, "too_complex"),
        (b"<a>" + b"<b/>" * 200_000 + b"</a>", "too_complex"),
        (b"<a/>", "not_metadata"),
        (metadata().replace(b"md:IDPSSODescriptor", b"md:AttributeAuthorityDescriptor"), "not_metadata"),
        (metadata(entity_id=""), "no_entity_id"),
        (build_metadata(connection()), "sp_metadata_only"),
        (metadata().replace(b"SAML:2.0:protocol", b"SAML:1.1:protocol"), "saml1_only"),
        (metadata(sso_url="javascript:alert(1)"), "no_sso"),
        (metadata(sso_url="https://[broken"), "no_sso"),
        (metadata(sso_url="https://a b/"), "no_sso"),
        (metadata(sso_url="https://user:pw@idp.example/"), "no_sso"),
        (metadata(certificates=[]), "no_certificate"),
        (metadata(certificates=["-\nAAAA\n-"]), "bad_certificate"),
        (metadata().replace(b"<md:Entity", b'<md:Entity validUntil="2020-01-01T00:00:00Z"', 1), "not_xml"),
        (metadata().replace(b" entityID", b' validUntil="2020-01-01T00:00:00Z" entityID', 1), "expired"),
    ],
)
def test_what_is_no_metadata_is_named(data: bytes, problem: str) -> None:
    with pytest.raises(MetadataError) as raised:
        read_metadata(data, now=NOW)
    assert raised.value.code == problem
    assert str(raised.value).endswith(".")


def test_every_problem_and_warning_has_a_sentence() -> None:
    assert set(SENTENCES) == set(MetadataProblem)
    assert set(WARNINGS) == set(MetadataWarning)


@pytest.mark.parametrize("changes", [{}, {"service_certificate": None}, {"slo_url": None, "sign_requests": True}])
def test_our_metadata_is_valid(changes: dict[str, object]) -> None:
    root = etree.fromstring(build_metadata(connection(**changes)))
    schema = etree.XMLSchema(etree.parse(Path(onelogin).parent / "schemas" / "saml-schema-metadata-2.0.xsd"))
    schema.assertValid(root)
    assert root.get("entityID") == ENTITY_ID
    assert root.find("{*}SPSSODescriptor/{*}AssertionConsumerService").get("Location") == ACS_URL
    uses = [key.get("use") for key in root.iter("{*}KeyDescriptor")]
    assert uses == ([] if "service_certificate" in changes else ["signing", "encryption"])
    assert "PRIVATE" not in etree.tostring(root).decode()


@pytest.mark.parametrize(("signed", "wanted"), [(Signed.ASSERTION, "true"), (Signed.RESPONSE, "false")])
def test_our_metadata_says_what_has_to_be_signed(signed: Signed, wanted: str) -> None:
    root = etree.fromstring(build_metadata(connection(signed=signed)))
    assert root.find("{*}SPSSODescriptor").get("WantAssertionsSigned") == wanted
