"""The employees of the simulated account: made from their number alone, and changed by whoever tests."""

import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

Record = dict[str, str | None]

FIRST: Final = (
    "Ada", "Amir", "Anna", "Björn", "Chloé", "Daniel", "Elena", "Femi", "Grace", "Hana", "Igor", "Jane", "Kofi", "Lena",
    "Marco", "Nadia", "Omar", "Priya", "Quentin", "Rosa", "Sam", "Tomasz", "Uma", "Viktor", "Wei", "Yusuf", "Zoë",
)  # fmt: skip
LAST: Final = (
    "Andersen", "Baker", "Carter", "Dubois", "Eriksen", "Fischer", "García", "Haddad", "Ivanov", "Jensen", "Khan",
    "Lopez", "Müller", "Nguyen", "O’Neill", "Park", "Quinn", "Rossi", "Santos", "Tanaka", "Usman", "Vogel", "Wright",
    "Xu", "Young", "Zimmermann",
)  # fmt: skip
DEPARTMENTS: Final = ("Engineering", "Finance", "Human Resources", "Marketing", "Operations", "Sales")
COUNTRIES: Final = ("United Kingdom", "Germany", "France", "United States", "Spain")
TYPES: Final = ("Full-Time", "Full-Time", "Full-Time", "Full-Time", "Part-Time", "Part-Time", "Contractor")
FIRST_ID: Final = 100
ASCII: Final = frozenset("abcdefghijklmnopqrstuvwxyz.")
DOMAIN: Final = "acme.example"


def employee(number: int) -> Record:
    """Return the employee with this number, counted from 1, as everybody is at first."""
    first, last = FIRST[number * 7 % len(FIRST)], LAST[number * 11 % len(LAST)]
    born = date(1960, 1, 1) + timedelta(days=number * 137 % 15_000)
    hired = date(2010, 1, 4) + timedelta(days=number * 53 % 5_000)
    plain = "".join(letter for letter in f"{first}.{last}".lower() if letter in ASCII)
    return {
        "id": str(FIRST_ID + number),
        "employeeNumber": f"{10_000 + number:06d}",
        "status": "Active",
        "firstName": first,
        "lastName": last,
        "preferredName": None,
        "workEmail": f"{plain}.{number}@{DOMAIN}",
        "homeEmail": f"{plain}.{number}@home.example",
        "dateOfBirth": born.isoformat(),
        "hireDate": hired.isoformat(),
        "terminationDate": None,
        "employmentHistoryStatus": TYPES[number % len(TYPES)],
        "department": DEPARTMENTS[number % len(DEPARTMENTS)],
        "location": f"Office {number % 12 + 1}",
        "country": COUNTRIES[number % len(COUNTRIES)],
        "jobTitle": "Specialist" if number % 5 else "Manager",
        "4047": "Yes" if number % 3 else "No",
    }


class Company:
    """Everybody in the account, in the order of ids; safe for several threads."""

    def __init__(self, employees: int) -> None:
        self.lock = threading.RLock()
        self._count = employees
        self._others: dict[str, Record] = {}
        self._deleted: set[str] = set()
        self._changes: dict[str, tuple[datetime, str]] = {}
        self._ids: list[str] | None = None
        #: Whether everybody is active, so that nobody has to be left out of a page.
        self.all_alike = True

    def ids(self) -> list[str]:
        """Return the ids of all who are in the account, active or not, in order."""
        with self.lock:
            if self._ids is None:
                made = {str(FIRST_ID + number) for number in range(1, self._count + 1)}
                self._ids = sorted((made | self._others.keys()) - self._deleted, key=int)
            return self._ids

    def get(self, key: str) -> Record | None:
        """Return the record of one employee, None where there is none."""
        with self.lock:
            if key in self._deleted:
                return None
            if key in self._others:
                return self._others[key]
            number = int(key) - FIRST_ID if key.isdecimal() else 0
            return employee(number) if 1 <= number <= self._count else None

    def records(self, ids: list[str]) -> Iterator[Record]:
        """Yield the records of these, as far as they are there."""
        for key in ids:
            if (found := self.get(key)) is not None:
                yield found

    def put(self, key: str, values: Mapping[str, Any]) -> Record:
        """Change an employee, or add one who is like the one of her number would be; returns the record."""
        with self.lock:
            known = self.get(key)
            record = dict(known or employee(int(key) - FIRST_ID)) | dict(values) | {"id": key}
            self._others[key] = record
            self.all_alike = self.all_alike and record["status"] == "Active"
            self._deleted.discard(key)
            if known is None:
                self._ids = None
            self._changes[key] = (datetime.now(UTC), "Updated" if known else "Inserted")
            return record

    def delete(self, key: str) -> None:
        """Delete an employee."""
        with self.lock:
            self._deleted.add(key)
            self._ids = None
            self._changes[key] = (datetime.now(UTC), "Deleted")

    def settle(self) -> None:
        """Let all changes until now be old."""
        with self.lock:
            self._changes.clear()

    def changed(self, since: datetime) -> dict[str, tuple[datetime, str]]:
        """Return who changed at a moment or after it."""
        with self.lock:
            return {key: change for key, change in self._changes.items() if change[0] >= since}
