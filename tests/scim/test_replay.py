"""What replays conversations: it finds every mismatch, so that a story without one is worth something."""

import json
from typing import Any

import pytest

from tests.scim.conversations import ERROR, MEDIA_TYPE, Answer, Sent, Story, replay, stories

PEOPLE = [{"membership_no": "E1", "status": "active", "email": "ada@acme.example"}]
SCIM = {"content-type": f"{MEDIA_TYPE}; charset=utf-8"}


def mismatches(*steps: dict[str, Any], answers: list[Answer], sent: list[Sent] | None = None) -> list[str]:
    """Return what is found when steps get these answers."""
    left = iter(answers)

    def send(request: Sent) -> Answer:
        if sent is not None:
            sent.append(request)
        return next(left)

    named = [{"name": "it", "method": "GET", "path": "/Users", "status": 200} | step for step in steps]
    return replay(Story("a", "Entra", "", "", named), send, lambda: PEOPLE)


def found(step: dict[str, Any], answer: Answer) -> list[str]:
    """Return what is found in one step, without where."""
    return [line.removeprefix("a, step 1 (it): ") for line in mismatches(step, answers=[answer])]


@pytest.mark.parametrize(
    ("step", "answer", "lines"),
    [
        ({}, Answer(200, SCIM, {"more": 1}), []),
        ({"status": [200, 204]}, Answer(204, {}, None), []),
        ({}, Answer(204, {}, None), ["status 204 instead of 200: None"]),
        ({"status": 204}, Answer(204, SCIM, {}), ["204 with a body"]),
        ({}, Answer(200, {"content-type": "text/html"}, "x"), [f"text/html instead of {MEDIA_TYPE}"]),
        ({"status": 404}, Answer(404, SCIM, {"schemas": [ERROR], "status": "404"}), []),
        ({"status": 404}, Answer(404, SCIM, {"status": 404}), ["no error of SCIM: {'status': 404}"]),
        ({"expect": {"a": {"b": [1]}}}, Answer(200, SCIM, {"a": {"b": [1], "c": 2}}), []),
        ({"expect": {"a": {"b": [1]}}}, Answer(200, SCIM, {"a": {"b": [2]}}), ["a.b.0 is 2 instead of 1"]),
        ({"expect": {"a": [1]}}, Answer(200, SCIM, {"a": [1, 2]}), ["a is [1, 2] instead of [1]"]),
        ({"expect": {"a": 1}}, Answer(200, SCIM, {}), ["a is None instead of 1"]),
        ({"present": ["a/0/b", "c"]}, Answer(200, SCIM, {"a": [{"b": 1}]}), ["c is missing"]),
        ({"absent": ["a", "b"]}, Answer(200, SCIM, {"a": 1}), ["a must not be there"]),
        ({"accounts": [PEOPLE[0]]}, Answer(200, SCIM, {}), []),
        ({"accounts": [{"membership_no": "E2", "absent": True}]}, Answer(200, SCIM, {}), []),
        ({"accounts": [{"membership_no": "E2"}]}, Answer(200, SCIM, {}), ["there is no account E2"]),
        ({"accounts": [{"membership_no": "E1", "absent": True}]}, Answer(200, SCIM, {}), ["there is an account E1"]),
        (
            {"accounts": [{"membership_no": "E1", "status": "leaver"}]},
            Answer(200, SCIM, {}),
            ["account E1.status is 'active' instead of 'leaver'"],
        ),
    ],
)
def test_every_mismatch_is_found(step: dict[str, Any], answer: Answer, lines: list[str]) -> None:
    """Of the status, the form, the body and the accounts."""
    assert found(step, answer) == lines


def test_what_was_captured_is_used_later() -> None:
    """In paths, queries and bodies; a step that needs what was not captured is a mismatch."""
    sent: list[Sent] = []
    lines = mismatches(
        {"capture": {"ada": "id"}},
        {"method": "PATCH", "path": "/Users/{{ada}}", "query": {"filter": 'id eq "{{ada}}"'}, "body": ["{{ada}}"]},
        {"path": "/Users/{{bob}}"},
        answers=[Answer(200, SCIM, {"id": "7"}), Answer(200, SCIM, {})],
        sent=sent,
    )
    assert sent[1] == Sent("PATCH", "/Users/7?filter=id+eq+%227%22", f"{MEDIA_TYPE}; charset=utf-8", ["7"])
    assert lines == ["a, step 3 (it): not taken, nothing was captured as 'bob'"]


def test_every_story_can_be_told() -> None:
    """Whatever a step uses, a step before it captured; each has a status to come to, and a reason to be there."""
    told = stories()
    assert {story.client for story in told} == {"Entra", "Okta"}
    for story in told:
        assert story.about.endswith(".")
        known: set[str] = set()
        for step in story.steps:
            used = json.dumps({name: value for name, value in step.items() if name != "capture"})
            for part in used.split("{{")[1:]:
                assert part.partition("}}")[0] in known, (story.name, step["name"])
            known |= set(step.get("capture", {}))
