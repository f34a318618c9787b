"""Words for times, dates, counts and names."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask, g

from rgapp import templating

NOW = datetime(2026, 5, 3, 13, 5, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ahead", "words"),
    [
        (timedelta(seconds=-20), "just now"),
        (timedelta(seconds=-50), "1 minute ago"),
        (timedelta(minutes=-59), "59 minutes ago"),
        (timedelta(hours=-3), "3 hours ago"),
        (timedelta(days=-1), "1 day ago"),
        (timedelta(days=12, hours=1), "in 12 days"),
        (timedelta(days=-97), "26 January 2026"),
    ],
)
def test_a_relative_time_says_what_a_person_would(ahead: timedelta, words: str, bare_app: Flask) -> None:
    with bare_app.app_context():
        assert templating.relative_time(NOW + ahead, NOW) == words


def test_an_exact_time_is_in_the_zone_that_is_asked_for(bare_app: Flask) -> None:
    with bare_app.app_context():
        assert templating.exact_time(NOW, "Europe/London") == "3 May 2026, 14:05:09 BST"
        assert templating.exact_time(NOW) == "3 May 2026, 13:05:09 UTC"
        g.zone = ZoneInfo("America/New_York")
        assert templating.exact_time(NOW) == "3 May 2026, 09:05:09 EDT"


def test_a_long_date_cannot_be_read_two_ways() -> None:
    assert templating.long_date(date(1990, 4, 3)) == "3 April 1990"


@pytest.mark.parametrize(("count", "words"), [(0, "0 people"), (1, "1 person"), (12480, "12,480 people")])
def test_a_count_has_its_noun_in_the_right_form(count: int, words: str) -> None:
    assert templating.counted(count, "person", "people") == words


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Okta", "Ok"), ("Google Workspace", "GW"), ("ADFS", "Ad"), ("Željezo", "Že"), ("", "?"), ("→", "?")],
)
def test_a_monogram_stands_for_any_name(name: str, letters: str) -> None:
    assert templating.monogram(name) == letters


def test_clipped_text_never_exceeds_its_limit_and_shows_that_it_was_cut() -> None:
    assert templating.clip("short", 60) == "short"
    assert templating.clip("Welcome to the rewards of Acme", 20) == "Welcome to the…"
    assert len(templating.clip("x" * 100, 60)) == 60


def test_an_icon_without_a_label_is_hidden_from_screen_readers() -> None:
    assert 'aria-hidden="true"' in templating.icon("check")
    assert 'role="img" aria-label="&lt;b&gt;"' in templating.icon("check", "<b>")


def test_an_unknown_icon_is_an_error() -> None:
    with pytest.raises(KeyError):
        templating.icon("no-such-icon")


def test_two_texts_without_latin_letters_get_two_ids() -> None:
    assert templating.dom_id("E-mail of HR") == "e-mail-of-hr"
    assert templating.dom_id("生年月日") != templating.dom_id("氏名")
