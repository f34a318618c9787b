"""The shape of a feed: how a kind hands its file or pull over, row by row, and what it says of the whole at the end.

The engine reads a feed from its beginning to its end, and a second time only where rows contradict each other. It
validates, compares, decides and writes; a feed decides nothing but what stands in which cell.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from sqlalchemy.orm import Session

from rgapp.models import Integration, Programme
from rgapp.provisioning import Policy, Rules
from rgapp.sealing import Sealer

# What a batch holds at most: large enough that nothing is paid for each row, small enough to be forgotten.
ROWS_IN_BATCH = 1_000

# The text of a cell as it came, neither trimmed nor composed; a date where the format itself has dates (a spreadsheet);
# None where the source has nothing to say (the row is short of that cell, or the field is hidden from us).
Cell = str | date | None


class RowFault(StrEnum):
    """Why a whole row cannot be read; what is wrong with the value of one field, the engine finds itself."""

    TOO_FEW_CELLS = "too_few_cells"
    TOO_MANY_CELLS = "too_many_cells"
    BAD_BYTES = "bad_bytes"
    UNREADABLE_RECORD = "unreadable_record"
    STATUS = "unknown_status"


class RowProblem(NamedTuple):
    """Why a row cannot be read, at which column (the source's name; empty for the row as a whole), and what is there.

    Such a row is refused. A `listed` one is of somebody whom the source names while her own record cannot be had: she
    counts as present and unchanged, with a warning.
    """

    fault: RowFault
    column: str = ""
    value: str = ""
    listed: bool = False


class FeedRow(NamedTuple):
    """One row of a feed.

    `number` is the row's as people count it: the header of a file is row 1. `cells` are those of the mapped columns, in
    the order of `Feed.rules`. `active` is False for somebody who has left or has not begun, True where the source says
    that she is there, and None where it says neither (a file in which to stand is to be there). `key` is the source's
    own identifier of a person, where it has another one than the Membership No. A row with a problem still gives the
    cells that could be read: the Membership No. in it keeps its person present.
    """

    number: int
    cells: tuple[Cell, ...]
    active: bool | None = None
    key: str | None = None
    problem: RowProblem | None = None


@dataclass(frozen=True)
class Damage:
    """What is wrong with a feed as a whole, known once its last batch was read; a damaged one takes nobody out.

    `missing_columns` are mapped and not there, or there twice: the run is held. `unclosed_quote` is the number of the
    row in which a quote opens that never closes; `ragged_rows` counts the rows with too few or too many cells. Blank
    rows are neither rows nor damage.
    """

    missing_columns: tuple[str, ...] = ()
    unclosed_quote: int | None = None
    ragged_rows: int = 0

    def __bool__(self) -> bool:
        """Tell whether anything is wrong."""
        return bool(self.missing_columns) or self.unclosed_quote is not None or self.ragged_rows > 0


@dataclass(frozen=True)
class Pulled:
    """What a pull says of itself; it is kept with the run, and the next pull begins where it ended.

    `people` is how many are meant, `looked_at` of how many the fields were looked at, and `filled` how many of those
    have a value, by the source's name of the field. `marks` are the kind's own, plain JSON.
    """

    people: int
    looked_at: int
    filled: Mapping[str, int]
    marks: Mapping[str, Any] = field(default_factory=dict)

    def as_data(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return {
            "people": self.people,
            "looked_at": self.looked_at,
            "filled": dict(self.filled),
            "marks": dict(self.marks),
        }

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Pulled":
        """Read what `as_data` returned."""
        return cls(data["people"], data["looked_at"], data["filled"], data.get("marks", {}))


class FeedFailure(Exception):
    """A feed that cannot be read at all: the run has failed.

    `reason` is a code in snake_case ("not_a_format", "wrong_key", "incomplete_pull"), `data` what a message needs, and
    `sentence` the message itself, for the report and the command line.
    """

    def __init__(self, reason: str, sentence: str, **data: Any) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.sentence = sentence
        self.data = data


class Feed(Protocol):
    """One file or one pull, opened."""

    @property
    def rules(self) -> Rules:
        """Return where each mapped field comes from; its order is that of the cells, its names are for messages."""

    @property
    def full(self) -> bool:
        """Tell whether whoever is absent has left."""

    @property
    def share(self) -> float | None:
        """Return how much of it was read until now, from 0 to 1; None where that cannot be said."""

    @property
    def pulled(self) -> Pulled | None:
        """Return what a pull says of itself, once it was fetched; None for a file."""

    def fetch(self) -> None:
        """Bring a pull onto the disk, all of it, or what is there already; nothing for a file.

        Raises `FeedFailure`.
        """

    def batches(self) -> Iterator[Sequence[FeedRow]]:
        """Yield the rows in order, from the first each time, at most `ROWS_IN_BATCH` at once and no batch empty.

        Rows with nothing but blank cells are left out. Where mapped columns are missing, nothing is yielded. Raises
        `FeedFailure`, also in the middle.
        """

    def damage(self) -> Damage:
        """Return what is wrong with the whole, after `batches()` came to its end."""

    def close(self) -> None:
        """Let go of files; called once, also after a failure."""


def _nothing(share: float | None) -> None:
    """Nobody watches."""


def _nobody(keys: Collection[str]) -> Collection[str]:
    """Know nobody."""
    return ()


@dataclass(frozen=True)
class FeedContext:
    """What a kind needs to open the feed of one run.

    `path` is the file as it arrived and `name` what its sender called it; both are empty for a pull. `settings` are
    those that count for this run. `wants_full` forces a full pull. `folder` is a private place for this run alone; what
    is left in it is deleted with the run's end. What is left in `kept` stays until the run is settled: a run that is
    taken up again, or that was held and is `released`, is about the same people. `earlier` is what the latest run that
    was applied under the same settings said of itself. `alive` is to be called now and then during a long wait, with
    the share that was read; it may raise. `known` tells who of some keys were there after the run before.
    `outbound_allow` are the origins that may be reached although they are private, and `session` is that of the run,
    outside any transaction.
    """

    programme: Programme
    integration: Integration
    settings: Mapping[str, Any]
    path: Path | None
    name: str
    folder: Path
    sealer: Sealer
    now: datetime
    wants_full: bool = False
    kept: Path | None = None
    released: bool = False
    earlier: Pulled | None = None
    alive: Callable[[float | None], None] = _nothing
    known: Callable[[Collection[str]], Collection[str]] = _nobody
    outbound_allow: frozenset[str] = frozenset()
    session: Session | None = None


class FeedSource(Protocol):
    """What a kind of integration brings to be a feed: its `feeds` in the registry."""

    @property
    def pulls(self) -> bool:
        """Tell whether we fetch from the other side, rather than wait for its files."""

    def open(self, context: FeedContext) -> Feed:
        """Open a file or a pull; nothing has to be read yet.

        Raises `FeedFailure`.
        """

    def policy(self, integration: Integration, settings: Mapping[str, Any]) -> Policy:
        """Return what a run may do."""

    def holds_all(self, settings: Mapping[str, Any]) -> bool:
        """Tell whether a held run holds everything (`hold: everything`), or its deactivations only."""

    def fingerprint(self, settings: Mapping[str, Any]) -> bytes:
        """Return 16 bytes that identify how rows are read: where they change, no row counts as unchanged."""
