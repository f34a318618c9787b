"""Pages of the employee dataset, as versions 2 and 1 of the API write them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rgapp.integrations.bamboohr.calls import Calls
from rgapp.integrations.bamboohr.errors import BambooError
from rgapp.integrations.pulls.values import number as number_of

PAGE: Final = 1_000
MOST_PAGES: Final = 1_000
DATASET: Final = "employee"


@dataclass(frozen=True)
class Page:
    """One page: its rows by the names of the dataset, and how many rows and pages there are, where that is said."""

    rows: Sequence[Mapping[str, Any]]
    total: int | None
    pages: int | None


def page_of_v2(data: Any, host: str) -> Page:
    """Read `{data: [{fields: {…}}], meta: {totalItems, totalPages}}`.

    Raises `BambooError` where it is something else.
    """
    rows, meta = (data.get("data"), data.get("meta")) if isinstance(data, dict) else (None, None)
    if not isinstance(rows, list):
        raise BambooError("not_bamboohr", host=host)
    found = [each.get("fields") if isinstance(each, dict) else None for each in rows]
    meta = meta if isinstance(meta, dict) else {}
    return Page(_whole(found, host), number_of(meta.get("totalItems")), number_of(meta.get("totalPages")))


def page_of_v1(data: Any, host: str) -> Page:
    """Read `{data: [{…}], pagination: {total_records, total_pages}}`.

    Raises `BambooError` where it is something else.
    """
    rows, paging = (data.get("data"), data.get("pagination")) if isinstance(data, dict) else (None, None)
    if not isinstance(rows, list):
        raise BambooError("not_bamboohr", host=host)
    paging = paging if isinstance(paging, dict) else {}
    return Page(_whole(rows, host), number_of(paging.get("total_records")), number_of(paging.get("total_pages")))


def _whole(rows: Sequence[Any], host: str) -> Sequence[dict[str, Any]]:
    if not all(isinstance(row, dict) for row in rows):
        raise BambooError("not_bamboohr", host=host)
    return rows


def fields_of(calls: Calls) -> dict[str, str]:
    """Return the fields of the employee dataset, name to label; none where we may not ask it.

    Raises `BambooError`.
    """
    found: dict[str, str] = {}
    path, number, last = f"/api/v1_2/datasets/{DATASET}/fields", 1, 1
    while number <= min(last, MOST_PAGES):
        try:
            asked = {"page": str(number), "page_size": str(PAGE)}
            answer = calls.get(path, asked, what="the employee dataset")
        except BambooError as error:
            if error.code == "no_permission":
                return {}
            raise
        if answer.status in {404, 405} and "v1_2" in path:
            path = path.replace("v1_2", "v1")
            continue
        fields = answer.data.get("fields") if isinstance(answer.data, dict) else None
        if answer.status >= 300 or not isinstance(fields, list):
            return {}
        for each in fields:
            if isinstance(each, dict) and each.get("name"):
                found.setdefault(str(each["name"]), str(each.get("label") or ""))
        paging = answer.data.get("pagination")
        last = (number_of(paging.get("total_pages")) or 1) if isinstance(paging, dict) else 1
        number += 1
    return found
