"""Words for sync runs: why one was held or failed, what is wrong with a row, and what stands in an admin's way."""

from collections.abc import Mapping
from typing import Any, Final

from rgapp.integrations.sync.feed import RowFault
from rgapp.integrations.sync.holds import Hold
from rgapp.integrations.sync.problems import OWNED, REPEATED, SAME_ADDRESS, SAME_NUMBER, STILL_LISTED
from rgapp.integrations.sync.settling import Obstacle
from rgapp.provisioning.record import Field, ProblemCode, Refusal
from rgapp.wording import FIELD_LABELS, problem_sentence

REASONS: Final = {
    Hold.EMPTY: "The file is empty.",
    Hold.HEADER_ALONE: "There is not a single row: nobody is named.",
    Hold.MISSING_COLUMNS: "The file lacks columns that are mapped: {columns}.",
    Hold.NO_OVERLAP: (
        "None of the people whom this integration has brought is in it ({people_words}). It may be another company’s."
    ),
    Hold.MOSTLY_REFUSED: "{refused} of {rows_words} {are} refused, which is more than half.",
    Hold.SHIFTED: "{field} cannot be read in {unreadable} of {values} rows. The columns may be shifted.",
    Hold.COVERAGE_SHRUNK: (
        "The field “{column}” is filled for {has} of {people} people, and was for {had} of {people_before} before. "
        "We may no longer be allowed to see it."
    ),
    Hold.PEOPLE_SHRUNK: (
        "{now} people came, and {before} came before. We may no longer be allowed to see the others, or they have left."
    ),
    Hold.GUARD: (
        "It would take out {removals_words}{recent_words}, of {active} who were active. More than {people_words} and "
        "more than {percent} % of them are not usual here."
    ),
    "same_file": "The same file as in run {run}, read the same way.",
    "absence_ignored": "Nobody leaves for being absent: {why_words}",
    "unreadable": "{sentence}",
    "given_up": "It was taken up again and again and never came to its end.",
}
WHY_ABSENCE_IGNORED: Final = {
    "damaged": "the file is damaged.",
    "nameless": "the Membership No. in row {row} cannot be read.",
}
ROWS: Final[dict[str, str]] = {
    REPEATED: "The same as row {rows}; it counts once.",
    SAME_NUMBER: "The same Membership No. stands with other details in {rows_words}.",
    SAME_ADDRESS: "The same e-mail address stands with another Membership No. in {rows_words}.",
    STILL_LISTED: "Not in it any more, and does not leave: still listed by {feed}.",
    OWNED: "Another integration owns this field, so it stays as it is.",
    RowFault.TOO_FEW_CELLS: "The row has too few cells.",
    RowFault.TOO_MANY_CELLS: "The row has too many cells.",
    RowFault.BAD_BYTES: "The row holds bytes that are no characters in the file’s encoding.",
    RowFault.UNREADABLE_RECORD: "The person’s record could not be read.",
    RowFault.STATUS: "The status is none of those that were set under Mapping.",
    Refusal.EMAIL_CONFLICT: "The e-mail address belongs to {holder_words}.",
    Refusal.MEMBERSHIP_CONFLICT: "The Membership No. belongs to somebody else.",
    Refusal.IDENTITY_CONFLICT: "The source’s own identifier belongs to somebody else.",
    Refusal.BIRTH_DATE_CONFLICT: "The date of birth contradicts the one we know.",
    Refusal.LEAVER: "The person has left.",
    Refusal.NO_ACCOUNT: "There is no account for this person.",
    Refusal.FIELDS: "A mandatory field could not be read.",
    Refusal.OWNED_FIELDS: "Another integration owns this field.",
}
OBSTACLES: Final = {
    Obstacle.NOT_HELD: "This run is not held.",
    Obstacle.SUPERSEDED: "A newer run was applied since: this one can only be discarded.",
    Obstacle.FILE_GONE: "Its file has been deleted: this run can only be discarded.",
    Obstacle.NOTHING_TO_APPLY: "There is nothing in it that could be applied: this run can only be discarded.",
    Obstacle.SAME_PERSON: "You have asked for it. A second person has to confirm.",
}


class _Blank(dict[str, Any]):
    """Facts of another version may lack what a sentence names: it is said without."""

    def __missing__(self, key: str) -> str:
        return "…"


def reason_words(reason: str, facts: Mapping[str, Any]) -> str:
    """Say why a run ended as it did; empty where there is nothing to say."""
    sentence = REASONS.get(reason)
    if sentence is None:
        return reason.replace("_", " ").capitalize()
    said = _Blank(facts)
    said["columns"] = ", ".join(facts.get("columns", ()))
    recent = facts.get("recent", 0)
    said["recent_words"] = f", after {recent} since yesterday" if recent else ""
    if "field" in facts:
        said["field"] = FIELD_LABELS.get(facts["field"], facts["field"])
    for name, one, many in (("people", "person", "people"), ("removals", "person", "people"), ("rows", "row", "rows")):
        if isinstance(facts.get(name), int):
            said[f"{name}_words"] = f"{facts[name]} {one if facts[name] == 1 else many}"
    said["are"] = "is" if facts.get("refused") == 1 else "are"
    said["why_words"] = WHY_ABSENCE_IGNORED.get(str(facts.get("why")), "").format_map(_Blank(facts))
    return sentence.format_map(said)


def problem_words(code: str, facts: Mapping[str, Any], column: str = "") -> str:
    """Say what is wrong with a row, or with what it has in a column."""
    if code in set(ProblemCode) and code != OWNED and facts.get("field") in set(Field):
        return problem_sentence(Field(facts["field"]), code, facts, column)
    sentence = ROWS.get(code)
    if sentence is None:
        return code.replace("_", " ").capitalize()
    said = _Blank(facts)
    rows = [str(number) for number in facts.get("rows", ())]
    said["rows"] = ", ".join(rows)
    said["rows_words"] = f"row{'s' if len(rows) > 1 else ''} {', '.join(rows)}"
    said["holder_words"] = facts.get("holder") or "somebody else"
    return sentence.format_map(said)
