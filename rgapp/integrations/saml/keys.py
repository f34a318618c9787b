"""Keys made ready for xmlsec and kept, because loading one costs more than using it."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import xmlsec
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from rgapp.integrations.saml.certificates import fingerprint

# Keys of some thousand connections, about 2 KiB each.
_KEPT = 8_192


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """The public key of one configured certificate."""

    key: Any
    fingerprint: str
    not_before: datetime
    not_after: datetime


@lru_cache(maxsize=_KEPT)
def trusted_key(pem: str) -> TrustedKey:
    """Load the key of a configured certificate; raises ValueError where it cannot be read."""
    certificate = x509.load_pem_x509_certificate(pem.encode())
    try:
        # The key alone: each verification takes a copy, and that of a certificate costs a fifth of verifying.
        public = certificate.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        key = xmlsec.Key.from_memory(public, xmlsec.KeyFormat.PEM, None)  # type: ignore[attr-defined]
    except (xmlsec.Error, UnsupportedAlgorithm) as error:
        raise ValueError("The certificate's key cannot be used.") from error
    return TrustedKey(key, fingerprint(certificate), certificate.not_valid_before_utc, certificate.not_valid_after_utc)


@lru_cache(maxsize=_KEPT)
def service_key(pem: str) -> Any:
    """Load our private key of one connection; raises ValueError where it cannot be read."""
    try:
        return xmlsec.Key.from_memory(pem, xmlsec.KeyFormat.PEM, None)  # type: ignore[attr-defined]
    except xmlsec.Error as error:
        raise ValueError("Our key cannot be used.") from error
