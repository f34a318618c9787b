"""A feed of plain CSV with the least that a reader can do: what is measured with it is the engine."""

import csv
import hashlib
import random
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.population import FIRST_NAMES, LAST_NAMES, Names
from benchmarks.responses import FIRST, LAST
from rgapp.integrations.registry import KINDS
from rgapp.integrations.scim.kind import SCIM
from rgapp.integrations.sync.feed import ROWS_IN_BATCH, Damage, FeedContext, FeedRow, Pulled
from rgapp.models import Integration
from rgapp.provisioning import Field, FieldRule, Policy, Source, feed_policy

HEADER = ("Employee ID", "E-mail", "First name", "Last name", "Birthday")
RULES = {
    field: FieldRule(name, "%d/%m/%Y" if field is Field.DATE_OF_BIRTH else None)
    for field, name in zip(Field, HEADER, strict=True)
}


def write(path: Path, people: int, *, every: int = 0) -> None:
    """Write a file of so many people; with `every`, the last name of each so-manieth is another one."""
    chance = random.Random(1)  # noqa: S311 - the same people on every run.
    firsts, lasts = Names.made(FIRST, FIRST_NAMES, 2), Names.made(LAST, LAST_NAMES, 3)
    drawn = zip(firsts.drawn(chance, people), lasts.drawn(chance, people), strict=True)
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(HEADER)
        for number, (first, last) in enumerate(drawn):
            email = f"{first}.{last}.{number}@acme.example".lower().replace(" ", "").replace("’", "")
            born = f"{number % 28 + 1:02}/{number % 12 + 1:02}/{1950 + number % 50}"
            name = "Newname" if every and number % every == 0 else last
            out.writerow((f"E{number:07}", email, first, name, born))


class TableFeed:
    """The file, read with the csv module."""

    rules = RULES
    full = True
    share: float | None = None
    pulled: Pulled | None = None

    def __init__(self, path: Path) -> None:
        self._path = path

    def fetch(self) -> None:
        """Do nothing: the file is here."""

    def batches(self) -> Iterator[Sequence[FeedRow]]:
        """Yield the rows."""
        number = 1
        with self._path.open(newline="") as file:
            rows = csv.reader(file)
            next(rows)
            while found := list(islice(rows, ROWS_IN_BATCH)):
                yield [FeedRow(at, tuple(cells)) for at, cells in enumerate(found, number + 1) if cells]
                number += len(found)

    def damage(self) -> Damage:
        """Return nothing: the file is whole."""
        return Damage()

    def close(self) -> None:
        """Let go of nothing."""


class TableSource:
    """What opens the file."""

    pulls = False

    def open(self, context: FeedContext) -> TableFeed:
        """Open the file of a run."""
        assert context.path is not None  # noqa: S101 - runs here have files.
        return TableFeed(context.path)

    def policy(self, integration: Integration, settings: Mapping[str, Any]) -> Policy:
        """Let a run do everything."""
        return feed_policy(
            Source.SFTP, integration_id=integration.id, name=integration.name, owns=True, welcome_email=True
        )

    def holds_all(self, settings: Mapping[str, Any]) -> bool:
        """Hold everything."""
        return True

    def fingerprint(self, settings: Mapping[str, Any]) -> bytes:
        """Return the same each time."""
        return hashlib.blake2b(b"table", digest_size=16).digest()


class TableKind(SCIM):
    """A kind with the settings of another one, for which nobody asks here."""

    key = "table"
    feeds = TableSource()  # type: ignore[assignment]  # The kind it borrows from is no feed.


def register() -> None:
    """Make the kind known in this process."""
    KINDS[TableKind.key] = TableKind()
