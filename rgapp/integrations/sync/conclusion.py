"""What follows from the pass over a feed: contradictions, addresses that change hands, who is absent, the sums."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from rgapp.database import reading
from rgapp.integrations.sync import contradictions, stage, tangles
from rgapp.integrations.sync.check import FATE_OF, Fate, Pass, Tangled
from rgapp.integrations.sync.feed import Feed
from rgapp.integrations.sync.known import KnownPeople, call
from rgapp.integrations.sync.problems import Problems
from rgapp.integrations.sync.reading import RowReader
from rgapp.integrations.sync.work import LEAVER, Work
from rgapp.models import SyncLeaver
from rgapp.models.bulk import chunks, insert_many
from rgapp.provisioning.batch import Batches
from rgapp.provisioning.record import OutcomeKind


class Conclusion:
    """Draws the conclusions from one pass; commits while it goes."""

    def __init__(
        self,
        work: Work,
        feed: Feed,
        rows: RowReader,
        batches: Batches,
        known: KnownPeople,
        problems: Problems,
        found: Pass,
    ) -> None:
        self._work = work
        self._feed = feed
        self._rows = rows
        self._batches = batches
        self._known = known
        self._problems = problems
        self._pass = found
        self._left_out: frozenset[int] = frozenset()
        self.absence_ignored = ""

    def draw(self) -> None:
        """Find everything; the counters of the work are then those of the whole feed."""
        self._contradictions()
        self._find_absent()
        self._untangle()
        self._note_leavers()
        self._note_listed()
        self._count()

    def _contradictions(self) -> None:
        found = self._pass
        numbers, addresses = found.numbers.twice(), found.addresses.twice()
        if not numbers and not addresses:
            return
        result = contradictions.find(
            self._feed.batches(), numbers, addresses, at=self._rows.at, says=self._rows.identity
        )
        self._problems.contradictions(result)
        for index in result.refused:
            self._refuse(index)
        for index in result.repeated:
            found.fates[index] = Fate.REPEATED
        out = result.refused | frozenset(result.repeated)
        self._left_out = frozenset(found.row_numbers[index] for index in out)
        for number in sorted(self._left_out):
            self._work.stage.add(stage.LEFT_OUT, number)
        found.tangled = [each for each in found.tangled if each.at not in out]

    def _refuse(self, index: int) -> None:
        if self._pass.fates[index] != Fate.REFUSED:
            self._pass.fates[index] = Fate.REFUSED
            self._pass.seen.refused += 1

    def _find_absent(self) -> None:
        """Stage whom the feed has brought before and does not name now, unless that means nothing."""
        found = self._pass
        if not found.seen.full:
            return
        if found.seen.damage:
            self.absence_ignored = "damaged"
        elif found.nameless is not None:
            self.absence_ignored = "nameless"
        elif found.expected or found.flawed_before:
            with reading():
                absent = (each for each in self._known.not_met(found.expected) if hash(each[0]) not in found.present)
                while some := list(islice(absent, stage.BATCH)):
                    keys = self._absent_by([user_id for _, user_id in some])
                    self._stage_absent([(key, user_id) for key, user_id in some if keys.get(user_id) == key])
                self._work.session.rollback()

    def _stage_absent(self, absent: Sequence[tuple[str, str]]) -> None:
        """Stage who leaves by absence; whom another feed names is left to that one."""
        listed = self._known.listed_elsewhere([user_id for _, user_id in absent])
        for key, user_id in absent:
            if user_id in listed:
                self._work.stage.add(stage.LISTED, (key, user_id, *listed[user_id]))
            else:
                self._work.stage.add(stage.ABSENT, (key, user_id))

    def _absent_by(self, user_ids: Sequence[str]) -> dict[str, str]:
        """Return by which key each of these is absent: nobody is who came under another one, her number was changed."""
        found, keys = self._pass, dict[str, str]()
        came = found.moved.intersection(user_ids)
        for user_id, key, digest in self._known.places(user_ids):
            if (digest is None or hash(digest) in found.expected) and hash(key) not in found.present:
                keys[user_id] = max(key, keys.get(user_id, ""))
            else:
                came.add(user_id)
        return {user_id: key for user_id, key in keys.items() if user_id not in came}

    def _untangle(self) -> None:
        """Decide about those whose address somebody holds who may give it up in this run."""
        work, tangled = self._work, self._pass.tangled
        work.stage.settle()
        holders = frozenset(each.holder for each in tangled)
        given_up = tangles.give_up(work.stage, holders, self._left_out)
        free, refused = tangles.untangle(tangled, given_up)
        for some in chunks(free, stage.BATCH):
            self._decide(some, frozenset(each.holder for each in free))
        for some in chunks(refused, stage.BATCH):
            self._decide(some, frozenset())

    def _decide(self, some: Sequence[Tangled], free: frozenset[str]) -> None:
        with reading():
            decided = self._batches.decide(self._work.session, [each.line for each in some], free=free)
            self._work.session.rollback()
        for each, verdict in zip(some, decided, strict=True):
            if verdict.kind is OutcomeKind.REJECTED:
                self._refuse(each.at)
                self._problems.decided(verdict)
            else:
                self._pass.fates[each.at] = FATE_OF[verdict.kind]
                self._work.stage.add(stage.TANGLED, each.line)

    def _note_leavers(self) -> None:
        """Keep by name whom the run would take out."""
        work = self._work
        for batch in self._leavers():
            rows = [(work.programme_id.hex, work.lease.run_id.hex, *entry, False) for entry in batch]
            insert_many(work.session, SyncLeaver, LEAVER, rows)
            work.counts.leavers += len(rows)
            work.keep()
            work.session.commit()

    def _note_listed(self) -> None:
        """Warn of those who are absent and stay, because another feed names them."""
        for batch, _ in self._work.stage.batches(stage.LISTED):
            for _, _, membership_no, feed in batch:
                self._problems.still_listed(membership_no, feed)
            self._work.keep()
            self._work.session.commit()

    def _leavers(self) -> Iterator[list[tuple[Any, ...]]]:
        for lines, _ in self._work.stage.lines(stage.LEAVING):
            yield [
                (line.key, line.user_id, call(line.first_name, line.last_name, line.membership_no), line.number)
                for line in stage.without(lines, self._left_out)
            ]
        for batch, _ in self._work.stage.batches(stage.ABSENT):
            with reading():
                people = self._known.people([user_id for _, user_id in batch])
                self._work.session.rollback()
            yield [
                (key, user_id, people[user_id][1], None) for key, user_id in batch if people.get(user_id, (False,))[0]
            ]

    def _count(self) -> None:
        """Count what the feed means; in a run that was cut off, what was written before is among the unchanged now."""
        counts, fates = self._work.counts, Counter(self._pass.fates)
        counts.row_count, counts.share = len(self._pass.fates), 100
        counts.refused = self._pass.seen.refused
        if self._work.preview:
            counts.created, counts.updated = fates[Fate.CREATED], fates[Fate.UPDATED]
            counts.reactivated, counts.deactivated = fates[Fate.REACTIVATED], counts.leavers
            counts.unchanged = fates[Fate.UNCHANGED] + fates[Fate.STAGED]
        else:
            before = counts.created + counts.updated + counts.reactivated
            counts.unchanged = max(0, fates[Fate.UNCHANGED] - before)
