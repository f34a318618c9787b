"""Who is active: by the directory, or by the list of employees where the directory is not shared."""

from collections.abc import Iterator
from typing import Any, Final

from rgapp.integrations.bamboohr.calls import Calls
from rgapp.integrations.bamboohr.errors import BambooError
from rgapp.integrations.bamboohr.fields import ID, known_as
from rgapp.integrations.pulls.values import text

PAGE: Final = 2_500
MOST_PAGES: Final = 1_000


def listed(calls: Calls) -> list[str]:
    """Return the ids of all who are active.

    Raises `BambooError`.
    """
    try:
        answer = calls.get("/api/v1/employees/directory", {"onlyCurrent": "false"})
    except BambooError as error:
        if error.code != "no_permission":
            raise
    else:
        if answer.status == 404:
            return []
        people = answer.data.get("employees") if isinstance(answer.data, dict) else None
        if answer.status < 300 and isinstance(people, list):
            return [_id(each, calls.host) for each in people]
    return list(_pages_of_list(calls))


def _pages_of_list(calls: Calls) -> Iterator[str]:
    query = {"filter[status]": "active", "page[limit]": str(PAGE)}
    seen: set[str] = set()
    for _ in range(MOST_PAGES):
        answer = calls.get("/api/v1/employees", query)
        data = answer.data if answer.status < 300 and isinstance(answer.data, dict) else {}
        people, meta = data.get("data"), data.get("meta")
        if not isinstance(people, list) or not isinstance(meta, dict):
            raise BambooError("not_bamboohr", host=calls.host)
        for each in people:
            yield _id(each, calls.host)
        paging = meta.get("page")
        cursor = text(paging.get("nextCursor")) if isinstance(paging, dict) else None
        if not cursor:
            return
        if cursor in seen:
            raise BambooError("not_bamboohr", host=calls.host)
        seen.add(cursor)
        query["page[after]"] = cursor
    raise BambooError("too_large")


def _id(each: Any, host: str) -> str:
    found = text(each.get(ID, each.get("employeeId"))) if isinstance(each, dict) else None
    return known_as(found, host)
