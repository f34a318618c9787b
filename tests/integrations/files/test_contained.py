"""The programs that run by themselves: what they make of cells and of a library's messages."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from rgapp.integrations.files.contained import decrypt, sheet


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("Jane", "Jane"),
        (True, "TRUE"),
        (False, "FALSE"),
        (123, "123"),
        (123.0, "123"),
        (1200.0, "1200"),
        (-0.0, "0"),
        (1.5, "1.5"),
        (1e15, "1000000000000000"),
        (1e-7, "0.0000001"),
        (1e300, {"x": "1" + "0" * 300}),
        (float("nan"), {"x": "nan"}),
        (float("inf"), {"x": "inf"}),
        (9007199254740992.0, {"x": "9007199254740992"}),
        (date(1990, 4, 3), {"d": "1990-04-03"}),
        (datetime(1990, 4, 3, 23, 59), {"d": "1990-04-03"}),  # noqa: DTZ001 - spreadsheets have no zones.
        (time(12, 30), {"x": "12:30:00"}),
        (timedelta(hours=30), {"x": "1 day, 6:00:00"}),
    ],
)
def test_cell_is_read_as_people_see_it(cell: Any, text: Any) -> None:
    assert sheet.text_of(cell) == text


@pytest.mark.parametrize(("letters", "index"), [("A", 0), ("Z", 25), ("AA", 26), ("XFD", 16383)])
def test_letters_are_columns(letters: str, index: int) -> None:
    assert sheet.column_index(letters) == index


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("No key to decrypt message", "wrong_key"),
        ("Missing session key: No session key decrypted", "wrong_key"),
        ("Malformed Message: Malformed OpenPGP message", "not_openpgp"),
        ("Reading input: EOF", "not_openpgp"),
        ("No space left on device (os error 28)", "no_space"),
        ("File too large (os error 27)", "too_large_unpacked"),
        ("Manipulated message\n\nStack backtrace: unexpected EOF", "damaged_message"),
    ],
)
def test_what_the_library_says_has_a_reason(message: str, reason: str) -> None:
    assert decrypt.verdict_of(message) == reason
