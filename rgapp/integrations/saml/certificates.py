"""Signing certificates: reads what people paste or upload, and makes our own key pair."""

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from rgapp.integrations.saml.limits import MAX_CERTIFICATE, MAX_CERTIFICATES

MIN_RSA_BITS = 2048
SERVICE_KEY_LIFETIME = timedelta(days=20 * 365)
_ARMOUR = re.compile(
    r"-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----(.*?)-----END (?:X509 |TRUSTED )?CERTIFICATE-----",
    re.DOTALL,
)
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]+")
_CURVES = ("secp256r1", "secp384r1", "secp521r1")


class CertificateProblem(StrEnum):
    """Why something is not a signing certificate that we can use."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    TOO_MANY = "too_many"
    PRIVATE_KEY = "private_key"
    CSR = "csr"
    PUBLIC_KEY_ONLY = "public_key_only"
    NOT_A_CERTIFICATE = "not_a_certificate"
    WEAK_KEY = "weak_key"
    UNSUPPORTED_KEY = "unsupported_key"


SENTENCES: Final = {
    CertificateProblem.EMPTY: "There is no certificate here yet. Paste it, or upload the file.",
    CertificateProblem.TOO_LARGE: "This is too large to be a certificate.",
    CertificateProblem.TOO_MANY: "These are {detail} certificates. Keep only those that the provider signs with.",
    CertificateProblem.PRIVATE_KEY: (
        "This is a private key, not a certificate. We have not kept it. Treat the key as exposed, and paste the "
        "certificate, which begins with BEGIN CERTIFICATE."
    ),
    CertificateProblem.CSR: "This is a request for a certificate. Paste the certificate that came of it.",
    CertificateProblem.PUBLIC_KEY_ONLY: "This is a public key alone. Paste the certificate that contains it.",
    CertificateProblem.NOT_A_CERTIFICATE: (
        "This is not a certificate that we can read. It begins with BEGIN CERTIFICATE, or is a .crt, .cer or .pem file."
    ),
    CertificateProblem.WEAK_KEY: "The key of this certificate is too short ({detail} bits). It needs RSA 2048 or more.",
    CertificateProblem.UNSUPPORTED_KEY: "Keys of this kind ({detail}) are not supported. Use RSA or ECDSA.",
}


class CertificateError(ValueError):
    """What was given is no usable certificate; the message is a sentence and repeats nothing that was given."""

    def __init__(self, code: CertificateProblem, detail: str = "") -> None:
        super().__init__(SENTENCES[code].format(detail=detail))
        self.code = code
        self.detail = detail


class Validity(StrEnum):
    """Where a certificate stands in its period of validity."""

    VALID = "valid"
    EXPIRED = "expired"
    NOT_YET = "not-yet"


@dataclass(frozen=True, slots=True)
class SigningCertificate:
    """One X.509 certificate with what people need to recognise it."""

    pem: str
    subject: str
    issuer: str
    serial: str
    fingerprint_sha256: str
    not_before: datetime
    not_after: datetime
    key_type: str
    key_bits: int

    def expires_in(self, now: datetime) -> timedelta:
        """Return the time that is left; negative once it has expired."""
        return self.not_after - now

    def state(self, now: datetime) -> Validity:
        """Tell whether the certificate is valid at this moment."""
        if now < self.not_before:
            return Validity.NOT_YET
        return Validity.EXPIRED if now > self.not_after else Validity.VALID


def read_certificates(data: bytes | str) -> list[SigningCertificate]:
    """Read one or several certificates: PEM, the base64 body alone, or a DER file (.crt, .cer).

    Repeated ones are given once, expired ones too. Raises CertificateError.
    """
    if len(data) > MAX_CERTIFICATE:
        raise CertificateError(CertificateProblem.TOO_LARGE)
    raw = data if isinstance(data, bytes) else data.encode("utf-8", "replace")
    if not raw.strip():
        raise CertificateError(CertificateProblem.EMPTY)
    bodies = [raw] if raw[:1] == b"\x30" and not raw[:64].isascii() else _bodies(_text(raw))
    if len(bodies) > MAX_CERTIFICATES:
        raise CertificateError(CertificateProblem.TOO_MANY, str(len(bodies)))
    found = {certificate.fingerprint_sha256: certificate for certificate in map(_from_der, bodies)}
    return list(found.values())


def make_service_key(now: datetime, common_name: str) -> tuple[str, str]:
    """Make our key pair for one connection: (private key, self-signed certificate), both PEM; RSA 2048."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64] or "Reward Manager")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + SERVICE_KEY_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private_pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private_pem.decode(), certificate.public_bytes(serialization.Encoding.PEM).decode()


def _text(raw: bytes) -> str:
    """Decode what an editor may have saved, and undo the `\\n` of a value copied out of JSON."""
    encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    return raw.decode(encoding, "replace").replace("\\r", "").replace("\\n", "\n")


def _bodies(text: str) -> list[bytes]:
    """Return the DER bytes of each certificate in a text."""
    if "PRIVATE KEY" in text:
        raise CertificateError(CertificateProblem.PRIVATE_KEY)
    armoured = _ARMOUR.findall(text)
    if armoured:
        return [_decode(body) for body in armoured]
    if "CERTIFICATE REQUEST" in text:
        raise CertificateError(CertificateProblem.CSR)
    if "PUBLIC KEY" in text or text.lstrip().startswith(("ssh-", "ecdsa-")):
        raise CertificateError(CertificateProblem.PUBLIC_KEY_ONLY)
    return [_decode(text)]


def _decode(body: str) -> bytes:
    """Decode the base64 between a certificate's armour lines."""
    if not _BASE64.fullmatch(body):
        raise CertificateError(CertificateProblem.NOT_A_CERTIFICATE)
    try:
        return base64.b64decode("".join(body.split()), validate=True)
    except binascii.Error:
        raise CertificateError(CertificateProblem.NOT_A_CERTIFICATE) from None


def _from_der(der: bytes) -> SigningCertificate:
    """Read one certificate; says what it is instead where it is something else."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        key = certificate.public_key()
        subject, issuer = certificate.subject.rfc4514_string(), certificate.issuer.rfc4514_string()
    except Exception:
        # The parser raises several kinds of errors for broken input; none of them says more than this.
        raise CertificateError(_what_is(der)) from None
    if isinstance(key, rsa.RSAPublicKey):
        key_type, bits = "RSA", key.key_size
        if bits < MIN_RSA_BITS:
            raise CertificateError(CertificateProblem.WEAK_KEY, f"RSA {bits}")
    elif isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVES:
        key_type, bits = "EC", key.key_size
    else:
        raise CertificateError(CertificateProblem.UNSUPPORTED_KEY, type(key).__name__.replace("PublicKey", ""))
    return SigningCertificate(
        pem=certificate.public_bytes(serialization.Encoding.PEM).decode(),
        subject=subject,
        issuer=issuer,
        serial=f"{certificate.serial_number:x}",
        fingerprint_sha256=fingerprint(certificate),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        key_type=key_type,
        key_bits=bits,
    )


def fingerprint(certificate: x509.Certificate) -> str:
    """Return the SHA-256 fingerprint the way consoles show it: upper-case pairs with colons."""
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def _what_is(der: bytes) -> CertificateProblem:
    """Name what some DER bytes are, if they are no certificate; keeps nothing of a private key."""
    # A PKCS#12 file (.pfx, .p12) opens with the integer 3; it is made to carry the private key.
    if re.match(rb"\x30(?:[\x00-\x7f]|\x80|\x81.|\x82..|\x83...)\x02\x01\x03\x30", der, re.DOTALL):
        return CertificateProblem.PRIVATE_KEY
    try:
        serialization.load_der_private_key(der, None)
    except TypeError:
        return CertificateProblem.PRIVATE_KEY
    except Exception:
        for load, problem in (
            (x509.load_der_x509_csr, CertificateProblem.CSR),
            (serialization.load_der_public_key, CertificateProblem.PUBLIC_KEY_ONLY),
        ):
            try:
                load(der)
            except Exception:  # noqa: S112 - any failure only means that it is not this kind either.
                continue
            return problem
        return CertificateProblem.NOT_A_CERTIFICATE
    return CertificateProblem.PRIVATE_KEY
