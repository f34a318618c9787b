"""The fields of an account: what they are called for people, for single records and in the employee dataset.

`GET /meta/fields` knows the fields of single records, by alias or number; `GET /datasets/employee/fields` those of the
dataset, by names of its own. Both give labels, by which the one is found for the other.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from rgapp.integrations.bamboohr.errors import BambooError
from rgapp.integrations.pulls.account import AccountField, offered

KEY_LENGTH: Final = 64
ID: Final = "id"
STATUS: Final = "status"
HIRED: Final = "hireDate"
LEFT: Final = "terminationDate"
EMPLOYMENT_TYPE: Final = "employmentHistoryStatus"
COUNTRY: Final = "country"
DEPARTMENT: Final = "department"

# Names under which one field is known in different places of the API.
SAME: Final = (
    (ID, "eeid", "employeeId"),
    ("workEmail", "email"),
    ("homeEmail", "personalEmail"),
    ("birthDate", "dateOfBirth"),
    (EMPLOYMENT_TYPE, "employmentStatus", "employmentStatusName"),
    (DEPARTMENT, "departmentName"),
    (COUNTRY, "countryName"),
)
ALSO: Final = {name: names for names in SAME for name in names}


def known_as(key: str | None, host: str) -> str:
    """Return the id of a person, under which she is kept here.

    Raises `BambooError` for what cannot be one: theirs are numbers.
    """
    if key is None or not key.isprintable() or len(key) > KEY_LENGTH:
        raise BambooError("not_bamboohr", host=host)
    return key


def account_fields(data: Any) -> list[AccountField]:
    """Return what `meta/fields` says, without what is deprecated and what cannot be understood."""
    found: dict[str, AccountField] = {}
    for each in data if isinstance(data, list) else ():
        if not isinstance(each, dict) or each.get("deprecated") is True:
            continue
        name = str(each.get("alias") or each.get("id") or "")
        if name:
            found.setdefault(name, AccountField(name, str(each.get("name") or name), str(each.get("type") or "")))
    return offered(found.values())


def in_dataset(wanted: Iterable[str], fields: Iterable[AccountField], dataset: Mapping[str, str]) -> dict[str, str]:
    """Return for each wanted field of single records its name in the dataset (name to label), where it has one."""
    labels = {each.name: _key(each.label) for each in fields}
    by_label: dict[str, str] = {}
    for name, label in dataset.items():
        by_label.setdefault(_key(label), name)
    found: dict[str, str] = {}
    for name in wanted:
        also = next((each for each in ALSO.get(name, ()) if each in dataset), None)
        place = name if name in dataset else by_label.get(labels.get(name, ""), also)
        if place is not None:
            found[name] = place
    return found


def asked_as(wanted: str, fields: Iterable[AccountField]) -> tuple[str, ...]:
    """Return under which names to ask for a field of a single record, where the account may know it by another one."""
    known = {each.name for each in fields}
    if wanted in known or wanted not in ALSO:
        return (wanted,)
    also = tuple(name for name in ALSO[wanted] if name in known)
    return also or tuple(dict.fromkeys((wanted, *ALSO[wanted])))


def _key(label: str) -> str:
    return " ".join(label.casefold().split())
