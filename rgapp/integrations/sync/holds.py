"""Why a run is held: what makes a feed too suspicious to apply."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from rgapp.integrations.sync.feed import Damage, Pulled
from rgapp.provisioning.guard import Limit, Weighed
from rgapp.provisioning.record import Field

# A column whose values cannot be read in more than half of so many rows is another column: the file is shifted. Of
# fewer rows each may be wrong by itself.
FEWEST_VALUES: Final = 20


class Hold(StrEnum):
    """The reasons for which a run is held."""

    EMPTY = "empty"
    HEADER_ALONE = "header_alone"
    MISSING_COLUMNS = "missing_columns"
    NO_OVERLAP = "no_overlap"
    MOSTLY_REFUSED = "mostly_refused"
    SHIFTED = "shifted"
    COVERAGE_SHRUNK = "coverage_shrunk"
    PEOPLE_SHRUNK = "people_shrunk"
    GUARD = "guard"


# A field that so few people had is not missed as a whole.
FEWEST_FILLED: Final = 2
# What cannot be read cannot be released either.
DISCARD_ONLY: Final = frozenset({Hold.EMPTY, Hold.MISSING_COLUMNS})


@dataclass
class Column:
    """How the values of a mapped column could be read."""

    flawed: int = 0
    empty: int = 0


@dataclass
class Seen:
    """What the check saw of a feed as a whole; rows that came as they came last time were not looked at.

    `pulled` is what a pull says of itself, `before` what the latest one that was applied did; `same_people` tells that
    the two mean the same people.
    """

    full: bool
    is_file: bool
    size_bytes: int | None
    pulled: Pulled | None = None
    before: Pulled | None = None
    same_people: bool = True
    rows: int = 0
    looked_at: int = 0
    refused: int = 0
    people_before: int = 0
    people_met: int = 0
    damage: Damage = field(default_factory=Damage)
    columns: dict[Field, Column] = field(default_factory=lambda: {each: Column() for each in Field})


def reason_to_hold(seen: Seen, weighed: Weighed) -> tuple[Hold, dict[str, Any]] | None:
    """Return why the run is held, with what its sentence needs; None where it may go on."""
    if seen.is_file and seen.size_bytes == 0:
        return Hold.EMPTY, {}
    if seen.damage.missing_columns:
        return Hold.MISSING_COLUMNS, {"columns": list(seen.damage.missing_columns)}
    if (shrunk := _shrunk(seen, weighed.limit)) is not None:
        return shrunk
    if seen.rows == 0 and (seen.full or seen.is_file):
        return Hold.HEADER_ALONE, {}
    if seen.full and seen.people_before and not seen.people_met:
        return Hold.NO_OVERLAP, {"people": seen.people_before}
    if seen.refused * 2 > seen.rows:
        return Hold.MOSTLY_REFUSED, {"refused": seen.refused, "rows": seen.rows}
    for name, column in seen.columns.items():
        filled = seen.looked_at - column.empty
        if filled >= FEWEST_VALUES and column.flawed * 2 > filled:
            return Hold.SHIFTED, {"field": name.value, "unreadable": column.flawed, "values": filled}
    if weighed.held:
        return Hold.GUARD, {
            "removals": weighed.removals,
            "recent": weighed.recent,
            "active": weighed.active,
            "percent": weighed.limit.percent,
            "people": weighed.limit.people,
        }
    return None


def _shrunk(seen: Seen, limit: Limit) -> tuple[Hold, dict[str, Any]] | None:
    """Return what a full pull has less of than the one before it, beyond what the programme calls usual.

    Fields that may no longer be seen come empty, and people who may no longer be seen do not come at all.
    """
    now, before = seen.pulled, seen.before
    if not seen.full or now is None or before is None:
        return None
    for name, had in before.filled.items():
        has = now.filled.get(name)
        if has is None or not before.looked_at or not now.looked_at:
            continue
        expected = had * now.looked_at / before.looked_at
        vanished = has == 0 and had >= FEWEST_FILLED
        if vanished or limit.is_exceeded(round(expected - has), round(expected)):
            facts = {"column": name, "has": has, "people": now.looked_at, "had": had, "people_before": before.looked_at}
            return Hold.COVERAGE_SHRUNK, facts
    if seen.same_people and limit.is_exceeded(before.people - now.people, before.people):
        return Hold.PEOPLE_SHRUNK, {"now": now.people, "before": before.people}
    return None
