"""BambooHR's API, as far as people are read by it: fields, datasets, the directory, single records, changes.

Shapes follow the public description of April 2026: `list-fields`, `get-fields-from-dataset-v1-2`,
`get-data-from-dataset-v2` (and v1), `get-field-options-v1-2`, `get-employees-directory`, `list-employees`,
`get-employee` and `get-changed-employee-ids`. Under an API key as under OAuth, the employee dataset gives every field
of many people at once, and single records give every field of one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from rgapp.integrations.bamboohr import datasets, directory
from rgapp.integrations.bamboohr.calls import APIKey, Calls, OAuthAccess, ignored
from rgapp.integrations.bamboohr.datasets import DATASET, PAGE, Page, page_of_v1, page_of_v2
from rgapp.integrations.bamboohr.errors import BambooError
from rgapp.integrations.bamboohr.fields import (
    COUNTRY,
    DEPARTMENT,
    EMPLOYMENT_TYPE,
    ID,
    STATUS,
    account_fields,
    in_dataset,
    known_as,
)
from rgapp.integrations.pulls.account import AccountField
from rgapp.integrations.pulls.values import text
from rgapp.integrations.sync.work import shown
from rgapp.outbound import Answer, Client

SHOWN: Final = 500
PEOPLE_ASKED: Final = 1_000


@dataclass(frozen=True)
class FilterOptions:
    """The values that occur in an account, to choose from."""

    statuses: tuple[str, ...] = ()
    employment_types: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Changes:
    """Who changed: ids with what happened (Inserted, Updated, Deleted), and when the last change was."""

    actions: Mapping[str, str]
    latest: str = ""


class Bamboo:
    """One account under one access; `BambooError` is raised wherever it cannot be read.

    A renewed refresh token is handed to `renewed`, which must keep it, before it is used; `stored` returns the one that
    is kept now.
    """

    def __init__(
        self,
        origin: str,
        access: APIKey | OAuthAccess,
        *,
        allow: frozenset[str],
        renewed: Callable[[str, str], None] = ignored,
        stored: Callable[[], str | None] | None = None,
        client: Client | None = None,
    ) -> None:
        self.calls = Calls(origin, access, client or Client(origin, allow=allow), renewed=renewed, stored=stored)
        self._fields: list[AccountField] | None = None
        self._dataset: dict[str, str] | None = None
        # What this account turned out not to know: the second version of datasets, and their order.
        self._is_old, self._orders = False, True

    def close(self) -> None:
        """Let go of the connection."""
        self.calls.client.close()

    def check(self) -> None:
        """Make sure that people can be read.

        Raises `BambooError`.
        """
        self.fields()
        self.people([ID, "firstName"], most=1)

    def fields(self) -> list[AccountField]:
        """Return the fields of single records that the account has."""
        if self._fields is None:
            answer = self.calls.get("/api/v1/meta/fields", what="the list of fields")
            if answer.status == 404:
                raise BambooError("no_such_subdomain", host=self.calls.host)
            if answer.status >= 300 or not isinstance(answer.data, list):
                raise BambooError("not_bamboohr", host=self.calls.host)
            self._fields = account_fields(answer.data)
        return self._fields

    def known_fields(self) -> list[AccountField]:
        """Return the fields of single records; none where the access may not ask for them."""
        try:
            return self.fields()
        except BambooError as error:
            if error.code != "no_permission":
                raise
            self._fields = []
            return []

    def places(self, wanted: Sequence[str]) -> dict[str, str]:
        """Return where in the employee dataset these fields are; empty where there is no dataset for us."""
        if self._dataset is None:
            self._dataset = datasets.fields_of(self.calls)
        return in_dataset(wanted, self.known_fields(), self._dataset) if self._dataset else {}

    def page(self, places: Mapping[str, str], number: int, *, size: int = PAGE) -> Page | None:
        """Return one page of the dataset, ordered by id where it has one; None where the dataset cannot be asked so.

        `places` are the fields that are wanted, by their names in single records; the rows have those of the dataset.
        """
        names = list(dict.fromkeys(places.values()))
        if not self._is_old:
            answer = self._page_of_v2(places, names, number, size)
            if answer.status not in {404, 405}:
                return page_of_v2(answer.data, self.calls.host) if answer.status < 300 else None
            self._is_old = True
        asked = {"page": str(number), "page_size": str(size)}
        answer = self.calls.post(f"/api/v1/datasets/{DATASET}", {"fields": names}, asked)
        return page_of_v1(answer.data, self.calls.host) if answer.status < 300 else None

    def _page_of_v2(self, places: Mapping[str, str], names: Sequence[str], number: int, size: int) -> Answer:
        path, body = f"/api/v2/datasets/{DATASET}/data", {"fields": names, "page": number, "pageSize": size}
        if ID not in places or not self._orders:
            return self.calls.post(path, body)
        answer = self.calls.post(path, body | {"orderBy": f"{places[ID]} asc"})
        if answer.status in {400, 422}:
            self._orders = False
            answer = self.calls.post(path, body)
        return answer

    def listed(self) -> list[str]:
        """Return the ids of all who are active."""
        return directory.listed(self.calls)

    def record(self, key: str, wanted: Sequence[str]) -> dict[str, Any] | None:
        """Return the record of one person; None where it is not shown to us, or is gone."""
        query = {"fields": ",".join(name for name in wanted if name != ID)}
        try:
            answer = self.calls.get(f"/api/v1/employees/{quote(key, safe='')}", query)
        except BambooError as error:
            if error.code == "no_permission":
                return None
            raise
        if answer.status == 404:
            return None
        if answer.status >= 300 or not isinstance(answer.data, dict):
            raise BambooError("not_bamboohr", host=self.calls.host)
        # The id is always there: what has another one, or none, is no answer to this question.
        found = answer.data
        if text(found.get(ID)) != key:
            raise BambooError("not_bamboohr", host=self.calls.host)
        return found

    def changed(self, since: datetime) -> Changes:
        """Return who changed since a moment."""
        asked = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        answer = self.calls.get("/api/v1/employees/changed", {"since": asked}, what="changes")
        people = answer.data.get("employees") if isinstance(answer.data, dict) else None
        if people == []:  # An empty map, as PHP writes it.
            people = {}
        if answer.status >= 300 or not isinstance(people, dict):
            raise BambooError("not_bamboohr", host=self.calls.host)
        host = self.calls.host
        actions = {
            known_as(str(key), host): str(each.get("action") or "Updated") if isinstance(each, dict) else "Updated"
            for key, each in people.items()
        }
        return Changes(actions, str(answer.data.get("latest") or ""))

    def people(self, fields: Sequence[str], *, most: int) -> list[dict[str, str]]:
        """Return these fields of a few people who are active, empty where nothing is shown."""
        wanted = list(dict.fromkeys([ID, STATUS, *fields]))
        places = self.places(wanted)
        page = self.page(places, 1, size=min(PAGE, max(most * 10, 50))) if _enough(places, fields) else None
        raw: Sequence[Mapping[str, Any]]
        if page is not None:
            raw = [{name: row.get(place) for name, place in places.items()} for row in page.rows]
        else:
            raw = [one for key in self.listed()[:most] if (one := self.record(key, wanted)) is not None]
        found = [{name: shown(text(each.get(name)) or "") for name in fields} for each in raw if _is_active(each)]
        return found[:most]

    def options(self) -> FilterOptions:
        """Return what can be filtered by: what the dataset offers, or what a thousand people have."""
        wanted = [STATUS, EMPLOYMENT_TYPE, COUNTRY, DEPARTMENT]
        places = self.places(wanted)
        found = self._offered(places)
        missing = [name for name in wanted if not found.get(name) and name != STATUS]
        if missing:
            people = self.people(missing, most=PEOPLE_ASKED)
            found |= {name: sorted({each[name] for each in people} - {""}) for name in missing}
        return FilterOptions(
            tuple(found.get(STATUS) or ("Active", "Inactive")),
            *(tuple(found.get(name, ())[:SHOWN]) for name in (EMPLOYMENT_TYPE, COUNTRY, DEPARTMENT)),
        )

    def _offered(self, places: Mapping[str, str]) -> dict[str, list[str]]:
        if not places:
            return {}
        path = f"/api/v1_2/datasets/{DATASET}/field-options"
        try:
            answer = self.calls.post(path, {"fields": list(places.values())}, what="the values of fields")
        except BambooError as error:
            if error.code in {"no_permission", "unavailable", "refused"}:
                return {}
            raise
        data = answer.data if answer.status < 300 and isinstance(answer.data, dict) else {}
        found = {}
        for name, place in places.items():
            offered = data.get(place)
            values = [each.get("value") for each in offered if isinstance(each, dict)] if offered else []
            found[name] = [shown(value) for value in map(text, values) if value]
        return found


def _enough(places: Mapping[str, str], fields: Sequence[str]) -> bool:
    return all(name in places for name in fields if name != ID)


def _is_active(each: Mapping[str, Any]) -> bool:
    status = text(each.get(STATUS))
    return status is None or status.casefold() == "active"
