"""Encrypted assertions and identifiers (core 6): AES or, from old software, Triple DES, the key sent by RSA-OAEP."""

from typing import Any, Final

import xmlsec
from lxml import etree
from onelogin.saml2.constants import OneLogin_Saml2_Constants as Names

from rgapp.integrations.saml.document import DS, XENC
from rgapp.integrations.saml.verdict import CheckCode

#: Still the default of some identity providers, and mandatory in SAML's conformance: opened, never advertised. It has
#: 64-bit blocks and, like AES-CBC, nothing that shows a change. What keeps a sender from using us to read a message by
#: changing it: a response that is signed is opened only after its signature held, and whatever fails later in one that
#: is not, it gets the same answer.
OLD_CONTENT_ALGORITHMS: Final = frozenset({Names.TRIPLEDES_CBC})
CONTENT_ALGORITHMS: Final = OLD_CONTENT_ALGORITHMS | frozenset(
    {
        Names.AES128_CBC,
        Names.AES192_CBC,
        Names.AES256_CBC,
        "http://www.w3.org/2009/xmlenc11#aes128-gcm",
        "http://www.w3.org/2009/xmlenc11#aes192-gcm",
        "http://www.w3.org/2009/xmlenc11#aes256-gcm",
    }
)
#: RSA 1.5 is left out on purpose: it lets an attacker who can ask often enough read the key (Bleichenbacher).
KEY_ALGORITHMS: Final = frozenset({Names.RSA_OAEP_MGF1P, "http://www.w3.org/2009/xmlenc11#rsa-oaep"})
#: A message for several recipients carries the key once for each.
_MAX_KEYS: Final = 5


class DecryptionError(Exception):
    """An encrypted element cannot be read."""

    def __init__(self, code: CheckCode, got: str = "") -> None:
        super().__init__(code.value)
        self.code = code
        self.got = got


def decrypt(wrapper: etree._Element, key: Any, wanted: str) -> etree._Element:
    """Decrypt an EncryptedAssertion or EncryptedID in place and return what was inside.

    `key` is our private key, `wanted` the tag that has to come out. Raises DecryptionError.
    """
    data = wrapper.findall(f"{XENC}EncryptedData")
    if len(data) != 1:
        raise DecryptionError(CheckCode.DECRYPTION_FAILED, f"{len(data)} EncryptedData")
    encrypted = data[0]
    keys = [*encrypted.iterfind(f"{DS}KeyInfo/{XENC}EncryptedKey"), *wrapper.iterfind(f"{XENC}EncryptedKey")]
    _check_algorithm(encrypted, CONTENT_ALGORITHMS)
    _check_value(encrypted)
    for sent in keys:
        _check_algorithm(sent, KEY_ALGORITHMS)
        _check_value(sent)
    for sent in keys[:_MAX_KEYS]:
        # What KeyInfo says about where to look for keys is not followed: only our one key is tried.
        content_key = _content_key(sent, key, encrypted)
        plain = _open(encrypted, content_key) if content_key is not None else None
        if plain is not None:
            return _result(wrapper, plain, wanted)
    raise DecryptionError(CheckCode.DECRYPTION_FAILED, "" if keys else "no EncryptedKey")


def old_cipher(wrapper: etree._Element) -> str:
    """Return the name of the cipher where it is one that should be replaced, else nothing."""
    data = wrapper.find(f"{XENC}EncryptedData")
    algorithm = _algorithm(data) if data is not None else ""
    return algorithm.rpartition("#")[2] if algorithm in OLD_CONTENT_ALGORITHMS else ""


def _content_key(sent: etree._Element, key: Any, encrypted: etree._Element) -> Any | None:
    """Open an EncryptedKey with our key; None where that fails, whatever the reason."""
    context = xmlsec.EncryptionContext()
    context.key = key
    old = _algorithm(encrypted) in OLD_CONTENT_ALGORITHMS
    kind = xmlsec.constants.KeyDataDes if old else xmlsec.constants.KeyDataAes
    try:
        opened: Any = context.decrypt(sent)
        return xmlsec.Key.from_binary_data(kind, opened)
    except (xmlsec.Error, ValueError, TypeError):
        return None


def _open(encrypted: etree._Element, content_key: Any) -> etree._Element | None:
    """Decrypt in place; None where that fails, whatever the reason."""
    # With a key set, xmlsec does not look into KeyInfo; a manager of keys would read the system's certificates first.
    context = xmlsec.EncryptionContext()
    context.key = content_key
    try:
        plain = context.decrypt(encrypted)
    except (xmlsec.Error, ValueError, TypeError):
        return None
    return plain if isinstance(plain, etree._Element) else None


def _result(wrapper: etree._Element, plain: etree._Element, wanted: str) -> etree._Element:
    """Check that what came out is the one thing that was wanted."""
    inside = [child for child in wrapper if child.tag != f"{XENC}EncryptedKey"]
    if len(inside) != 1 or inside[0] is not plain or plain.tag != wanted:
        raise DecryptionError(CheckCode.DECRYPTION_FAILED, "something else inside")
    return plain


def _check_algorithm(element: etree._Element, allowed: frozenset[str]) -> None:
    """Refuse an algorithm that is not on the list."""
    algorithm = _algorithm(element)
    if algorithm not in allowed:
        raise DecryptionError(CheckCode.ENCRYPTION_ALGORITHM, algorithm or "none named")


def _algorithm(element: etree._Element) -> str:
    """Return the algorithm of an EncryptedData or EncryptedKey; empty where it names none."""
    method = element.find(f"{XENC}EncryptionMethod")
    return str(method.get("Algorithm", "")) if method is not None else ""


def _check_value(element: etree._Element) -> None:
    """Refuse cipher text that is somewhere else (CipherReference): nothing is ever fetched."""
    cipher = element.find(f"{XENC}CipherData")
    if cipher is None or [child.tag for child in cipher] != [f"{XENC}CipherValue"]:
        raise DecryptionError(CheckCode.DECRYPTION_FAILED, "no CipherValue")
