"""Quirks as data: what a client sends, to which resource, and what has to come of it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from scim2_models import Context, Error, PatchOp, Resource, SCIMException, ScimPolicy

from rgapp.integrations.scim.schemas import Group, SCIMUserModel

FOLDER = Path(__file__).parents[2] / "fixtures" / "scim" / "quirks"
MODELS: dict[str, type[Resource[Any]]] = {"User": SCIMUserModel, "Group": Group}


class Refused(Exception):
    """The library refused a request, with the scimType of its answer."""


@dataclass(frozen=True)
class Quirk:
    """One file: `alone` says what the library makes of the request as it came (reads, misreads, refuses)."""

    name: str
    client: str
    reason: str
    method: str
    type: str
    request: Any
    alone: str
    current: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    refused: str | None = None

    @property
    def model(self) -> type[Resource[Any]]:
        """Return the model of the resource."""
        return MODELS[self.type]


def quirks() -> list[Quirk]:
    """Return every quirk there is, by name."""
    return [Quirk(name=file.stem, **json.loads(file.read_text())) for file in sorted(FOLDER.glob("*.json"))]


def apply(
    method: str, model: type[Resource[Any]], body: Any, current: dict[str, Any] | None, policy: ScimPolicy | None = None
) -> dict[str, Any]:
    """Return the resource after a request, as scim2-models reads and applies it; raises `Refused`."""
    with policy or ScimPolicy():
        try:
            return _apply(method, model, json.dumps(body), current)
        except ValidationError as error:
            raise Refused(Error.from_validation_errors(error)[0].scim_type) from error
        except SCIMException as error:
            raise Refused(error.to_error().scim_type) from error


def _apply(method: str, model: type[Resource[Any]], body: str, current: dict[str, Any] | None) -> dict[str, Any]:
    if method == "POST":
        return _plain(model.model_validate_json(body, scim_ctx=Context.RESOURCE_CREATION_REQUEST))
    resource = model.model_validate(current)
    if method == "PUT":
        replacement = model.model_validate_json(body, scim_ctx=Context.RESOURCE_REPLACEMENT_REQUEST)
        replacement.replace(resource)
        return _plain(replacement)
    patch: Any = PatchOp[model]  # type: ignore[valid-type]  # Only the running test knows which model it is.
    patch.model_validate_json(body, scim_ctx=Context.RESOURCE_PATCH_REQUEST).patch(resource)
    return _plain(resource)


def _plain(resource: Resource[Any]) -> dict[str, Any]:
    """Return a resource as JSON, without what never leaves it."""
    dumped: dict[str, Any] = resource.model_dump(scim_ctx=Context.DEFAULT)
    return {name: value for name, value in dumped.items() if name not in ("schemas", "password", "meta")}
