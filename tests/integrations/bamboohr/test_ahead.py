"""Pages one ahead: in order, one at a time, and whoever leaves early waits for the one on its way."""

import threading
from contextlib import closing

import pytest

from rgapp.integrations.bamboohr import ahead
from rgapp.integrations.bamboohr.ahead import pages
from rgapp.integrations.bamboohr.calls import SignInAgain
from rgapp.integrations.bamboohr.datasets import Page
from rgapp.integrations.bamboohr.errors import BambooError


def page(number: int, last: int | None, *, size: int = 2) -> Page:
    return Page([{"n": f"{number}-{row}"} for row in range(size)], None, last)


@pytest.mark.parametrize("says_how_many", [True, False])
def test_pages_come_in_order_and_end(says_how_many: bool) -> None:
    asked = []

    def fetch(number: int) -> Page:
        asked.append(number)
        return page(number, 3 if says_how_many else None, size=1 if number == 3 else 2)

    found = list(pages(fetch, 2, lambda: None))
    assert [each.rows[0]["n"] for each in found if each] == ["1-0", "2-0", "3-0"]
    assert asked == [1, 2, 3]


def test_an_empty_page_and_none_are_the_last() -> None:
    assert list(pages(lambda number: None, 2, lambda: None)) == [None]
    found = list(pages(lambda number: Page([], 0, 5), 2, lambda: None))
    assert [each.rows for each in found if each] == [[]]


def test_who_leaves_early_waits_for_the_page_on_its_way() -> None:
    with closing(pages(lambda number: page(number, 9), 2, lambda: None)) as found:
        next(found)
        assert any(thread.name.startswith("pages") for thread in threading.enumerate())
    assert not any(thread.name.startswith("pages") for thread in threading.enumerate())


def test_pages_that_do_not_end_are_no_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "MOST_PAGES", 3)
    asked = []

    def fetch(number: int) -> Page:
        asked.append(number)
        return page(number, None)

    with pytest.raises(BambooError) as refused:
        list(pages(fetch, 2, lambda: None))
    assert refused.value.code == "too_large"
    assert asked == [1, 2, 3]


def test_an_error_comes_where_its_page_would() -> None:
    def fetch(number: int) -> Page:
        if number == 2:
            raise RuntimeError("cut")
        return page(number, 3)

    found = pages(fetch, 2, lambda: None)
    assert next(found) is not None
    with pytest.raises(RuntimeError, match="cut"):
        next(found)


def test_who_has_to_sign_in_again_does_it_in_the_reading_thread() -> None:
    threads: list[int] = []

    def fetch(number: int) -> Page:
        threads.append(threading.get_ident())
        if number == 2 and threads[-1] != threading.main_thread().ident:
            raise SignInAgain
        return page(number, 3)

    assert len(list(pages(fetch, 2, lambda: None))) == 3
    assert threads.count(threading.get_ident()) == 1


def test_who_waits_for_long_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "WAITS", 0.01)
    signs: list[int] = []
    done = threading.Event()

    def alive() -> None:
        signs.append(1)
        if len(signs) == 3:
            done.set()

    def fetch(number: int) -> Page:
        done.wait(10)
        return page(number, 1)

    assert len(list(pages(fetch, 2, alive))) == 1
    assert len(signs) >= 3
