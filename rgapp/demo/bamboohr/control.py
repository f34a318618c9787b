"""The side door of tests: POST /_control with what is to be done, GET /_control for what was asked for so far."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, current_app, jsonify, request

from rgapp.demo.bamboohr.access import Door, Sight
from rgapp.demo.bamboohr.company import Company

bp = Blueprint("control", __name__)


@bp.get("/_control")
def seen() -> Any:
    """Say which requests came since the last script of faults was set."""
    faulty = current_app.extensions["faulty"]
    return jsonify(requests=faulty.count, paths=faulty.paths)


@bp.post("/_control")
def do() -> Any:
    """Do what is told; see `act`."""
    told = request.get_json()
    if "faults" in told:
        current_app.extensions["faulty"].set(told["faults"])
    made = act(current_app.extensions["company"], current_app.extensions["door"], told)
    return jsonify(made)


def act(company: Company, door: Door, told: Mapping[str, Any]) -> dict[str, Any]:
    """Do what a mapping tells, in this order; returns what was made.

    `settle` makes all changes until now so old that nobody asks for them again. `put` (id to values) changes or adds
    employees, `delete` lists ids. `sight` sets what every access may see: `hidden` (field to omitted, null or empty),
    `no_access` and `unshown` (ids), `inactive`, `directory`, `datasets`; what is not named there is as it was at first.
    `keys` replaces the API keys, `revoke` takes back consents, `expire` lets access tokens run out, `consent` gives one
    without the page.
    """
    if told.get("settle"):
        company.settle()
    for key, values in told.get("put", {}).items():
        company.put(str(key), values)
    for key in told.get("delete", ()):
        company.delete(str(key))
    if "sight" in told:
        sight = dict(told["sight"])
        for name in ("no_access", "unshown"):
            sight[name] = set(map(str, sight.get(name, ())))
        door.sight = Sight(**sight)
    if "keys" in told:
        door.keys = set(told["keys"])
    if told.get("revoke"):
        door.revoke()
    if told.get("expire"):
        door.expire()
    return door.tokens() if told.get("consent") else {}
