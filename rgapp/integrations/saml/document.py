"""Reading a message safely: limits first, then the parser without entities, then the shape of the tree."""

import base64
import binascii
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import unquote

import onelogin.saml2
from lxml import etree
from onelogin.saml2.constants import OneLogin_Saml2_Constants as Names

from rgapp.integrations.saml import limits
from rgapp.integrations.saml.verdict import CheckCode

SAML: Final = f"{{{Names.NS_SAML}}}"
SAMLP: Final = f"{{{Names.NS_SAMLP}}}"
DS: Final = f"{{{Names.NS_DS}}}"
XENC: Final = f"{{{Names.NS_XENC}}}"
_SIGNATURE: Final = f"{DS}Signature"
_ASSERTIONS: Final = frozenset({f"{SAML}Assertion", f"{SAML}EncryptedAssertion"})
_SCHEMAS = Path(onelogin.saml2.__file__).parent / "schemas"
_DECLARED = re.compile(rb"""<\?xml[^>]*?\bencoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_ENCODINGS = frozenset({b"utf-8", b"utf8", b"us-ascii", b"ascii", b"iso-8859-1", b"windows-1252"})
_DECLARATION = re.compile(r"^\s*<\?xml\s[^>]*\?>")
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_OPENINGS = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_local = threading.local()
# libxml2 keeps global state while it compiles a schema: two threads doing so at once corrupt the memory of both.
_compiling = threading.Lock()


class DocumentError(Exception):
    """The message cannot be read; `code` says why."""

    def __init__(self, code: CheckCode, got: str = "", expected: str = "") -> None:
        super().__init__(code.value)
        self.code = code
        self.got = got
        self.expected = expected


@dataclass(slots=True)
class Survey:
    """What one walk over the whole tree found."""

    signatures: list[etree._Element] = field(default_factory=list)
    assertions: list[etree._Element] = field(default_factory=list)
    duplicate_id: str | None = None
    comment_in: str | None = None


def decode(text: str, *, pasted: bool) -> bytes:
    """Decode the base64 of a form field; of a pasted text, also what browsers make of it.

    Raises DocumentError.
    """
    if len(text) > limits.MAX_BASE64:
        raise DocumentError(CheckCode.TOO_LARGE, f"{len(text):,} characters", f"at most {limits.MAX_BASE64:,}")
    if pasted:
        text = _unwrap(text)
        if text.startswith("<"):
            return text.encode("utf-8", "replace")
    compact = "".join(text.split())
    try:
        return base64.b64decode(compact.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise DocumentError(CheckCode.NOT_BASE64, f"{len(text):,} characters") from None


def _unwrap(text: str) -> str:
    """Take a pasted response out of what surrounds it: blanks, the field's name, percent signs."""
    text = text.strip().strip("\"'")
    if text.startswith("<"):
        return text
    named = re.search(r"(?:^|[&\s])[A-Za-z]{1,40}Response[=:]\s*([^&]+)", text)
    return unquote(named[1] if named else text).strip()


def parse(data: bytes, *, max_elements: int = limits.MAX_ELEMENTS) -> etree._Element:
    """Parse a document without entities, DTD or network. Raises DocumentError."""
    if data.startswith(_UTF16_MARKS):
        data = _from_utf16(data)
    data = data.removeprefix(b"\xef\xbb\xbf").lstrip()
    if b"\0" in data:
        raise DocumentError(CheckCode.ENCODING, "zero bytes", "UTF-8")
    if _OPENINGS.search(data):
        raise DocumentError(CheckCode.DOCTYPE)
    declared = _DECLARED.match(data[:200])
    if declared and declared[1].lower() not in _ENCODINGS:
        raise DocumentError(CheckCode.ENCODING, declared[1].decode(), "UTF-8")
    if data.count(b"<") > 2 * max_elements + 1000:
        raise DocumentError(CheckCode.TOO_MANY_ELEMENTS, "", f"at most {max_elements:,} elements")
    try:
        root = etree.fromstring(data, _parser())
    except etree.XMLSyntaxError as error:
        reason = str(error)
        deep = "depth" in reason.lower()
        raise DocumentError(CheckCode.TOO_DEEP if deep else CheckCode.NOT_XML, "" if deep else reason) from None
    except ValueError:
        raise DocumentError(CheckCode.NOT_XML) from None
    docinfo: Any = root.getroottree().docinfo
    if docinfo.doctype:
        raise DocumentError(CheckCode.DOCTYPE)
    return root


def _from_utf16(data: bytes) -> bytes:
    """Return a document in UTF-16 as UTF-8, so that every check that follows sees what the parser sees."""
    try:
        return _DECLARATION.sub("", data.decode("utf-16"), count=1).encode()
    except UnicodeError:
        raise DocumentError(CheckCode.ENCODING, "UTF-16 that is damaged", "UTF-8") from None


def survey(root: etree._Element) -> Survey:
    """Walk the tree once: limits on depth and size, IDs, comments inside values, signatures and assertions.

    Raises DocumentError where a limit is passed.
    """
    found, ids, count = Survey(), set[str](), 0
    level, depth = [root], 1
    while level:
        if depth > limits.MAX_DEPTH:
            raise DocumentError(CheckCode.TOO_DEEP, "", f"at most {limits.MAX_DEPTH} levels")
        below: list[etree._Element] = []
        for node in level:
            count += 1
            attributes = node.items()
            if count > limits.MAX_ELEMENTS or len(attributes) > limits.MAX_XML_ATTRIBUTES:
                raise DocumentError(CheckCode.TOO_MANY_ELEMENTS, "", f"at most {limits.MAX_ELEMENTS:,} elements")
            if attributes:
                _note_ids(attributes, ids, found)
            tag = node.tag
            if tag == _SIGNATURE:
                found.signatures.append(node)
            elif tag in _ASSERTIONS:
                found.assertions.append(node)
            children = list(node)
            if not children:
                continue
            elements = [child for child in children if isinstance(child.tag, str)]
            if len(elements) != len(children) and _holds_text(node, children, elements):
                found.comment_in = found.comment_in or etree.QName(node).localname
            below.extend(elements)
        level, depth = below, depth + 1
    return found


def _note_ids(attributes: Sequence[tuple[str | bytes, str | bytes]], ids: set[str], found: Survey) -> None:
    """Remember an element's identifiers (ID, Id, id, xml:id) and the first one that was there before."""
    for name, value in attributes:
        if str(name).rpartition("}")[2].lower() == "id":
            if value in ids and found.duplicate_id is None:
                found.duplicate_id = str(value)
            ids.add(str(value))


def _holds_text(node: etree._Element, children: list[etree._Element], elements: list[etree._Element]) -> bool:
    """Tell whether an element is one that carries a value, not one that only groups others."""
    return not elements or any((text or "").strip() for text in (node.text, *(child.tail for child in children)))


def schema_error(root: etree._Element) -> str | None:
    """Validate against the SAML protocol schema; return the first error in short, None if there is none."""
    schema = _schema("saml-schema-protocol-2.0.xsd")
    if schema.validate(root):
        return None
    log = list(cast(Any, schema.error_log))
    errors = [str(entry.message) for entry in log if not _is_foreign_type(entry)]
    return re.sub(r"\{[^}]*\}", "", errors[0]) if errors else None if log else "invalid"


def _is_foreign_type(entry: Any) -> bool:
    """Tell whether an error is only that a value has a type of its sender (core 2.7.3.1.1): values are read as text."""
    unknown_type = entry.type == etree.ErrorTypes.SCHEMAV_CVC_ELT_4_2
    return unknown_type and re.sub(r"\[\d+\]$", "", str(entry.path)).endswith("AttributeValue")


def _parser() -> etree.XMLParser:
    """Return this thread's parser; parsers are not shared, so that threads do not wait for one another."""
    parser = getattr(_local, "parser", None)
    if parser is None:
        parser = _local.parser = etree.XMLParser(
            resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False, recover=False,
            remove_comments=False, remove_pis=False, remove_blank_text=False, collect_ids=False,
        )  # fmt: skip
    return parser


def _schema(name: str) -> etree.XMLSchema:
    """Return this thread's compiled schema; compiling one takes longer than everything else together."""
    cache: dict[str, etree.XMLSchema] = _local.__dict__.setdefault("schemas", {})
    if name not in cache:
        # python3-saml ships the OASIS schemas with local references; nothing is fetched.
        with _compiling:
            cache[name] = etree.XMLSchema(etree.parse(str(_SCHEMAS / name), etree.XMLParser(no_network=True)))
    return cache[name]
