"""The first pass over a feed: everything is read, validated, compared and decided, and nothing is written.

What would have to be written is staged in files beside the run.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, NamedTuple

from rgapp.database import reading
from rgapp.integrations.sync import stage
from rgapp.integrations.sync.contradictions import Marks, address_of, as_identifier
from rgapp.integrations.sync.expected import Expected
from rgapp.integrations.sync.feed import Feed, FeedRow
from rgapp.integrations.sync.holds import Seen
from rgapp.integrations.sync.known import KnownPeople, Record, is_kept
from rgapp.integrations.sync.problems import Problems
from rgapp.integrations.sync.reading import ReadRow, RowReader, is_unreadable
from rgapp.integrations.sync.work import Work
from rgapp.provisioning.batch import Batches, Decided
from rgapp.provisioning.batch_matching import NOBODY, Known, find_many, is_anybody_there, left_by_hand
from rgapp.provisioning.cells import Line
from rgapp.provisioning.matching import Match
from rgapp.provisioning.record import OutcomeKind, Refusal

# So many people may change addresses with each other in one run; more are not a swap but a mistake.
MOST_TANGLED: Final = 10_000


class Fate(IntEnum):
    """What the check found a row to mean, kept in a byte each; a staged one is unchanged, but something is kept."""

    UNCHANGED = 0
    CREATED = 1
    UPDATED = 2
    REACTIVATED = 3
    DEACTIVATED = 4
    REFUSED = 5
    REPEATED = 6
    STAGED = 7


FATE_OF: Final = {
    OutcomeKind.UNCHANGED: Fate.UNCHANGED,
    OutcomeKind.CREATED: Fate.CREATED,
    OutcomeKind.UPDATED: Fate.UPDATED,
    OutcomeKind.REACTIVATED: Fate.REACTIVATED,
    OutcomeKind.DEACTIVATED: Fate.DEACTIVATED,
    OutcomeKind.REJECTED: Fate.REFUSED,
}


class Tangled(NamedTuple):
    """A line whose address somebody holds who may give it up in the same run."""

    at: int
    line: Line
    holder: str


@dataclass
class Pass:
    """What the pass over the rows leaves for the conclusions.

    `expected` are those whose row did not come again as it was; `present` marks the keys that came all the same,
    and `moved` are accounts, in hex, that came under a key that is new to the feed.
    `nameless` is the first row whose Membership No. cannot be read, `flawed_before` how many people had a row of which
    something was left out.
    """

    seen: Seen
    expected: Expected
    fates: bytearray = field(default_factory=bytearray)
    row_numbers: "array[int]" = field(default_factory=lambda: array("I"))
    numbers: Marks = field(default_factory=Marks)
    addresses: Marks = field(default_factory=Marks)
    present: set[int] = field(default_factory=set)
    moved: set[str] = field(default_factory=set)
    nameless: int | None = None
    flawed_before: int = 0
    tangled: list[Tangled] = field(default_factory=list)


class Checker:
    """Goes through the rows of one feed, once."""

    def __init__(
        self,
        work: Work,
        feed: Feed,
        rows: RowReader,
        batches: Batches,
        known: KnownPeople,
        seen: Seen,
        *,
        remapped: bool = False,
    ) -> None:
        self._work = work
        self._feed = feed
        self._rows = rows
        self._batches = batches
        self._known = known
        self._problems = Problems(work, feed.rules)
        self._remapped = remapped
        self._pass = Pass(seen, Expected(array("q")))
        self._anybody = True

    def go(self) -> Pass:
        """Read to the end. Commits while it goes: progress, and what was found wrong.

        Raises `FeedFailure` and `LeaseLost`.
        """
        work, found = self._work, self._pass
        with reading():
            of_all = found.seen.full or self._feed.pulled is None  # Of few changes each is looked up by itself.
            found.expected, found.seen.people_before = self._known.expected() if of_all else self._known.unexpected()
            self._anybody = is_anybody_there(work.session, work.programme_id)
            found.flawed_before = found.seen.people_before - len(found.expected)
            work.session.rollback()
        for batch in self._feed.batches():
            self._take(batch)
            work.counts.row_count = len(found.fates)
            work.counts.share = int((self._feed.share or 0) * 100)
            work.counts.refused = found.seen.refused
            if work.is_time():
                work.keep()
                work.session.commit()
                work.said()
        found.seen.damage = self._feed.damage()
        found.seen.rows = len(found.fates)
        return found

    def _take(self, batch: Sequence[FeedRow]) -> None:
        """Take one batch: rows that came so before are done, the others are read and decided about."""
        found, rows = self._pass, self._rows
        meet, number_at, address_at = found.expected.meet, rows.at[0], rows.at[1]
        note_number, note_address = found.numbers.values.append, found.addresses.values.append
        met, changed = 0, []
        start = len(found.fates)
        for index, row in enumerate(batch, start):
            number = as_identifier(row.cells[number_at]) if len(row.cells) > number_at else ""
            address = address_of(row, address_at)
            # Numbers of rows stand for what is empty: no two rows have the same.
            note_number(hash(number) if number else index)
            note_address(hash(address) if address else index)
            if row.problem is not None:
                changed.append((index, row, b"", number))
                continue
            digest = rows.digest_of(row)
            if meet(hash(digest)):
                met += 1
            else:
                changed.append((index, row, digest, number))
        found.fates.extend(bytes(len(batch)))
        found.row_numbers.extend(row.number for row in batch)
        found.seen.people_met += met
        if changed:
            with reading():
                self._look_at(changed)
                self._work.session.rollback()

    def _look_at(self, changed: Sequence[tuple[int, FeedRow, bytes, str]]) -> None:
        found = self._pass
        read: list[ReadRow] = []
        strangers: set[str] = set()
        keys = {row.key if row.key is not None else number for _, row, _, number in changed}
        records = self._known.records(keys - {""}) if found.seen.people_before else {}
        found.seen.people_met += sum(record.present for record in records.values())
        for index, row, digest, number in changed:
            key = row.key if row.key is not None else number
            if records:
                found.present.add(hash(key))
            if row.problem is not None:
                named = self._take_faulty(index, row, number)
                if named is not None and key not in records:
                    strangers.add(named)
                continue
            each = self._rows.read(index, row, digest)
            found.seen.looked_at += 1
            if each.flaws:
                self._count_columns(each)
            if each.key is None:
                found.nameless = found.nameless or row.number
                self._refuse(each)
            else:
                read.append(each)
        if found.seen.people_before:
            found.moved |= self._known.numbered(strangers)
        lines = [self._line(each, records.get(str(each.key))) for each in read]
        matches = [NOBODY] * len(lines)
        if self._anybody:
            matches = find_many(self._work.session, self._work.programme_id, lines)
        lines = self._stay_out(lines, matches, records)
        decided = self._batches.decide(self._work.session, lines, matches=matches)
        for each, verdict in zip(read, decided, strict=True):
            self._settle(each, verdict, records.get(str(each.key)))

    def _stay_out(self, lines: list[Line], matches: Sequence[Match], records: dict[str, Record]) -> list[Line]:
        """Let those stay out who were taken out by hand and whose rows only seem to have changed.

        They are new to this feed, or it is another mapping by which their rows say something else than before.
        """
        strangers = [
            match.user
            for line, match in zip(lines, matches, strict=True)
            if match is not NOBODY
            and isinstance(match.user, Known)
            and (not line.known or (self._remapped and records[line.key].present))
        ]
        by_hand = left_by_hand(self._work.session, self._work.programme_id, strangers) if strangers else ()
        if not by_hand:
            return lines
        return [
            line._replace(changed=False) if match.user is not None and match.user.id in by_hand else line
            for line, match in zip(lines, matches, strict=True)
        ]

    def _line(self, each: ReadRow, record: Record | None) -> Line:
        flaws = each.flaws
        clean = not flaws or not any(map(is_unreadable, flaws))
        return Line(
            each.row.number,
            str(each.key),
            *each.values,
            each.row.active,
            record is None or not record.present or record.digest != each.digest,
            record.user_id if record else None,
            [(flaw.field.value, flaw.problem.code.value) for flaw in flaws] if flaws else (),
            each.digest.hex(),
            each.row_digest.hex() if clean else None,
            record is not None,
        )

    def _settle(self, each: ReadRow, decided: Decided, record: Record | None) -> None:
        """Stage what is decided about a row, or note why it is refused."""
        found, line, user = self._pass, decided.line, decided.match.user
        if user is not None and record is None and found.seen.people_before:
            found.moved.add(user.id.hex)
        if decided.kind is OutcomeKind.REJECTED:
            if self._feed.pulled is not None and each.row.active is False and user is None and record is None:
                return  # Somebody whom a pull does not mean, and who was never here: nobody has to mend her record.
            holder = decided.match.email_holder
            if decided.refusal is Refusal.EMAIL_CONFLICT and holder and len(found.tangled) < MOST_TANGLED:
                meant = line._replace(user_id=user.id.hex if user else None)
                found.tangled.append(Tangled(each.at, meant, holder.id.hex))
            else:
                self._refuse(each, decided)
            return
        found.fates[each.at] = FATE_OF[decided.kind]
        if decided.kind is OutcomeKind.CREATED and decided.match is NOBODY:
            line = line._replace(fresh=True)
        if each.flaws:
            self._problems.flaws(each, refused=False)
        outcome = decided.outcome
        if outcome is not None and (outcome.blocked or outcome.reading.errors):
            # It is looked at again next time, whether or not the row is the same: others may own less by then.
            self._problems.blocked(line, outcome.blocked)
            line = line._replace(row_digest=None)
        if user is not None:
            line = line._replace(user_id=user.id.hex)
        if decided.kind is OutcomeKind.DEACTIVATED:
            self._work.stage.add(stage.LEAVING, line)
        elif decided.kind is not OutcomeKind.UNCHANGED:
            self._work.stage.add(stage.ROWS, line)
        elif user is not None and not is_kept(line, record):
            found.fates[each.at] = Fate.STAGED
            self._work.stage.add(stage.ROWS, line)

    def _refuse(self, each: ReadRow, decided: Decided | None = None) -> None:
        self._pass.fates[each.at] = Fate.REFUSED
        self._pass.seen.refused += 1
        if decided is None or decided.refusal is Refusal.FIELDS:
            self._problems.flaws(each, refused=True)
        else:
            self._problems.decided(decided)

    def _take_faulty(self, index: int, row: FeedRow, number: str) -> str | None:
        """Take a row that cannot be read as a whole; whoever it names is present all the same.

        Returns her Membership No., as far as that can be read.
        """
        found = self._pass
        assert row.problem is not None  # noqa: S101 - asked before.
        named = self._rows.number_of(row)
        if row.key is None and named is None:
            found.nameless = found.nameless or row.number
        if not row.problem.listed:
            found.fates[index] = Fate.REFUSED
            found.seen.refused += 1
        self._problems.whole(row, named)
        return named

    def _count_columns(self, each: ReadRow) -> None:
        columns = self._pass.seen.columns
        for flaw in each.flaws:
            unreadable = is_unreadable(flaw)
            columns[flaw.field].flawed += unreadable
            columns[flaw.field].empty += not unreadable
