"""Conversations that SCIM clients have with a service, kept as data, and what replays them over HTTP, step by step."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

import urllib3

FOLDER = Path(__file__).parent.parent / "fixtures" / "scim" / "conversations"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
MEDIA_TYPE = "application/scim+json"
#: How each client writes to its service.
HABITS = {
    "Entra": ("application/scim+json; charset=utf-8", quote_plus),
    "Okta": ("application/scim+json", quote),
}
_PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")


@dataclass(frozen=True)
class Answer:
    """What came back: the status, the headers under names in lower case, the decoded body or None."""

    status: int
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True)
class Sent:
    """What goes out; `path` is below the base URL, with the query."""

    method: str
    path: str
    content_type: str
    body: Any


Send = Callable[[Sent], Answer]
#: Returns the people of the programme as `flask user list --json` has them.
People = Callable[[], list[dict[str, Any]]]


@dataclass(frozen=True)
class Story:
    """One file: the steps of one client, in order; each stands on those before it."""

    name: str
    client: str
    about: str
    source: str
    steps: list[dict[str, Any]]


def stories() -> list[Story]:
    """Return every story there is, by client and number."""
    return [
        Story(name=f"{file.parent.name}/{file.stem}", **json.loads(file.read_text()))
        for file in sorted(FOLDER.glob("*/*.json"))
    ]


def over_http(base_url: str, token: str) -> Send:
    """Return a sender that speaks to a running service."""
    pool = urllib3.PoolManager(retries=False, timeout=60)

    def send(sent: Sent) -> Answer:
        answer = pool.request(
            sent.method, base_url + sent.path, body=_encoded(sent.body), headers=_headers(sent, token), redirect=False
        )
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Answer(answer.status, headers, _decoded(answer.data))

    return send


def replay(story: Story, send: Send, people: People) -> list[str]:
    """Replay a story; returns every mismatch with the step it belongs to, none when all is as it should be."""
    replaying = _Replay(story, send, people)
    for number, step in enumerate(story.steps, 1):
        replaying.take(f"{story.name}, step {number} ({step['name']})", step)
    return replaying.mismatches


@dataclass
class _Replay:
    story: Story
    send: Send
    people: People
    captured: dict[str, str] = field(default_factory=dict)
    mismatches: list[str] = field(default_factory=list)

    def take(self, where: str, step: dict[str, Any]) -> None:
        """Take one step and compare what comes of it."""
        try:
            step = self._filled(step)
        except KeyError as missing:
            self.mismatches.append(f"{where}: not taken, nothing was captured as {missing}")
            return
        content_type, encode = HABITS[self.story.client]
        query = urlencode(step["query"], quote_via=encode) if "query" in step else ""
        path = step["path"] + (f"?{query}" if query else "")
        answer = self.send(Sent(step["method"], path, content_type, step.get("body")))
        wanted = step["status"] if isinstance(step["status"], list) else [step["status"]]
        found = _form(answer)
        if answer.status in wanted:
            found += self._body(step, answer.body)
        else:
            found.insert(0, f"status {answer.status} instead of {step['status']}: {answer.body}")
        found += self._accounts(step.get("accounts", []))
        self.mismatches += [f"{where}: {mismatch}" for mismatch in found]

    def _body(self, step: dict[str, Any], body: Any) -> list[str]:
        """Compare a body with what it has to hold and must not hold, and keep of it what later steps need."""
        found = _differences("", step["expect"], body) if "expect" in step else []
        found += [f"{path} is missing" for path in step.get("present", []) if _at(body, path) is None]
        found += [f"{path} must not be there" for path in step.get("absent", []) if _at(body, path) is not None]
        captured = {name: _at(body, path) for name, path in step.get("capture", {}).items()}
        self.captured |= {name: value for name, value in captured.items() if isinstance(value, str)}
        return found

    def _filled(self, value: Any) -> Any:
        """Put captured values in place; raises KeyError for one that was not captured."""
        if isinstance(value, dict):
            return {self._filled(name): self._filled(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self._filled(item) for item in value]
        if isinstance(value, str):
            return _PLACEHOLDER.sub(lambda found: self.captured[found[1]], value)
        return value

    def _accounts(self, wanted: list[dict[str, Any]]) -> list[str]:
        if not wanted:
            return []
        there = {person["membership_no"]: person for person in self.people()}
        found = []
        for account in wanted:
            number = account["membership_no"]
            person = there.get(number)
            if account.get("absent"):
                found += [f"there is an account {number}"] if person else []
            elif person is None:
                found.append(f"there is no account {number}")
            else:
                found += _differences(f"account {number}", account, person)
        return found


def _form(answer: Answer) -> list[str]:
    """Compare an answer with what all of them have in common (RFC 7644, sections 3.1 and 3.12)."""
    found = []
    if answer.status == 204 and answer.body is not None:
        found.append("204 with a body")
    if answer.body is not None and answer.headers.get("content-type", "").partition(";")[0] != MEDIA_TYPE:
        found.append(f"{answer.headers.get('content-type')} instead of {MEDIA_TYPE}")
    if answer.status >= 400:
        body = answer.body if isinstance(answer.body, dict) else {}
        if ERROR not in body.get("schemas", []) or body.get("status") != str(answer.status):
            found.append(f"no error of SCIM: {answer.body}")
    return found


def _differences(where: str, wanted: Any, found: Any) -> list[str]:
    """Compare what has to be there with what is there: members may be more, entries of a list may not."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        return [
            line
            for name, value in wanted.items()
            for line in _differences(f"{where}.{name}".lstrip("."), value, found.get(name))
        ]
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        return [
            line
            for number, (value, there) in enumerate(zip(wanted, found, strict=True))
            for line in _differences(f"{where}.{number}".lstrip("."), value, there)
        ]
    return [] if wanted == found else [f"{where or 'the body'} is {found!r} instead of {wanted!r}"]


def _at(body: Any, path: str) -> Any:
    """Return what is at a path such as `Resources/0/id`, None where nothing is."""
    for name in path.split("/"):
        if isinstance(body, list):
            body = body[int(name)] if name.isdigit() and int(name) < len(body) else None
        else:
            body = body.get(name) if isinstance(body, dict) else None
    return body


def _headers(sent: Sent, token: str) -> dict[str, str]:
    headers = {"Authorization": f"Bearer {token}", "Accept": MEDIA_TYPE}
    return headers | ({"Content-Type": sent.content_type} if sent.body is not None else {})


def _encoded(body: Any) -> bytes | None:
    return None if body is None else json.dumps(body).encode()


def _decoded(data: bytes) -> Any:
    """Return a body as JSON, as text where it is none, and None where there is none."""
    if not data:
        return None
    try:
        return json.loads(data)
    except ValueError:
        return data.decode("utf-8", "replace")
