"""Certificates: what people paste or upload is read, and what is none is named in plain words."""

import base64
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from rgapp.integrations.saml.certificates import (
    SENTENCES,
    CertificateError,
    CertificateProblem,
    Validity,
    make_service_key,
    read_certificates,
)
from tests.idp import NOW, key_pair

PEM = serialization.Encoding.PEM
DER = serialization.Encoding.DER
NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])


def self_signed(key: object) -> x509.Certificate:
    """Return a certificate for any kind of key."""
    signer = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return (
        x509.CertificateBuilder()
        .subject_name(NAME)
        .issuer_name(NAME)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
        .sign(signer, hashes.SHA256())
    )


def pem_of(name: str) -> str:
    """Return a good certificate."""
    return key_pair(name).certificate


def body_of(pem: str) -> str:
    """Return the base64 between the armour lines."""
    return "".join(pem.splitlines()[1:-1])


@pytest.mark.parametrize(
    "given",
    [
        pem_of("idp"),
        pem_of("idp").encode(),
        body_of(pem_of("idp")),
        base64.b64decode(body_of(pem_of("idp"))),
        "subject=CN = x\n" + pem_of("idp") + "\ntrailing words",
        pem_of("idp").replace("\n", "\\n"),
        pem_of("idp").replace("\n", "\r\n"),
        b"\xef\xbb\xbf" + pem_of("idp").encode(),
        pem_of("idp").encode("utf-16"),
        pem_of("idp") * 2,
    ],
    ids=["pem", "bytes", "body", "der", "with-words", "json", "crlf", "bom", "utf-16", "twice"],
)
def test_certificate_is_read_however_it_comes(given: str | bytes) -> None:
    (certificate,) = read_certificates(given)
    assert certificate.pem == pem_of("idp")
    assert certificate.subject == "CN=idp"
    assert (certificate.key_type, certificate.key_bits) == ("RSA", 2048)
    assert len(certificate.fingerprint_sha256) == 95


def test_several_certificates_are_read_in_order() -> None:
    assert [c.subject for c in read_certificates(pem_of("idp") + pem_of("other"))] == ["CN=idp", "CN=other"]


def test_expired_certificate_is_readable_and_says_so() -> None:
    (certificate,) = read_certificates(pem_of("expired"))
    assert certificate.state(NOW) is Validity.EXPIRED
    assert certificate.expires_in(NOW) < timedelta(0)
    assert certificate.state(certificate.not_before - timedelta(days=1)) is Validity.NOT_YET
    assert certificate.state(certificate.not_before) is Validity.VALID


def test_elliptic_curve_certificate_is_read() -> None:
    made = self_signed(ec.generate_private_key(ec.SECP256R1()))
    (certificate,) = read_certificates(made.public_bytes(PEM))
    assert (certificate.key_type, certificate.key_bits) == ("EC", 256)


KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
WEAK = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - it is to be refused.
PLAIN = serialization.NoEncryption()
LOCKED = serialization.BestAvailableEncryption(b"secret")
PKCS8 = serialization.PrivateFormat.PKCS8
PUBLIC = serialization.PublicFormat.SubjectPublicKeyInfo
CSR = x509.CertificateSigningRequestBuilder().subject_name(NAME).sign(KEY, hashes.SHA256())


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("", "empty"),
        ("  \n", "empty"),
        (b"x" * 300_000, "too_large"),
        (KEY.private_bytes(PEM, PKCS8, PLAIN), "private_key"),
        (KEY.private_bytes(PEM, PKCS8, LOCKED), "private_key"),
        (KEY.private_bytes(DER, PKCS8, PLAIN), "private_key"),
        (KEY.private_bytes(DER, PKCS8, LOCKED), "private_key"),
        (base64.b64encode(KEY.private_bytes(DER, PKCS8, PLAIN)), "private_key"),
        (KEY.private_bytes(PEM, PKCS8, PLAIN) + pem_of("idp").encode(), "private_key"),
        (pkcs12.serialize_key_and_certificates(b"x", KEY, self_signed(KEY), None, LOCKED), "private_key"),
        (CSR.public_bytes(PEM), "csr"),
        (CSR.public_bytes(DER), "csr"),
        (KEY.public_key().public_bytes(PEM, PUBLIC), "public_key_only"),
        (KEY.public_key().public_bytes(DER, PUBLIC), "public_key_only"),
        ("ssh-rsa AAAAB3NzaC1yc2E jane@laptop", "public_key_only"),
        ("hello, here is the certificate", "not_a_certificate"),
        ("AAAA", "not_a_certificate"),
        ("AAAAA", "not_a_certificate"),
        ("<xml/>", "not_a_certificate"),
        ("-----BEGIN CERTIFICATE-----\nnot base64!\n-----END CERTIFICATE-----", "not_a_certificate"),
        (pem_of("idp")[:600], "not_a_certificate"),
        (self_signed(WEAK).public_bytes(PEM), "weak_key"),
        (self_signed(ed25519.Ed25519PrivateKey.generate()).public_bytes(PEM), "unsupported_key"),
        (self_signed(dsa.generate_private_key(2048)).public_bytes(PEM), "unsupported_key"),
        (pem_of("idp") * 25, "too_many"),
    ],
)
def test_what_is_no_certificate_is_named(given: str | bytes, problem: str) -> None:
    with pytest.raises(CertificateError) as raised:
        read_certificates(given)
    assert raised.value.code == problem
    assert str(raised.value).endswith(".")


def test_a_private_key_is_never_repeated() -> None:
    pem = KEY.private_bytes(PEM, PKCS8, PLAIN).decode()
    with pytest.raises(CertificateError) as raised:
        read_certificates(pem)
    assert pem.splitlines()[1] not in repr(raised.value) + str(raised.value)
    assert raised.value.__cause__ is None


def test_our_own_key_is_made_to_last() -> None:
    private_key, certificate = make_service_key(NOW, "a" * 100)
    (read,) = read_certificates(certificate)
    assert "PRIVATE KEY" in private_key
    assert read.expires_in(NOW) > timedelta(days=3650)


def test_every_problem_has_a_sentence() -> None:
    assert set(SENTENCES) == set(CertificateProblem)
