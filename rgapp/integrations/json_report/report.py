"""One HTTP JSON report: fetched from its address, and the list of people in it, found by JSONPath (RFC 9535).

Of JSONPath, what goes through an answer once is taken: filters, unions and paths that skip levels again and again could
keep a process busy for days, with a pattern or with more results than there is memory.
"""

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import jsonpath
from jsonpath.segments import JSONPathRecursiveDescentSegment
from jsonpath.selectors import IndexSelector, NameSelector, SliceSelector, WildcardSelector

from rgapp.integrations.pulls.access import Secrets
from rgapp.integrations.pulls.account import AccountError, AccountField, offered
from rgapp.integrations.pulls.values import text
from rgapp.integrations.sync.work import shown
from rgapp.outbound import Answer, Client, OutboundError
from rgapp.outbound.client import MOST_TRIES

# Reports are made when they are asked for, which takes its time.
SECONDS: Final = 120.0
LOOKED_AT: Final = 100
PLAIN: Final = (NameSelector, IndexSelector, SliceSelector, WildcardSelector)
LARGEST: Final = 256 * 1024 * 1024
SENTENCES: Final = {
    "wrong_key": "The report’s server does not accept the user name and password, or the token.",
    "no_permission": "The report’s server lets us in, but not to this report.",
    "no_such_report": "There is no report at this address.",
    "no_list": "The answer holds no list of people at the path that was given.",
    "bad_path": "The path to the list may name keys, positions and * only, and skip levels with .. once.",
    "later": "The report’s server asks us to wait. We come back later.",
    "unknown_host": "No server with this name was found. Check the address for a typing error.",
    "needs_https": "The address has to begin with https://.",
    "redirect": "The address leads on to another one. Give that one: we do not follow it.",
    "garbage": "What answers at this address is no JSON.",
    "private": "The address leads into a private network, which only the operator can allow.",
    "tls": "The certificate of the report’s server could not be verified.",
    "timeout": "The report’s server took too long to answer.",
    "too_large": "The report is larger than we take.",
}
OTHERWISE: Final = "The report’s server could not be reached, or answered with an error."


class ReportError(AccountError):
    """The report cannot be read."""

    def __init__(self, code: str, **data: Any) -> None:
        super().__init__(code, SENTENCES.get(code, OTHERWISE))
        self.data = data


class Report:
    """The report at an address, opened with what is kept for it."""

    def __init__(
        self,
        url: str,
        path: str,
        secrets: Secrets | None,
        *,
        allow: frozenset[str],
        alive: Callable[[], None] = lambda: None,
        seconds: float = SECONDS,
        tries: int = MOST_TRIES,
    ) -> None:
        parts = urlsplit(url)
        self._path, self._query = path, f"?{parts.query}" if parts.query else ""
        self._target = (parts.path or "/") + self._query
        self.client = Client(
            f"{parts.scheme}://{parts.netloc}", allow=allow, seconds=seconds, tries=tries, largest=LARGEST, alive=alive,
            headers=_signed(secrets),
        )  # fmt: skip

    def close(self) -> None:
        """Let go of the connection."""
        self.client.close()

    def people(self, fields: Sequence[str] = (), *, most: int = 0) -> list[Mapping[str, str]]:
        """Return these fields of a few people; a field that is empty is left out.

        Raises `ReportError`.
        """
        entries = self.read()
        people = [{name: text(each.get(name)) for name in fields} for each in entries[:most] if isinstance(each, dict)]
        return [{name: shown(value) for name, value in each.items() if value} for each in people]

    def check(self) -> None:
        """Make sure that the list can be read.

        Raises `ReportError`.
        """
        self.read()

    def fields(self) -> list[AccountField]:
        """Return the keys of the first people; their labels are the keys.

        Raises `ReportError`.
        """
        entries = [each for each in self.read()[:LOOKED_AT] if isinstance(each, dict)]
        return offered(AccountField(name, name) for name in dict.fromkeys(key for each in entries for key in each))

    def read(self) -> list[Any]:
        """Return the entries of the list, which is fetched once.

        Raises `ReportError`.
        """
        if self._entries is None:
            self._entries, _ = self.read_new({})
        return self._entries or []

    _entries: list[Any] | None = None

    def read_new(self, known: Mapping[str, str]) -> tuple[list[Any] | None, dict[str, str]]:
        """Return the entries, and what tells this answer from another one; None for entries where it is `known`.

        Raises `ReportError`.
        """
        answer = self._ask(known)
        marks = {name: answer.headers[name] for name in ("ETag", "Last-Modified") if name in answer.headers}
        if answer.status == 304:
            if not known:  # Nobody asked whether it had changed: this is no answer.
                raise ReportError("refused", status=304)
            return None, dict(known)
        found = _found(self._path or "$", answer.data)
        entries = found[0] if len(found) == 1 and isinstance(found[0], list) else found
        if not found or not all(isinstance(each, dict) for each in entries[:1]) or entries == [answer.data]:
            raise ReportError("no_list")
        return entries, marks

    def _ask(self, known: Mapping[str, str]) -> Answer:
        names = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}
        self.client.headers |= {names[name]: value for name, value in known.items()}
        try:
            answer = self.client.get(self._target)
        except OutboundError as error:
            raise ReportError(error.code, **error.data) from error
        finally:
            self.client.close()
        refused = {401: "wrong_key", 403: "no_permission", 404: "no_such_report"}
        if answer.status >= 400:
            raise ReportError(refused.get(answer.status, "refused"), status=answer.status)
        return answer


def _found(path: str, data: Any) -> list[Any]:
    """Return what is at a path.

    Raises `ReportError`.
    """
    try:
        query = jsonpath.compile(path)
        if not isinstance(query, jsonpath.JSONPath) or not _is_plain(query):
            raise ReportError("bad_path")
        return query.findall(data)
    except (jsonpath.JSONPathError, re.error, RecursionError) as error:
        raise ReportError("no_list") from error


def _is_plain(query: jsonpath.JSONPath) -> bool:
    skips = sum(isinstance(each, JSONPathRecursiveDescentSegment) for each in query.segments)
    kinds = [each.selectors for each in query.segments]
    return skips <= 1 and all(len(each) == 1 and isinstance(each[0], PLAIN) for each in kinds)


def _signed(secrets: Secrets | None) -> dict[str, str]:
    if secrets is None:
        return {}
    if secrets.method == "bearer":
        return {"Authorization": f"Bearer {secrets.values['token']}"}
    pair = f"{secrets.values['username']}:{secrets.values['password']}".encode()
    return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
