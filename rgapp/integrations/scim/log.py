"""The log of a SCIM integration's requests: what was asked, what came of it, and for whom; mapped fields only."""

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.orm import Session

from rgapp.integrations.kept import PERSON_LENGTH, field_of, identifiers_of
from rgapp.integrations.scim.paths import attribute_names
from rgapp.integrations.scim.tokens import Bearer
from rgapp.models import SCIMRequest
from rgapp.models.base import new_id
from rgapp.models.rows import insert_row
from rgapp.provisioning import Field, Outcome, OutcomeKind, Reading
from rgapp.provisioning.facts import changes_as_facts
from rgapp.provisioning.validation import email_key

KEPT = timedelta(days=30)
ONLY_LEAVES: Final = "The person was taken out; the rest of the request cannot be taken and was left as it was."
PATH_LENGTH, DETAIL_LENGTH, ADDRESS_LENGTH = 500, 1000, 200
_ADDRESS: Final = re.compile(r'"([^"@\s]{1,100}@[^"@\s]{1,100})"')


@dataclass
class Entry:
    """What is known of one request while it is answered; `outcome` is provisioning's word, or what was done else.

    `looked_for` is the filter of a search, `group` the name of a group that it is about. `parts` are the operations of
    a bulk request: each has a line of its own, for each is about somebody else.
    """

    method: str
    path: str
    status: int = 200
    outcome: str = "read"
    reason: str = ""
    scim_type: str = ""
    detail: str = ""
    user_id: uuid.UUID | None = None
    reading: Reading | None = None
    changes: Sequence[dict[str, Any]] = field(default_factory=list)
    blocked: frozenset[Field] = frozenset()
    resource: Mapping[str, Any] | None = None
    looked_for: str = ""
    group: str = ""
    parts: "list[Entry]" = field(default_factory=list)

    @property
    def accepted(self) -> bool:
        """Tell whether the request was answered with success."""
        return self.status < 400

    def about(self, outcome: Outcome) -> None:
        """Note what provisioning decided about the person in this request."""
        self.outcome = str(outcome.kind)
        self.reason = str(outcome.refusal or "")
        self.user_id = outcome.user_id
        self.changes = changes_as_facts(outcome.changes)
        self.reading = outcome.reading
        self.blocked = frozenset(outcome.blocked)
        if outcome.only_leaves:
            self.detail = ONLY_LEAVES


def note(
    session: Session, bearer: Bearer, entry: Entry, *, listening: bool, now: datetime, milliseconds: int = 0
) -> uuid.UUID:
    """Write one line of the log, and one for each part, to the caller's transaction; returns the line's id."""
    accepted = entry.accepted and entry.outcome != OutcomeKind.REJECTED
    explained = not accepted or listening
    read = entry.reading.fields if entry.reading else ()
    fields = [field_of(one, hide_birth=not explained, left_out=one.field in entry.blocked) for one in read]
    request_id = new_id()
    row = {
        "programme_id": bearer.programme_id,
        "id": request_id,
        "integration_id": bearer.integration_id,
        "at": now,
        "listening": listening,
        "method": entry.method[:8],
        "path": entry.path[:PATH_LENGTH],
        "status": entry.status,
        "outcome": entry.outcome[:20],
        "accepted": accepted,
        "reason": entry.reason[:60],
        "scim_type": entry.scim_type[:30],
        "detail": entry.detail[:DETAIL_LENGTH],
        "user_id": entry.user_id,
        **_found_by(entry),
        "fields": fields,
        "changes": list(entry.changes),
        "arrived": attribute_names(entry.resource) if explained and entry.resource else [],
        "token_hint": bearer.hint,
        "duration_ms": milliseconds,
        "expires_at": now + KEPT,
    }
    insert_row(session, SCIMRequest, row)
    for part in entry.parts:
        note(session, bearer, part, listening=listening, now=now)
    return request_id


def _found_by(entry: Entry) -> dict[str, Any]:
    """Return what a line is found by; a look-up by the address that it asks for."""
    found = identifiers_of(entry.reading)
    if entry.group and entry.reading is None:
        return found | {"person": entry.group[:PERSON_LENGTH]}
    address = _ADDRESS.search(entry.looked_for) if entry.reading is None else None
    return found if address is None else found | {"email_key": email_key(address[1])[:ADDRESS_LENGTH]}
