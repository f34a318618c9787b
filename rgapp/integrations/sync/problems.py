"""What the report says of single rows: why each is refused, and what was left out of one that was taken."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rgapp.integrations.sync.contradictions import Contradictions, Doubtful
from rgapp.integrations.sync.feed import FeedRow
from rgapp.integrations.sync.reading import ReadRow, is_unreadable
from rgapp.integrations.sync.work import Work
from rgapp.provisioning.batch import Decided
from rgapp.provisioning.cells import Line
from rgapp.provisioning.mapping import Rules
from rgapp.provisioning.matching import Account
from rgapp.provisioning.record import MANDATORY, Field, Refusal

REPEATED: Final = "repeated_row"
SAME_NUMBER: Final = "same_membership_no"
SAME_ADDRESS: Final = "same_email"
OWNED: Final = "owned"
STILL_LISTED: Final = "still_listed"
# People count rows from 1, so this is none.
NO_ROW: Final = 0


class Problems:
    """Notes what is wrong with rows, by the names that the source has for its columns."""

    def __init__(self, work: Work, rules: Rules) -> None:
        self._work = work
        self._names: Mapping[Field, str] = {name: rule.name for name, rule in rules.items()}

    def flaws(self, each: ReadRow, *, refused: bool) -> None:
        """Note the fields that could not be read: of a refused row the mandatory ones, of another one the others."""
        for flaw in each.flaws:
            if (flaw.field in MANDATORY) is refused and (refused or is_unreadable(flaw)):
                self._work.note(
                    each.row.number,
                    flaw.problem.code,
                    refused=refused,
                    column=self._names[flaw.field],
                    cell=flaw.raw,
                    membership_no=each.values[0],
                    facts={"field": flaw.field.value, **flaw.problem.data},
                )

    def whole(self, row: FeedRow, membership_no: str | None) -> None:
        """Note a row that cannot be read as a whole."""
        assert row.problem is not None  # noqa: S101 - that is why it is noted.
        fault, column, cell, listed = row.problem
        self._work.note(row.number, fault, refused=not listed, column=column, cell=cell, membership_no=membership_no)

    def blocked(self, line: Line, fields: Sequence[Field]) -> None:
        """Note the fields that were left out because another directory owns them."""
        for name in fields:
            self._work.note(
                line.number,
                OWNED,
                refused=False,
                column=self._names.get(name, ""),
                membership_no=line.membership_no,
                facts={"field": name.value},
            )

    def conflict(self, line: Line, refusal: Refusal | None, holder: Account | None) -> None:
        """Note a row that is refused for what somebody else holds, or for what she is."""
        by_address = refusal is Refusal.EMAIL_CONFLICT
        facts: dict[str, Any] = {}
        if holder is not None:
            facts = {"holder": holder.membership_no, "holder_status": str(holder.status)}
        self._work.note(
            line.number,
            str(refusal),
            refused=True,
            column=self._names[Field.EMAIL if by_address else Field.MEMBERSHIP_NO],
            cell=(line.email if by_address else line.membership_no) or "",
            membership_no=line.membership_no,
            facts=facts,
        )

    def decided(self, decided: Decided) -> None:
        """Note a row that provisioning refused."""
        self.conflict(decided.line, decided.refusal, decided.match.email_holder or decided.match.membership_holder)

    def still_listed(self, membership_no: str, feed: str) -> None:
        """Note somebody who is absent and does not leave, for another feed names her."""
        self._work.note(
            NO_ROW,
            STILL_LISTED,
            refused=False,
            column=self._names[Field.MEMBERSHIP_NO],
            cell=membership_no,
            membership_no=membership_no,
            facts={"feed": feed},
        )

    def contradictions(self, found: Contradictions) -> None:
        """Note the rows that repeat or contradict others."""
        for row, first in found.repeated.values():
            self._between(row, REPEATED, Field.MEMBERSHIP_NO, row.membership_no, [first], refused=False)
        for row, others in found.same_number.values():
            self._between(row, SAME_NUMBER, Field.MEMBERSHIP_NO, row.membership_no, others, refused=True)
        for row, others in found.same_address.values():
            self._between(row, SAME_ADDRESS, Field.EMAIL, row.address, others, refused=True)

    def _between(self, row: Doubtful, code: str, at: Field, cell: str, others: Sequence[int], *, refused: bool) -> None:
        self._work.note(
            row.number,
            code,
            refused=refused,
            column=self._names[at],
            cell=cell,
            membership_no=row.membership_no or None,
            facts={"rows": list(others)},
        )
