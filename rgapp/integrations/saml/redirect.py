"""Messages in an address (bindings 3.4): deflated, and signed over the query string exactly as it was sent."""

import base64
import binascii
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote_plus

import xmlsec
from onelogin.saml2.constants import OneLogin_Saml2_Constants as Names
from onelogin.saml2.utils import OneLogin_Saml2_Utils as Utils

from rgapp.integrations.saml.keys import TrustedKey

_VERIFIERS: Final = {
    Names.RSA_SHA256: xmlsec.constants.TransformRsaSha256,
    Names.RSA_SHA384: xmlsec.constants.TransformRsaSha384,
    Names.RSA_SHA512: xmlsec.constants.TransformRsaSha512,
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256": xmlsec.constants.TransformEcdsaSha256,
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384": xmlsec.constants.TransformEcdsaSha384,
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512": xmlsec.constants.TransformEcdsaSha512,
}
_SIGNED = ("SAMLRequest", "SAMLResponse", "RelayState", "SigAlg")


class QueryError(Exception):
    """A query string carries no message that can be read."""


@dataclass(frozen=True, slots=True)
class Query:
    """A message as it came in a query string; `raw` are the signed parameters, still encoded."""

    kind: str
    xml: bytes
    relay_state: str
    algorithm: str
    signature: bytes
    raw: bytes

    def is_signed_by(self, keys: Sequence[TrustedKey]) -> bool:
        """Tell whether one of these keys made the signature, by an algorithm that is on the list."""
        transform = _VERIFIERS.get(self.algorithm)
        if transform is None or not self.signature:
            return False
        for key in keys:
            context = xmlsec.SignatureContext()
            context.key = key.key
            try:
                context.verify_binary(self.raw, transform, self.signature)
            except (xmlsec.Error, ValueError, TypeError):
                continue
            return True
        return False


def message_url(address: str, kind: str, xml: bytes, *, relay_state: str = "", signing_key: str | None = None) -> str:
    """Return the address that carries a message; `kind` is SAMLRequest or SAMLResponse.

    With `signing_key` (PEM) the query is signed with RSA-SHA256.
    """
    query = f"{kind}={quote(Utils.deflate_and_base64_encode(xml), safe='')}"
    if relay_state:
        query += f"&RelayState={quote(relay_state, safe='')}"
    if signing_key is not None:
        query += f"&SigAlg={quote(Names.RSA_SHA256, safe='')}"
        signature = base64.b64encode(Utils.sign_binary(query, signing_key)).decode()
        query += f"&Signature={quote(signature, safe='')}"
    joint = "" if address.endswith(("?", "&")) else "&" if "?" in address else "?"
    return f"{address}{joint}{query}"


def read_query(raw_query: str, *, limit: int) -> Query:
    """Read the message of a raw query string, at most `limit` bytes of it; raises QueryError."""
    found: dict[str, str] = {}
    for part in raw_query.split("&"):
        name, _, value = part.partition("=")
        if name in (*_SIGNED, "Signature", "SAMLEncoding"):
            if name in found:
                raise QueryError(f"{name} comes twice")
            found[name] = value
    kinds = [kind for kind in ("SAMLRequest", "SAMLResponse") if kind in found]
    if len(kinds) != 1 or "SAMLEncoding" in found:
        raise QueryError("no single message")
    # The signature covers these parameters in this order, with the percent signs the sender chose.
    raw = "&".join(f"{name}={found[name]}" for name in _SIGNED if name in found)
    return Query(
        kinds[0],
        _inflate(_base64(found[kinds[0]]), limit),
        unquote_plus(found.get("RelayState", "")),
        unquote_plus(found.get("SigAlg", "")),
        _base64(found.get("Signature", "")),
        raw.encode("utf-8", "replace"),
    )


def _base64(value: str) -> bytes:
    """Decode a percent-encoded base64 value; a blank stands for a plus that was not encoded."""
    try:
        return base64.b64decode("".join(unquote_plus(value).replace(" ", "+").split()), validate=True)
    except (binascii.Error, ValueError):
        raise QueryError("not base64") from None


def _inflate(data: bytes, limit: int) -> bytes:
    """Inflate (RFC 1951) up to a limit, so that a small message cannot fill the memory."""
    inflater = zlib.decompressobj(-15)
    try:
        xml = inflater.decompress(data, limit)
    except zlib.error:
        raise QueryError("not deflated") from None
    if inflater.unconsumed_tail or not inflater.eof:
        raise QueryError("too large or cut off")
    return xml
