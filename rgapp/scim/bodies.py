"""Request bodies: JSON (RFC 8259) that means one thing only, and that PostgreSQL can keep.

What is refused, always with a sentence that says where: text that is not UTF-8, members that are named twice (names are
compared without case, RFC 7643 section 2.1), numbers beyond what JSON programs agree on, NUL and half characters, and
structures too deep or too long for anything that SCIM says.
"""

import json
from typing import Any, Final, NoReturn

from scim2_models import InvalidSyntaxException, InvalidValueException, SCIMException

#: A PATCH inside a bulk request nests about ten levels.
MAX_DEPTH: Final = 24
#: Values of one attribute of a person; groups have members, and bulk requests operations, without this limit.
MAX_VALUES: Final = 200
MAX_PATCH_OPERATIONS: Final = 1000
#: What the operations of one PATCH bring in lists, members apart: each value is compared with all that are there.
MAX_PATCH_VALUES: Final = 1000
#: The longest path of a PATCH operation, and the longest text that is a value.
MAX_PATH: Final = 2000
MAX_TEXT: Final = 64 * 1024
_WITHOUT_LIMIT: Final = frozenset({"members", "operations", "value"})


class Body(bytes):
    """A body that was decoded already, or could not be."""

    _document: Any
    _problem: SCIMException | None

    @classmethod
    def of(cls, raw: bytes, document: Any, problem: SCIMException | None = None) -> "Body":
        """Return a body with its document, or with what is wrong with it."""
        body = cls(raw)
        body._document, body._problem = document, problem
        return body

    @property
    def document(self) -> Any:
        """Return what stands in it; raises what is wrong with it, so that a wrong address is said first."""
        if self._problem is not None:
            raise self._problem
        return self._document


def decode(raw: bytes) -> Any:
    """Return the JSON of a body.

    Raises `InvalidSyntaxException` or `InvalidValueException`.
    """
    try:
        document = json.loads(
            raw.decode(), object_pairs_hook=_object, parse_float=_float, parse_constant=_constant, parse_int=_int
        )
    except UnicodeDecodeError as error:
        raise InvalidSyntaxException(detail="The body is not UTF-8.") from error
    except RecursionError as error:
        raise InvalidSyntaxException(detail="The body is nested too deeply.") from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InvalidSyntaxException(detail=f"The body is not valid JSON: {error.msg} ({where}).") from error
    _check(document)
    return document


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs) or len({name.lower() for name in found}) != len(pairs):
        raise InvalidSyntaxException(detail=f"The body names a member twice: {_twice(pairs)}.")
    return found


def _twice(pairs: list[tuple[str, Any]]) -> str:
    seen = set()
    for name, _ in pairs:
        if name.lower() in seen:
            return f"“{_shown(name)}”"
        seen.add(name.lower())
    return ""


def _float(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        _out_of_range(text)
    return value


def _int(text: str) -> int:
    if len(text) > 20:
        _out_of_range(text)
    return int(text)


def _constant(text: str) -> NoReturn:
    raise InvalidSyntaxException(detail=f"The body is not valid JSON: {text} is no value.")


def _out_of_range(text: str) -> NoReturn:
    raise InvalidSyntaxException(detail=f"The number {text[:30]} is out of range.")


def _check(document: Any) -> None:
    """Look at everything in a document once, without recursion."""
    left: list[tuple[Any, int, str]] = [(document, 0, "")]
    while left:
        value, depth, name = left.pop()
        if isinstance(value, str):
            check_text(value, name)
        elif isinstance(value, dict):
            if depth >= MAX_DEPTH:
                raise InvalidSyntaxException(detail="The body is nested too deeply.")
            for key, held in value.items():
                check_text(key, "a name")
                left.append((held, depth + 1, key))
        elif isinstance(value, list):
            if depth >= MAX_DEPTH:
                raise InvalidSyntaxException(detail="The body is nested too deeply.")
            if len(value) > MAX_VALUES and name.lower() not in _WITHOUT_LIMIT:
                raise InvalidValueException(detail=f"{_shown(name)} has more than {MAX_VALUES} values.")
            left.extend((entry, depth + 1, name) for entry in value)


def check_text(text: str, where: str) -> None:
    """Refuse a text that cannot be kept; raises `InvalidValueException`."""
    if text.isascii():
        if "\0" in text:
            raise InvalidValueException(detail=f"{_shown(where)} has a NUL character, which cannot be kept.")
    elif "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise InvalidValueException(detail=f"{_shown(where)} has a NUL or half a character, which cannot be kept.")
    if len(text) > MAX_TEXT:
        raise InvalidValueException(detail=f"{_shown(where)} is longer than {MAX_TEXT} characters.")


def check_patch(document: Any) -> None:
    """Refuse a PATCH that would take long to read; what else is wrong with it, the library says."""
    operations = _member(document, "operations")
    if not isinstance(operations, list):
        return
    if len(operations) > MAX_PATCH_OPERATIONS:
        raise InvalidValueException(detail=f"A PATCH takes at most {MAX_PATCH_OPERATIONS} operations.")
    values = 0
    for operation in operations:
        path = _member(operation, "path")
        if isinstance(path, str) and len(path) > MAX_PATH:
            raise InvalidValueException(detail=f"A path is longer than {MAX_PATH} characters.")
        values += brought(_member(operation, "value"), str(path or ""))
    if values > MAX_PATCH_VALUES:
        raise InvalidValueException(detail=f"The operations of a PATCH bring at most {MAX_PATCH_VALUES} values.")


def brought(value: Any, path: str) -> int:
    """Count the values in the lists of one operation; members of groups do not count."""
    if isinstance(value, dict):
        return sum(brought(held, name) for name, held in value.items())
    return len(value) if isinstance(value, list) and not path.lower().endswith("members") else 0


def check_bulk(document: Any) -> None:
    """Refuse a bulk request with such a PATCH in it."""
    operations = _member(document, "operations")
    for operation in operations if isinstance(operations, list) else ():
        check_patch(_member(operation, "data"))


def _member(document: Any, name: str) -> Any:
    if not isinstance(document, dict):
        return None
    return next((held for key, held in document.items() if key.lower() == name), None)


def _shown(name: str) -> str:
    """Return a name from outside as a message can hold it."""
    return name[:60].encode("ascii", "backslashreplace").decode().replace("\0", "\\0")
