"""What is written next is made while the database is at work: it has a processor of its own, or waits for its disk."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, TypeVar

from rgapp.provisioning.batch import Made
from rgapp.provisioning.cells import Line

# So many entries are made ahead, or one unit more, for memory's sake.
MOST_AHEAD: Final = 5_000

Result = TypeVar("Result")


@dataclass
class Unit:
    """Staged batches that are written together, each with the offset behind it.

    `lines` are theirs where they are people; where all of them are new, `made` are their accounts, until they are
    written, and `kept` is what their feed keeps of them.
    """

    staged: list[tuple[list[Any], int]]
    lines: list[Line] = field(default_factory=list)
    made: Made | None = None
    kept: Sequence[tuple[Any, ...]] = ()

    @property
    def batches(self) -> int:
        """Return how many batches these are."""
        return len(self.staged)

    @property
    def behind(self) -> int:
        """Return the offset behind the last one."""
        return self.staged[-1][1]

    @property
    def entries(self) -> list[Any]:
        """Return the entries of all of them."""
        return [entry for batch, _ in self.staged for entry in batch]


class Ahead:
    """The units of one staged file in their order, some of them made before they are asked for."""

    def __init__(
        self, staged: Iterator[tuple[list[Any], int]], make: Callable[[Unit], None], together: Callable[[], int]
    ) -> None:
        """Take the staged batches; `make` makes of a unit what can be made, `together` says how many batches it has."""
        self._staged = staged
        self._make = make
        self._together = together
        self._units: deque[Unit] = deque()
        self._waiting = 0

    def __iter__(self) -> Iterator[Unit]:
        """Yield the units; one that was made when more could be written together is shortened."""
        while self._units or self._next():
            unit, together = self._units.popleft(), self._together()
            if unit.batches > together:
                self._units.extendleft(Unit([batch]) for batch in reversed(unit.staged[together:]))
                unit = Unit(unit.staged[:together])
            if not unit.lines:
                self._make(unit)
            self._waiting -= len(unit.entries)
            yield unit

    def more(self) -> bool:
        """Make one more unit ahead; False where none is left, or enough are made."""
        return self._waiting < MOST_AHEAD and self._next()

    def _next(self) -> bool:
        unit = Unit(list(islice(self._staged, self._together())))
        if not unit.staged:
            return False
        self._make(unit)
        self._units.append(unit)
        self._waiting += len(unit.entries)
        return True


class Beside:
    """A thread beside this one, for one action at a time; use it as a context manager."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, "beside")

    def __enter__(self) -> "Beside":
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the thread."""
        self._pool.shutdown()

    def do(self, action: Callable[[], Result], meanwhile: Callable[[], bool]) -> Result:
        """Return what an action returns; until it has, do `meanwhile` again and again, as long as it returns True.

        Raises what either raises, and not before the action has ended: what it uses is nobody else's until then.
        """
        doing = self._pool.submit(copy_context().run, action)
        try:
            while not doing.done() and meanwhile():
                pass
        finally:
            wait([doing])
        return doing.result()
