"""One request from its token to its line in the log: which transaction does the work, and whether it is kept.

The work and its line are one transaction where the work counts. A refusal, and everything while an integration only
listens, is undone first; its line is then written alone.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from scim2_models import SCIMException
from scim2_server.requests import ScimRequest
from scim2_server.responses import ScimResponse
from scim2_server.service import is_json_media_type
from sqlalchemy.orm import Session

from rgapp.database import end_reading, reading
from rgapp.integrations.scim.log import Entry, note
from rgapp.integrations.scim.people import Directory, SCIMConnection
from rgapp.integrations.scim.tokens import Bearer, note_use
from rgapp.scim import connection as connections
from rgapp.scim.auth import is_to_be_noted
from rgapp.scim.bodies import Body, decode
from rgapp.scim.connection import Found, Mode
from rgapp.scim.errors import SwitchedOff, is_again, scim_error
from rgapp.scim.handler import Handler
from rgapp.scim.scope import Scope
from rgapp.scim.service import Service, service_for
from rgapp.scim.storage import SQLStorage

TRIES: Final = 3
WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
PAUSED: Final = "This integration is switched off on the Integrations Dashboard. Nothing was changed."
INCOMPLETE: Final = "The set-up of this integration is not complete on the Integrations Dashboard."


@dataclass(frozen=True)
class Exchange:
    """Serves requests of one token; `secret` is the application's, `writing` begins a transaction that may write."""

    session: Session
    bearer: Bearer
    secret: str
    now: datetime
    begin_writing: Callable[[], None]

    def answer(self, request: ScimRequest) -> ScimResponse:
        """Serve a request, and commit what of it counts."""
        began = time.perf_counter()
        with reading():
            found = connections.load(self.session, self.bearer)
        end_reading(self.session)  # Nothing is held while the body is read.
        service = service_for(found.needed if found else frozenset(), self.secret)
        entry, response = self._done(prepared(request), found, service)
        keep = response.status < 400 and found is not None and found.mode is Mode.LIVE
        if not keep:
            self.session.rollback()
        if request.method in {"GET", "HEAD"} or not keep:
            self.begin_writing()
        entry.status = int(response.status)
        self._note(entry, found, round((time.perf_counter() - began) * 1000))
        self.session.commit()
        return response

    def _done(self, request: ScimRequest, found: Found | None, service: Service) -> tuple[Entry, ScimResponse]:
        """Do the work; what lost a race to somebody else is done again on what that one left."""
        for left in reversed(range(TRIES)):
            entry = Entry(request.method, f"/{request.path.strip('/')}")
            try:
                return entry, self._handler(found, service, entry).handle(request)
            except Exception as error:
                if left and is_again(error):
                    self.session.rollback()
                    continue
                refusal = scim_error(error)
                return _refused(entry, refusal), service.error_response(refusal)
        raise AssertionError("the last try returns")

    def _handler(self, found: Found | None, service: Service, entry: Entry) -> Handler:
        if found is None or found.mode is Mode.PAUSED:
            raise SwitchedOff(detail=PAUSED)
        connection: SCIMConnection | None = found.connection
        if connection is None:
            raise SwitchedOff(detail=INCOMPLETE)
        people = Directory(self.session, connection, entry, now=self.now)
        scope = Scope(self.bearer.programme_id, self.bearer.integration_id)
        storage = SQLStorage(self.session, scope, service.provider, people, lambda: self.now)
        return Handler(service, storage, entry)

    def _note(self, entry: Entry, found: Found | None, milliseconds: int) -> None:
        listening = found is not None and found.is_listening
        if is_to_be_noted(self.bearer):
            note_use(self.session, self.bearer, now=self.now)
            connections.note_activity(self.session, self.bearer, now=self.now)
        note(self.session, self.bearer, entry, listening=listening, now=self.now, milliseconds=milliseconds)


def prepared(request: ScimRequest) -> ScimRequest:
    """Decode the body of a request."""
    media_type = request.header("Content-Type")
    of_json = not media_type or is_json_media_type(media_type)
    if request.method not in WITH_BODY or isinstance(request.body, Body) or not of_json:
        return request
    try:
        return replace(request, body=Body.of(request.body, decode(request.body)))
    except SCIMException as error:
        return replace(request, body=Body.of(request.body, None, error))


def _refused(entry: Entry, refusal: SCIMException) -> Entry:
    error = refusal.to_error()
    entry.scim_type, entry.detail = error.scim_type or "", error.detail or ""
    if entry.outcome != "rejected":
        entry.outcome = "refused"
    entry.reason = entry.reason or error.scim_type or ""
    return entry
