"""Single records, the directory, the list, changes, and the names of fields."""

import base64
from datetime import UTC, datetime
from typing import Any, Final

from flask import Blueprint, Response, current_app, g, jsonify, request

from rgapp.demo.bamboohr.answers import door_of, forbidden, refusal, signed_in
from rgapp.demo.bamboohr.company import Company
from rgapp.demo.bamboohr.names import DIRECTORY, FIELDS, LABELS, LIST, LIST_OPTIONAL, RECORD

bp = Blueprint("records", __name__)
MOST_FIELDS: Final = 400
LARGEST_PAGE: Final = 2_500


def company_of() -> Company:
    """Return the account's people."""
    found: Company = current_app.extensions["company"]
    return found


@bp.get("/api/v1/meta/fields")
@signed_in
def fields() -> Any:
    """Answer `list-fields`, with one field that is deprecated."""
    listed: list[dict[str, Any]] = [
        {"id": number, "name": label, "type": kind} | ({} if name.isdecimal() else {"alias": name})
        for number, (name, label, kind) in enumerate(FIELDS, 1)
    ]
    listed[-1]["id"] = int(FIELDS[-1][0])
    listed.append({"id": "4048.1", "name": "Fax", "type": "phone", "alias": "fax", "deprecated": True})
    return jsonify(listed)


@bp.get("/api/v1/employees/<key>")
@signed_in
def employee(key: str) -> Any:
    """Answer `get-employee`: what the access may not see is omitted."""
    asked = [name for name in request.args.get("fields", "firstName,lastName").split(",") if name]
    if len(asked) > MOST_FIELDS:
        return refusal(400, "Too many fields")
    record, sight = company_of().get(key), door_of().sight
    if record is None or not sight.sees(record):
        return refusal(404, "Employee not found")
    if key in sight.unshown:
        return forbidden()
    shown = sight.show(record, {name: RECORD[name] for name in asked if name in RECORD})
    return jsonify({"id": key} | shown)


@bp.get("/api/v1/employees/directory")
@signed_in
def directory() -> Any:
    """Answer `get-employees-directory`: who is active, and only current people unless `onlyCurrent` is false."""
    sight = door_of().sight
    if not sight.directory:
        return forbidden()
    today = datetime.now(UTC).date().isoformat()
    everybody = request.args.get("onlyCurrent", "true") == "false"
    found = [
        {"id": record["id"], "displayName": f"{record['firstName']} {record['lastName']}", "canUploadPhoto": 0}
        | sight.show(record, {name: place for name, place in DIRECTORY.items() if place})
        for record in company_of().records(company_of().ids())
        if record["status"] == "Active"
        and sight.sees(record)
        and (everybody or not record["hireDate"] or record["hireDate"] <= today)
    ]
    if not found:
        return refusal(404, "The directory is empty")
    shown = [{"id": name, "type": "text", "name": LABELS.get(place) or "Name"} for name, place in DIRECTORY.items()]
    return jsonify(fields=shown, employees=found)


@bp.get("/api/v1/employees/changed")
@signed_in
def changed() -> Any:
    """Answer `get-changed-employee-ids`."""
    try:
        since = datetime.fromisoformat(request.args["since"])
    except (KeyError, ValueError):
        return refusal(400, "since is missing or no ISO 8601 date")
    kinds = {"Inserted", "Updated", "Deleted"}
    wanted = request.args.get("type", "all").capitalize()
    if wanted not in kinds | {"All"}:
        return refusal(400, "type is not known")
    found = company_of().changed(since if since.tzinfo else since.replace(tzinfo=UTC))
    people = {
        key: {"id": key, "action": action, "lastChanged": at.isoformat(timespec="seconds")}
        for key, (at, action) in found.items()
        if wanted in {"All", action} and key not in door_of().sight.no_access
    }
    latest = max((at for at, _ in found.values()), default=since)
    # An empty map is an empty list in PHP's JSON.
    return jsonify(latest=latest.isoformat(timespec="seconds"), employees=people or [])


@bp.get("/api/v1/employees")
@signed_in
def listed() -> Any:
    """Answer `list-employees`: by cursor, under OAuth alone; what may not be seen is null and named."""
    if g.method != "oauth":
        return forbidden()
    sight, wanted = door_of().sight, request.args.get("filter[status]", "").capitalize()
    names = LIST | {
        name: LIST_OPTIONAL[name] for name in request.args.get("fields", "").split(",") if name in LIST_OPTIONAL
    }
    limit = request.args.get("page[limit]", "250")
    if not limit.isdecimal() or not 1 <= int(limit) <= LARGEST_PAGE:
        return _bad("BadPage", "page[limit] is out of range")
    after = _cursor(request.args.get("page[after]", ""))
    if after is None:
        return _bad("BadPage", "The cursor is malformed")
    people = [
        record
        for record in company_of().records(company_of().ids())
        if sight.sees(record) and wanted in {"", record["status"]}
    ]
    rest = [record for record in people if int(str(record["id"])) > after]
    page = rest[: int(limit)]
    more = str(page[-1]["id"]) if len(rest) > len(page) else None
    data = []
    for record in page:
        restricted = [name for name, place in names.items() if place in sight.hidden]
        row: dict[str, Any] = {name: record.get(place) for name, place in names.items()}
        data.append(row | dict.fromkeys(restricted) | {"_restrictedFields": restricted})
    cursor = base64.urlsafe_b64encode(f"after-{more}".encode()).decode() if more else None
    paging = {"limit": int(limit), "nextCursor": cursor, "prevCursor": None}
    return jsonify(data=data, meta={"total": len(people), "page": paging}, _links={"self": {"href": request.path}})


def _cursor(text: str) -> int | None:
    if not text:
        return 0
    try:
        return int(base64.urlsafe_b64decode(text).decode().removeprefix("after-"))
    except ValueError:
        return None


def _bad(code: str, message: str) -> tuple[Response, int]:
    return jsonify(error={"code": code, "message": message}), 400
