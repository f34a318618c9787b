"""Attribute names as identity providers spell them, and the nearest one to a name that did not arrive."""

import difflib
import re
from collections.abc import Iterable
from typing import Final

_CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
_MICROSOFT = "http://schemas.microsoft.com/identity/claims/"
_WINDOWS = "http://schemas.microsoft.com/ws/2008/06/identity/claims/"

#: Names as they travel, with the short name under which people know them.
KNOWN_NAMES: Final[dict[str, str]] = {
    f"{_CLAIMS}emailaddress": "mail",
    f"{_CLAIMS}givenname": "givenName",
    f"{_CLAIMS}surname": "sn",
    f"{_CLAIMS}name": "userPrincipalName",
    f"{_CLAIMS}upn": "userPrincipalName",
    f"{_CLAIMS}nameidentifier": "nameID",
    f"{_CLAIMS}privatepersonalidentifier": "employeeNumber",
    f"{_CLAIMS}dateofbirth": "dateOfBirth",
    f"{_CLAIMS}employeeid": "employeeID",
    f"{_CLAIMS}employeenumber": "employeeNumber",
    f"{_MICROSOFT}displayname": "displayName",
    f"{_MICROSOFT}objectidentifier": "objectID",
    f"{_MICROSOFT}tenantid": "tenantID",
    f"{_WINDOWS}groups": "groups",
    f"{_WINDOWS}role": "role",
    f"{_WINDOWS}windowsaccountname": "sAMAccountName",
    "urn:oid:0.9.2342.19200300.100.1.1": "uid",
    "urn:oid:0.9.2342.19200300.100.1.3": "mail",
    "urn:oid:1.2.840.113549.1.9.1": "mail",
    "urn:oid:2.5.4.3": "cn",
    "urn:oid:2.5.4.4": "sn",
    "urn:oid:2.5.4.10": "o",
    "urn:oid:2.5.4.11": "ou",
    "urn:oid:2.5.4.12": "title",
    "urn:oid:2.5.4.42": "givenName",
    "urn:oid:2.5.4.45": "uniqueIdentifier",
    "urn:oid:2.16.840.1.113730.3.1.3": "employeeNumber",
    "urn:oid:2.16.840.1.113730.3.1.4": "employeeType",
    "urn:oid:2.16.840.1.113730.3.1.241": "displayName",
    "urn:oid:1.3.6.1.5.5.7.9.1": "dateOfBirth",
    "urn:oid:1.3.6.1.4.1.25178.1.2.3": "dateOfBirth",
    "urn:oid:1.3.6.1.4.1.5923.1.1.1.6": "eduPersonPrincipalName",
    "urn:oid:1.3.6.1.4.1.5923.1.1.1.10": "eduPersonTargetedID",
    "urn:oid:1.3.6.1.4.1.5923.1.1.1.13": "eduPersonUniqueId",
    "urn:oid:1.3.6.1.4.1.5923.1.1.1.1": "eduPersonAffiliation",
}

#: Short names that mean the same; the first is the one the others are read as.
_SYNONYMS: Final = (
    ("mail", "email", "emailaddress", "useremail", "primaryemail", "workemail", "emailid"),
    ("givenname", "firstname", "forename", "first", "fname"),
    ("sn", "surname", "lastname", "familyname", "last", "lname"),
    (
        "employeenumber", "employeeid", "employeeno", "personnelnumber", "staffid", "staffnumber", "empid",
        "membershipno", "membershipnumber", "workerid", "payrollnumber", "privatepersonalidentifier",
    ),
    ("dateofbirth", "birthdate", "birthday", "dob", "schacdateofbirth"),
    ("userprincipalname", "upn", "edupersonprincipalname", "username", "login"),
)  # fmt: skip
_CANONICAL = {name: group[0] for group in _SYNONYMS for name in group}


def friendly(name: str) -> str:
    """Return the short name people know for an attribute name, or the name itself."""
    return KNOWN_NAMES.get(name) or _tail(name)


def suggest(wanted: str, arrived: Iterable[str]) -> str | None:
    """Return the arrived attribute name that is most likely meant by the wanted one, or None.

    Tries in this order: the same but for case, the same short name, the same meaning, nearly the same.
    """
    names = [name for name in arrived if name != wanted]
    for alike in (str.casefold, _short, _meaning):
        for name in names:
            if alike(name) and alike(name) == alike(wanted):
                return name
    spellings = {_short(name): name for name in reversed(names) if _short(name)}
    close = difflib.get_close_matches(_short(wanted), list(spellings), n=1, cutoff=0.75)
    return spellings[close[0]] if close else None


def _tail(name: str) -> str:
    """Return the last part of a claim URI; an OID stays as it is, for its last number says nothing."""
    if name.lower().startswith("urn:oid:"):
        return name
    return re.split(r"[/#:.]", name.rstrip("/#:."))[-1] or name


def _short(name: str) -> str:
    """Reduce a name to the letters and digits of its short form."""
    return re.sub(r"[\W_]", "", friendly(name)).casefold()


def _meaning(name: str) -> str:
    """Return the first of the names that mean the same; a name of unknown meaning has none."""
    return _CANONICAL.get(_short(name), "")
