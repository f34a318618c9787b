"""What the address of the list asks for: whose users, which of them, in which order."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import abort, g, request, url_for
from flask_login import current_user

from rgapp.auth.staff import programme_for, programmes_of
from rgapp.extensions import db
from rgapp.models import Programme, SCIMGroup, Staff, UserStatus
from rgapp.provisioning import Source
from rgapp.users import queries
from rgapp.users.groups import find_group
from rgapp.users.scope import LONGEST_SEARCH, MOST_PROGRAMMES, Scope, UserFilter, scope_of
from rgapp.wording_events import SOURCE_LABELS


@dataclass(frozen=True)
class Request:
    """What the address asks for: whose users, which of them, in which order."""

    visible: Sequence[Programme]
    chosen: Programme | None
    whole: Scope
    wanted: UserFilter
    sort: str
    group: SCIMGroup | None = None

    @property
    def scope(self) -> Scope:
        """Return the programmes that the list covers."""
        return Scope((self.chosen.id,)) if self.chosen is not None else self.whole

    @property
    def too_wide(self) -> bool:
        """Tell whether a search or a programme is needed first."""
        return self.scope.wide and not self.wanted.words

    def arguments(self, **changed: Any) -> dict[str, Any]:
        """Return the address's arguments, some of them changed."""
        return {
            "programme": self.chosen.slug if self.chosen is not None and len(self.visible) > 1 else None,
            "q": self.wanted.search or None,
            "status": self.wanted.status,
            "source": self.wanted.source,
            "incomplete": "1" if self.wanted.incomplete else None,
            "group": self.group.id if self.group is not None else None,
            "sort": self.sort if self.sort != queries.DEFAULT_SORT else None,
        } | changed

    def url(self, **changed: Any) -> str:
        """Return the address of the list with some of it changed; from its first page."""
        return url_for("users.index", **self.arguments(**changed))


def read_request() -> Request:
    """Read the address; a programme that the person may not see answers 404, as one that is not there."""
    person: Staff = current_user._get_current_object()
    visible = programmes_of(db.session(), person, limit=MOST_PROGRAMMES + 1)
    chosen = visible[0] if len(visible) == 1 else None
    if slug := request.args.get("programme"):
        chosen = programme_for(db.session(), person, slug) or abort(404)
    if chosen is not None:
        g.programme = chosen
    status, source = request.args.get("status", ""), request.args.get("source", "")
    sort = request.args.get("sort", "")
    group = read_group(chosen)
    return Request(
        visible=visible,
        chosen=chosen,
        whole=scope_of(visible, sees_all=person.sees_all),
        wanted=UserFilter(
            search=" ".join(request.args.get("q", "").split())[:LONGEST_SEARCH],
            status=UserStatus(status) if status in set(UserStatus) else None,
            source=Source(source) if source in set(Source) else None,
            incomplete=request.args.get("incomplete") == "1",
            group=group.id if group is not None else None,
        ),
        sort=sort if sort in queries.SORTS else queries.DEFAULT_SORT,
        group=group,
    )


def read_group(programme: Programme | None) -> SCIMGroup | None:
    """Return the group that the address asks for; None without a programme, and for one that is not there."""
    try:
        group_id = uuid.UUID(request.args.get("group", ""))
    except ValueError:
        return None
    return find_group(db.session(), programme.id, group_id) if programme is not None else None


def in_words(wanted: UserFilter) -> str:
    """Say which filters an export had, for the audit log; the search itself may name a person and is left out."""
    words = [
        "a search" if wanted.words else "",
        f"status {wanted.status}" if wanted.status else "",
        f"source {SOURCE_LABELS[wanted.source]}" if wanted.source else "",
        "incomplete details" if wanted.incomplete else "",
        "one group" if wanted.group else "",
    ]
    return ", ".join(word for word in words if word)
