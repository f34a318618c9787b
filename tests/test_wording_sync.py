"""Words for runs: one of something is not several."""

from typing import Any

import pytest

from rgapp.wording_sync import reason_words


@pytest.mark.parametrize(
    ("reason", "facts", "words"),
    [
        (
            "guard",
            {"removals": 1, "recent": 6, "active": 60, "percent": 10, "people": 1},
            "It would take out 1 person, after 6 since yesterday, of 60 who were active. More than 1 person and more "
            "than 10 % of them are not usual here.",
        ),
        (
            "no_overlap",
            {"people": 1},
            "None of the people whom this integration has brought is in it (1 person). It may be another company’s.",
        ),
        ("mostly_refused", {"refused": 1, "rows": 1}, "1 of 1 row is refused, which is more than half."),
        ("mostly_refused", {"refused": 3, "rows": 4}, "3 of 4 rows are refused, which is more than half."),
        ("mostly_refused", {}, "… of … are refused, which is more than half."),
    ],
)
def test_one_is_not_several(reason: str, facts: dict[str, Any], words: str) -> None:
    assert reason_words(reason, facts) == words
