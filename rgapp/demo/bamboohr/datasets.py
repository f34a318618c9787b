"""The employee dataset: its fields, their options, and its data in versions 1 and 2."""

from typing import Any, Final

from flask import Blueprint, Response, current_app, jsonify, request

from rgapp.demo.bamboohr.answers import door_of, forbidden, problem, signed_in
from rgapp.demo.bamboohr.company import Company, Record
from rgapp.demo.bamboohr.names import DATASET, LABELS

bp = Blueprint("datasets", __name__)
LARGEST_PAGE: Final = 1_000
OPTIONS: Final = ("status", "employmentStatus", "department", "country", "location")
PARENT: Final = {"parentType": "page", "parentName": "Personal", "entityName": "personal"}
CHECKED_FOR_OPTIONS: Final = 2_000


@bp.get("/api/<version>/datasets/employee/fields")
@signed_in
def fields(version: str) -> Any:
    """Answer `get-fields-from-dataset-v1` and `-v1-2`."""
    if version not in {"v1", "v1_2"}:
        return Response(status=404)
    if not door_of().sight.datasets:
        return forbidden()
    size = min(_positive(request.args.get("page_size"), 500), LARGEST_PAGE)
    last = max(1, -(-len(DATASET) // size))
    page = min(_positive(request.args.get("page"), 1), last)
    shown = list(DATASET.items())[(page - 1) * size : page * size]
    return jsonify(
        pagination=_pagination(len(DATASET), page, size),
        name="employee",
        label="Employee",
        fields=[
            {
                "name": name,
                "label": LABELS[place],
                "parentType": "page",
                "parentName": "Personal",
                "entityName": "personal",
            }
            for name, place in shown
        ],
    )


@bp.post("/api/v1_2/datasets/employee/field-options")
@signed_in
def options() -> Any:
    """Answer `get-field-options-v1-2`."""
    asked = (request.get_json(silent=True) or {}).get("fields")
    if not isinstance(asked, list):
        return problem(400, "BAD_REQUEST", "fields is missing")
    company: Company = current_app.extensions["company"]
    some = list(company.records(company.ids()[:CHECKED_FOR_OPTIONS]))
    found: dict[str, Any] = {}
    for name in asked:
        if name in OPTIONS:
            values = sorted({str(record[DATASET[name]]) for record in some})
            values = ["Active", "Inactive"] if name == "status" else values
            found[name] = [{"id": number, "value": value} for number, value in enumerate(values, 1)]
    return jsonify(found)


@bp.post("/api/v2/datasets/employee/data")
@signed_in
def data_v2() -> Any:
    """Answer `get-data-from-dataset-v2`: `page` and `pageSize` of the body, `orderBy` one field that is asked for."""
    if not door_of().sight.datasets:
        return forbidden()
    body = request.get_json(silent=True)
    body = body if isinstance(body, dict) else {}
    asked = body.get("fields")
    if not isinstance(asked, list) or not asked or any(name not in DATASET for name in asked):
        return problem(400, "BAD_REQUEST", "fields are missing or not known")
    if body.get("filter"):
        return problem(422, "VALIDATION_FAILED", "this simulation filters nothing")
    page, size = body.get("page", 1), body.get("pageSize", 100)
    if not isinstance(page, int) or not isinstance(size, int) or not 1 <= size <= LARGEST_PAGE or page < 1:
        return problem(422, "VALIDATION_FAILED", "page or pageSize is out of range")
    people, failure = _ordered(str(body.get("orderBy") or ""), asked)
    if failure:
        return problem(422, "VALIDATION_FAILED", failure)
    rows, total = _rows(people, asked, page, size)
    last = max(1, -(-total // size))
    return jsonify(
        data=[{"fields": row} for row in rows],
        links={"next": f"?page={page + 1}" if page < last else None, "prev": f"?page={page - 1}" if page > 1 else None},
        meta={"page": page, "pageSize": size, "totalPages": last, "totalItems": total},
    )


@bp.post("/api/v1/datasets/employee")
@signed_in
def data_v1() -> Any:
    """Answer `get-data-from-dataset-v1`, which is deprecated."""
    if not door_of().sight.datasets:
        return forbidden()
    asked = (request.get_json(silent=True) or {}).get("fields")
    if not isinstance(asked, list) or not asked or any(name not in DATASET for name in asked):
        return Response("Invalid or missing argument(s).", 400, mimetype="text/plain")
    size = min(_positive(request.args.get("page_size"), 500), LARGEST_PAGE)
    page = _positive(request.args.get("page"), 1)
    rows, total = _rows(_ordered("", asked)[0], asked, page, size)
    return jsonify(data=rows, aggregations=[], pagination=_pagination(total, page, size))


def _ordered(order: str, asked: list[str]) -> tuple[list[str], str]:
    company: Company = current_app.extensions["company"]
    ids = company.ids()
    name, _, way = order.partition(" ")
    if not name:
        return ids, ""
    if name not in asked or way not in {"asc", "desc"}:
        return [], "orderBy names no field that is asked for"
    if name != "eeid":
        ids = sorted(ids, key=lambda key: str((company.get(key) or {}).get(DATASET[name])))
    return (ids if way == "asc" else ids[::-1]), ""


def _rows(ids: list[str], asked: list[str], page: int, size: int) -> tuple[list[dict[str, Any]], int]:
    company: Company = current_app.extensions["company"]
    sight = door_of().sight
    if company.all_alike and not sight.no_access:
        total, some = len(ids), list(company.records(ids[(page - 1) * size : page * size]))
    else:
        seen: list[Record] = [record for record in company.records(ids) if sight.sees(record)]
        total, some = len(seen), seen[(page - 1) * size : page * size]
    names = {name: DATASET[name] for name in asked}
    return [sight.show(record, names) for record in some], total


def _pagination(total: int, page: int, size: int) -> dict[str, Any]:
    last = max(1, -(-total // size))
    return {
        "total_records": total,
        "current_page": page,
        "total_pages": last,
        "next_page": f"?page={page + 1}" if page < last else None,
        "prev_page": f"?page={page - 1}" if page > 1 else None,
    }


def _positive(text: str | None, usual: int) -> int:
    return max(1, int(text)) if text and text.isdecimal() else usual
