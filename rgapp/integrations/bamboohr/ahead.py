"""Pages one ahead: while the rows of one are gone through, the next is on its way, asked for by a thread of its own.

That thread asks and does nothing else: what touches the database, such as a token that has to be renewed, is left to
the thread that reads.
"""

from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillWaiting
from typing import Final

from rgapp.integrations.bamboohr.calls import SignInAgain
from rgapp.integrations.bamboohr.datasets import MOST_PAGES, Page
from rgapp.integrations.bamboohr.errors import BambooError

WAITS: Final = 10.0


def pages(fetch: Callable[[int], Page | None], size: int, alive: Callable[[], None]) -> Generator[Page | None]:
    """Yield the pages of a dataset in order, from the first; `alive` is called now and then while one is waited for.

    A page that is None is the last. Whoever leaves before the end closes the generator: that waits for the page that is
    on its way. Raises what `fetch` raises, and `BambooError` where the pages do not end.
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="pages") as executor:
        waiting: Future[Page | None] | None = executor.submit(fetch, 1)
        for number in range(1, MOST_PAGES + 1):
            assert waiting is not None  # noqa: S101 - there is a next one below, or an end.
            try:
                page = _result(waiting, alive)
            except SignInAgain:
                page = fetch(number)
            is_last = page is None or not page.rows
            if page is not None and not is_last:
                is_last = number >= page.pages if page.pages is not None else len(page.rows) < size
            waiting = None if is_last or number == MOST_PAGES else executor.submit(fetch, number + 1)
            yield page
            if is_last:
                return
        # What was left out would seem to have left.
        raise BambooError("too_large")


def _result(waiting: "Future[Page | None]", alive: Callable[[], None]) -> Page | None:
    while True:
        try:
            return waiting.result(timeout=WAITS)
        except StillWaiting:
            if waiting.done():
                raise
            alive()
