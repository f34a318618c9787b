"""Reading an assertion's parts: identifiers, attributes, times; whether to believe them is not decided here."""

from dataclasses import dataclass
from datetime import UTC, datetime

from lxml import etree

from rgapp.integrations.saml.document import SAML, SAMLP

_SPACE = " \t\r\n"
_XSI_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"


@dataclass(frozen=True, slots=True)
class Attributes:
    """The attributes of an assertion: values by Name in order of arrival, and FriendlyName by Name."""

    values: dict[str, tuple[str, ...]]
    friendly_names: dict[str, str]
    total: int
    longest: int
    encrypted: bool


def elements(parent: etree._Element, name: str) -> list[etree._Element]:
    """Return the SAML children of that name."""
    return list(parent.iterchildren(f"{SAML}{name}"))


def text_of(element: etree._Element | None) -> str:
    """Return the text of an element that holds only text; empty where it holds more or is missing."""
    if element is None or len(element):
        return ""
    return element.text or ""


def issuer_of(element: etree._Element) -> str | None:
    """Return the Issuer of a message or assertion, None where there is none; outer blanks do not count."""
    found = elements(element, "Issuer")
    return text_of(found[0]).strip(_SPACE) if found else None


def assertions_of(response: etree._Element) -> list[etree._Element]:
    """Return the assertions that stand where they belong, encrypted or not."""
    return [child for child in response if child.tag in (f"{SAML}Assertion", f"{SAML}EncryptedAssertion")]


def name_id_of(assertion: etree._Element) -> tuple[str, str]:
    """Return the NameID and its Format; empty where there is none."""
    name_id = assertion.find(f"{SAML}Subject/{SAML}NameID")
    return name_id_text(name_id), name_id.get("Format", "") if name_id is not None else ""


def qualifiers_of(assertion: etree._Element) -> tuple[str | None, str | None]:
    """Return NameQualifier and SPNameQualifier of the NameID: with them it is the same identifier (core 2.2.2)."""
    name_id = assertion.find(f"{SAML}Subject/{SAML}NameID")
    return (None, None) if name_id is None else (name_id.get("NameQualifier"), name_id.get("SPNameQualifier"))


def name_id_text(name_id: etree._Element | None) -> str:
    """Return an identifier without the blanks that a pretty-printer puts around it."""
    return text_of(name_id).strip(_SPACE)


def attributes_of(assertion: etree._Element) -> Attributes:
    """Read all attribute statements; an attribute that comes twice has the values of both."""
    values: dict[str, list[str]] = {}
    friendly: dict[str, str] = {}
    total = longest = 0
    encrypted = False
    for statement in elements(assertion, "AttributeStatement"):
        encrypted = encrypted or bool(elements(statement, "EncryptedAttribute"))
        for attribute in elements(statement, "Attribute"):
            name = attribute.get("Name", "")
            collected = values.setdefault(name, [])
            if attribute.get("FriendlyName"):
                friendly.setdefault(name, attribute.get("FriendlyName", ""))
            for element in elements(attribute, "AttributeValue"):
                total += 1
                value = _value(element)
                if value is not None:
                    longest = max(longest, len(value), len(name))
                    collected.append(value)
    return Attributes({n: tuple(v) for n, v in values.items()}, friendly, total, longest, encrypted)


def _value(element: etree._Element) -> str | None:
    """Return a value's text, or that of a NameID inside (eduPersonTargetedID); None for other structures."""
    if element.get(_XSI_NIL) in ("true", "1"):
        return None
    if not len(element):
        return element.text or ""
    inside = list(element)
    if len(inside) == 1 and inside[0].tag == f"{SAML}NameID" and not (element.text or "").strip():
        return text_of(inside[0])
    return None


def status_of(response: etree._Element) -> tuple[str, str, str]:
    """Return the status code, the code below it and the message; empty strings where missing."""
    status = response.find(f"{SAMLP}Status")
    if status is None:
        return "", "", ""
    top = status.find(f"{SAMLP}StatusCode")
    below = top.find(f"{SAMLP}StatusCode") if top is not None else None
    return (
        top.get("Value", "") if top is not None else "",
        below.get("Value", "") if below is not None else "",
        text_of(status.find(f"{SAMLP}StatusMessage")),
    )


def moment(value: str | None) -> datetime | None:
    """Read an xs:dateTime as SAML uses it (core 1.3.3): UTC where no zone is given, None for no time."""
    if not value or "T" not in value:
        return None
    try:
        read = datetime.fromisoformat(value.strip(_SPACE))
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
