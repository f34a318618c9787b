"""What SCIM clients really send, turned into standard SCIM before scim2-server reads it; standard SCIM stays as it is.

Pure functions from decoded JSON, hostile or not, to JSON. What is not understood stays in place, so that the library
answers with its own 400; no operation is ever dropped. Attributes are known by the models that the service publishes.

Bridged in bodies of POST and PUT (`standard_body`):

- `schemas` as one text, in other case, under their names of SCIM 1.1 (OneLogin's template), or with schemas that we do
  not have beside the core one (Entra's private second schema of groups), and extension objects of such schemas: the
  library refuses them, their contents are not ours.
- Read-only attributes (`id`, `meta`, `groups`) in whatever form: RFC 7644 ignores them, the library checks them first.
- A complex attribute as its plain value (Entra's manager), a multi-valued one as one object or as plain values
  (roles); numbers for texts (employee numbers); a simple value in a list of one or in a `value` object (Entra before
  2019); empty texts for references (`$ref`), which would otherwise be refused or become links to nowhere.

Bridged in PATCH, besides those:

- `Remove` of members by a list of values (Entra, JumpCloud, Salesforce): they become a filter on `value` alone; with a
  `display` in it the library would remove nobody and answer with success. Never one that would empty a group.
- A value beside the path of a remove that names one value anyhow.
- Value paths as keys of an object without a path, which the library takes for unknown attributes.
- Read-only sub-attributes beside others (Okta's `display` of members), which the library takes for a change.
- `emails.value` while there are none: the library would answer with success and write nothing.
- Many changes of a large group, which the library makes one by one, each against all members (`bridge_members`).
- Short names of extension attributes (`manager`), and a dot after the URN (Entra before 2019), as in filters.

Bridged in queries (`standard_query`): names of parameters in other case, which the library does not see (a filter that
is not seen finds everybody); empty numbers; `sortOrder` in other case; short names of extension attributes and complex
ones compared as a whole (`manager eq`, from Entra's documentation).

Left to the library, which reads them: `op` in capitals, booleans as texts, dotted and URN-prefixed keys, attribute
names and URNs in other case, the resource's own `id`, `emails[type eq "work"].value eq`, nulls. Left to its policy,
which has to be given `UnmatchedPathFilter.create`: a value path to a value that does not exist yet makes one. The
library decides that when it applies the operation, after the ones before it; a look at the resource before could not.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from scim2_models import Resource

from rgapp.integrations.scim.bridge_patch import extension_key, standard_patch
from rgapp.integrations.scim.bridge_paths import read_path, standard_filter
from rgapp.integrations.scim.bridge_shapes import Shape, shape_of
from rgapp.integrations.scim.bridge_values import members, named, standard_value

_PARAMETERS: Final = {
    name.lower(): name
    for name in (
        "attributes", "excludedAttributes", "filter", "sortBy", "sortOrder", "startIndex", "count", "cursor",
    )
}  # fmt: skip
#: An empty filter stays and is refused: a client whose look-up lost its value must not be told of everybody.
_MAY_BE_EMPTY: Final = frozenset({"sortBy", "sortOrder", "startIndex", "count"})

Model = type[Resource[Any]]


def standard_body(method: str, model: Model, body: Any, current: Mapping[str, Any] | None = None) -> Any:
    """Return the body of a POST, PUT or PATCH request for a resource of a model.

    `current` is for PATCH: the resource as it is now. Without it two things stay as they are: `emails.value` while
    there are none, and a list of more than 200 members to remove, which is refused.
    """
    if not isinstance(body, dict):
        return body
    if method.upper() == "PATCH":
        return standard_patch(shape_of(model), body, current)
    return _resource(shape_of(model), body)


def standard_bulk(models: Mapping[str, Model], body: Any) -> Any:
    """Return the body of a bulk request (RFC 7644, section 3.7); `models` by endpoint, such as "Users"."""
    operations = named(body, "Operations") if isinstance(body, dict) else None
    if not isinstance(operations, list):
        return body
    endpoints = {endpoint.strip("/").lower(): model for endpoint, model in models.items()}
    meant = [_bulk_operation(endpoints, operation) for operation in operations]
    return {name: meant if value is operations else value for name, value in body.items()}


def standard_query(models: Sequence[Model], query: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of a query, also those that a search has in its body; unknown ones are kept."""
    shapes = [shape_of(model) for model in models]
    result: dict[str, Any] = {}
    for given, value in query.items():
        name = _PARAMETERS.get(given.lower(), given)
        if name != given and (name in query or name in result):
            name = given
        if name in _MAY_BE_EMPTY and value == "":
            continue
        result[name] = _parameter(shapes, name, value)
    return result


def _parameter(shapes: Sequence[Shape], name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if name == "filter":
        return standard_filter(shapes, value)
    if name == "sortOrder":
        return value.lower()
    if name == "sortBy":
        targets = (read_path(shape, value) for shape in shapes)
        return next((target.text for target in targets if target is not None), value)
    return value


def _bulk_operation(endpoints: Mapping[str, Model], operation: Any) -> Any:
    if not isinstance(operation, dict):
        return operation
    method, path, data = (named(operation, name) for name in ("method", "path", "data"))
    if not isinstance(method, str) or not isinstance(path, str) or not isinstance(data, dict):
        return operation
    model = endpoints.get(path.strip("/").partition("/")[0].lower())
    if model is None:
        return operation
    meant = standard_body(method, model, data)
    return {name: meant if value is data else value for name, value in operation.items()}


def _resource(shape: Shape, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a whole resource (RFC 7644, sections 3.3 and 3.5.1)."""
    result: dict[str, Any] = {}
    for name, value in body.items():
        lowered = name.lower()
        attribute = shape.core.attributes.get(lowered)
        extension = shape.extension(name)
        if lowered == "schemas":
            result[name] = _schemas(shape, value)
        elif attribute is not None:
            if lowered != "meta" and not attribute.read_only:
                result[name] = standard_value(attribute, value)
        elif extension is not None:
            urn = extension_key(extension, name, body)
            result[urn] = members(extension.attributes, value) if isinstance(value, dict) else value
        elif not _foreign(shape, name, value):
            result[name] = value
    return result


def _foreign(shape: Shape, name: str, value: Any) -> bool:
    """Tell whether a member is an extension object of a schema that we do not have."""
    return ":" in name and (value is None or isinstance(value, dict)) and not shape.knows(name)


def _schemas(shape: Shape, value: Any) -> Any:
    """Return the list of schemas in our spelling; without the core one it stays, and is refused for that."""
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list):
        return value
    ours = [(urn, shape.schema(urn) if isinstance(urn, str) else None) for urn in listed]
    if not any(schema is shape.core for _, schema in ours):
        return value
    return [schema.urn if schema is not None else urn for urn, schema in ours if schema or not isinstance(urn, str)]
