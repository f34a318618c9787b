"""Which rows of last time have come again: nine bytes each, for there may be a million of them."""

from array import array
from bisect import bisect_left


class Expected:
    """The marks of rows as they came last, 64 bits each, until they come again."""

    __slots__ = ("_came", "_left", "_marks")

    def __init__(self, marks: "array[int]") -> None:
        """Expect what has one of these marks, each once; they come in any order."""
        self._marks = array("q", sorted(marks))
        self._came = bytearray(len(self._marks))
        self._left = len(self._marks)

    def meet(self, mark: int) -> bool:
        """Tell whether a mark was still expected; from now on it is not."""
        at = self._place(mark)
        if at is None:
            return False
        self._came[at] = 1
        self._left -= 1
        return True

    def __contains__(self, mark: int) -> bool:
        """Tell whether a mark is still expected."""
        return self._place(mark) is not None

    def __len__(self) -> int:
        """Return how many are still expected."""
        return self._left

    def _place(self, mark: int) -> int | None:
        at = bisect_left(self._marks, mark)
        there = at < len(self._marks) and self._marks[at] == mark and not self._came[at]
        return at if there else None
