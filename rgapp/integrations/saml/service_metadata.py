"""Our own metadata (SAML metadata 2.0, SPSSODescriptor), published for each connection."""

from typing import Final

from lxml import etree
from onelogin.saml2.constants import OneLogin_Saml2_Constants as Names

from rgapp.integrations.saml.connection import Connection, Signed
from rgapp.integrations.saml.document import DS

MD: Final = f"{{{Names.NS_MD}}}"
_ENCRYPTION_METHODS: Final = (
    "http://www.w3.org/2009/xmlenc11#aes256-gcm",
    "http://www.w3.org/2009/xmlenc11#aes128-gcm",
    Names.AES256_CBC,
    Names.AES128_CBC,
    Names.RSA_OAEP_MGF1P,
)
_NAME_ID_FORMATS: Final = (Names.NAMEID_UNSPECIFIED, Names.NAMEID_PERSISTENT, Names.NAMEID_EMAIL_ADDRESS)


def build_metadata(connection: Connection) -> bytes:
    """Return the metadata document of our side of one connection."""
    root = etree.Element(
        f"{MD}EntityDescriptor",
        {"entityID": connection.entity_id},
        nsmap={"md": Names.NS_MD, "ds": Names.NS_DS},
    )
    descriptor = etree.SubElement(
        root,
        f"{MD}SPSSODescriptor",
        {
            "AuthnRequestsSigned": _boolean(connection.sign_requests),
            "WantAssertionsSigned": _boolean(connection.signed is Signed.ASSERTION),
            "protocolSupportEnumeration": Names.NS_SAMLP,
        },
    )
    if connection.service_certificate:
        body = "".join(connection.service_certificate.strip().splitlines()[1:-1])
        for use in ("signing", "encryption"):
            _add_key(descriptor, use, body)
    if connection.sls_url and connection.slo_url:
        for binding in (Names.BINDING_HTTP_REDIRECT, Names.BINDING_HTTP_POST):
            place = {"Binding": binding, "Location": connection.sls_url}
            etree.SubElement(descriptor, f"{MD}SingleLogoutService", place)
    for name_id_format in _NAME_ID_FORMATS:
        etree.SubElement(descriptor, f"{MD}NameIDFormat").text = name_id_format
    place = {"Binding": Names.BINDING_HTTP_POST, "Location": connection.acs_url, "index": "0", "isDefault": "true"}
    etree.SubElement(descriptor, f"{MD}AssertionConsumerService", place)
    etree.indent(root)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _add_key(descriptor: etree._Element, use: str, body: str) -> None:
    """Add our certificate for one use; for encryption with the algorithms that we can undo, best first."""
    key = etree.SubElement(descriptor, f"{MD}KeyDescriptor", {"use": use})
    data = etree.SubElement(etree.SubElement(key, f"{DS}KeyInfo"), f"{DS}X509Data")
    etree.SubElement(data, f"{DS}X509Certificate").text = body
    if use == "encryption":
        for algorithm in _ENCRYPTION_METHODS:
            etree.SubElement(key, f"{MD}EncryptionMethod", {"Algorithm": algorithm})


def _boolean(value: bool) -> str:
    """Write a boolean as XML schema does."""
    return "true" if value else "false"
