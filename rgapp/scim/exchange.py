"""One request from its token to its line in the log: which transaction does the work, and whether it is kept.

The work and its line are one transaction where the work counts. A refusal, and everything while an integration only
listens, is undone first; its line is then written alone.
"""

import time
import uuid
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from scim2_models import SCIMException
from scim2_server.requests import ScimRequest
from scim2_server.responses import ScimResponse
from scim2_server.service import is_json_media_type
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from rgapp.database import begin_writing, end_reading, reading
from rgapp.integrations.scim.log import Entry, note
from rgapp.integrations.scim.people import Directory
from rgapp.integrations.scim.tokens import Bearer, note_use
from rgapp.integrations.scim.trying import note_listened
from rgapp.scim import auth
from rgapp.scim import connection as connections
from rgapp.scim.bodies import Body, decode
from rgapp.scim.connection import Found, Mode
from rgapp.scim.errors import SwitchedOff, is_again, scim_error
from rgapp.scim.handler import Handler
from rgapp.scim.scope import Scope
from rgapp.scim.service import Service, service_for
from rgapp.scim.storage import SQLStorage

TRIES: Final = 3
READABLE: Final = " \"'@()[].:-_"
WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
#: No filter on this attribute finds anybody (RFC 7643 section 4.1.1), and what it says is nobody's business.
SECRET: Final = "password"  # noqa: S105 - the name of an attribute.
NOT_KEPT: Final = "(a filter with a password, which is not kept)"
PAUSED: Final = "This integration is switched off on the Integrations Dashboard. Nothing was changed."
INCOMPLETE: Final = "The set-up of this integration is not complete on the Integrations Dashboard."


@dataclass(frozen=True)
class Presented:
    """What a client shows to be let in: a token, for the programme in the address; `network` is where it comes from."""

    programme_id: uuid.UUID
    token: str
    network: str


@dataclass(frozen=True)
class Exchange:
    """Serves one request; `secret` is the application's."""

    session: Session
    shown: Presented
    secret: str
    now: datetime

    def answer(self, request: ScimRequest) -> ScimResponse:
        """Serve a request, and commit what of it counts.

        Raises `SCIMException` for a token that opens nothing.
        """
        began = time.perf_counter()
        # A search by POST reads as well, perhaps for long: it holds nobody up who writes.
        searches = request.path.endswith(".search")
        if not auth.was_right_here(self.shown.token):
            with reading():
                self._found()
            end_reading(self.session)
        request = prepared(request)
        # In the transaction of the work, which may have had to wait: what was closed until then is closed.
        with reading() if searches else nullcontext():
            bearer, found = self._found()
        service = service_for(found.needed if found else frozenset(), self.secret)
        with reading() if searches else nullcontext():
            entry, response = self._done(request, bearer, found, service)
        entry.status = int(response.status)
        if response.status >= 400 or found is None or found.mode is not Mode.LIVE:
            self.session.rollback()
            begin_writing()
        self._note(bearer, entry, found, began)
        return response

    def _found(self) -> tuple[Bearer, Found | None]:
        bearer = auth.bearer_of(self.session, self.shown.programme_id, self.shown.token, now=self.now)
        if bearer is None:
            raise auth.refusal(self.shown.network)
        return bearer, connections.load(self.session, bearer)

    def _done(
        self, request: ScimRequest, bearer: Bearer, found: Found | None, service: Service
    ) -> tuple[Entry, ScimResponse]:
        """Do the work; what lost a race to somebody else is done again on what that one left."""
        for left in reversed(range(TRIES)):
            entry = Entry(request.method, asked_for(request), looked_for=filter_of(request))
            try:
                return entry, self._handler(bearer, found, service, entry).handle(request)
            except Exception as error:
                if left and is_again(error):
                    self.session.rollback()
                    continue
                refusal = scim_error(error)
                return _refused(entry, refusal), service.error_response(refusal)
        raise AssertionError("the last try returns")

    def _handler(self, bearer: Bearer, found: Found | None, service: Service, entry: Entry) -> Handler:
        if found is None or found.mode is Mode.PAUSED:
            raise SwitchedOff(detail=PAUSED)
        if found.connection is None:
            raise SwitchedOff(detail=INCOMPLETE)
        people = Directory(self.session, found.connection, entry, now=self.now)
        scope = Scope(bearer.programme_id, bearer.integration_id)
        storage = SQLStorage(self.session, scope, service.provider, people, lambda: self.now)
        return Handler(service, storage, entry)

    def _note(self, bearer: Bearer, entry: Entry, found: Found | None, began: float) -> None:
        """Write the line and commit.

        A transaction that has only read so far may write on SQLite unless somebody else did meanwhile. Then nothing of
        it is lost, and the line goes into one of its own.
        """
        listening = found is not None and found.is_listening
        is_due = auth.is_to_be_noted(bearer)
        for again in (False, True):
            try:
                if is_due:
                    note_use(self.session, bearer, now=self.now)
                    connections.note_activity(self.session, bearer, now=self.now)
                milliseconds = round((time.perf_counter() - began) * 1000)
                note(self.session, bearer, entry, listening=listening, now=self.now, milliseconds=milliseconds)
                if listening and found is not None and found.connection is not None:
                    note_listened(self.session, bearer, entry, found.connection.settings)
                self.session.commit()
            except OperationalError:
                if again or not _reads(entry):
                    raise
                self.session.rollback()
                begin_writing()
            else:
                return


def _reads(entry: Entry) -> bool:
    return entry.method in {"GET", "HEAD"} or entry.path.partition("?")[0].endswith(".search")


def asked_for(request: ScimRequest) -> str:
    """Return the path of a request as the log keeps it: with the filter, which says whom a client looked for."""
    path, wanted = f"/{request.path.strip('/')}", filter_of(request)
    return f"{path}?filter={quote(wanted, safe=READABLE, errors='replace')}" if wanted else path


def filter_of(request: ScimRequest) -> str:
    """Return the filter of a search as the log keeps it, wherever it stands and in whatever case; empty without one.

    One that may hold a password is not kept.
    """
    asked: Mapping[str, Any] = request.query
    if request.path.endswith(".search") and isinstance(request.body, Body):
        with suppress(SCIMException):  # What cannot be read is refused in its turn, in its own words.
            asked = request.body.document if isinstance(request.body.document, dict) else asked
    found = asked.get("filter") or next((value for name, value in asked.items() if name.lower() == "filter"), "")
    if not isinstance(found, str):
        return ""
    return NOT_KEPT if SECRET in found.casefold() else found


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
    entry.parts = []  # Whatever they did is undone.
    error = refusal.to_error()
    entry.scim_type, entry.detail = error.scim_type or "", error.detail or ""
    if entry.outcome != "rejected":
        entry.outcome = "refused"
    entry.reason = entry.reason or error.scim_type or ""
    return entry
