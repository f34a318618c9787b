"""Points at which a process kills itself, wrapped around the application from outside: it knows nothing of them.

A fuse is a file that names a point. The first process that comes to the point takes the file away and dies as by
`kill -9`; whoever comes there later, a process that was started again too, passes.
"""

import json
import os
import re
import signal
import smtplib
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.engine.default import DefaultDialect

from rgapp.mail.transport import SMTPTransport

VARIABLE = "CRASH_FUSE"
END_OF_MAIL = b"\r\n.\r\n"
# Of the transaction that is under way here, or in a thread that works for this one.
_done: ContextVar[list[str] | None] = ContextVar("done", default=None)


def arm(fuse: Path, when: str, what: str, *, skip: int = 0, since: str = "") -> None:
    """Name a point: `before` or `after` what is done, a pattern of SQL or one of COMMIT, SEND, DATA, END OF MAIL.

    `skip` lets it pass so many times; `since` counts only a COMMIT of a transaction that did that.
    """
    draft = fuse.with_suffix(".draft")
    draft.write_text(json.dumps({"when": when, "what": what, "skip": skip, "since": since}))
    draft.replace(fuse)


def install() -> None:
    """Wrap what this process does with the database and with mail servers."""
    fuse = Path(os.environ[VARIABLE])
    really_commit, really_send = DefaultDialect.do_commit, SMTPTransport.send
    really_data, really_write = smtplib.SMTP.data, smtplib.SMTP.send

    @event.listens_for(Engine, "before_cursor_execute")
    def before(_: Any, __: Any, statement: str, *___: Any) -> None:
        reach(fuse, "before", statement)

    @event.listens_for(Engine, "after_cursor_execute")
    def after(_: Any, __: Any, statement: str, *___: Any) -> None:
        _statements().append(statement)
        reach(fuse, "after", statement)

    @event.listens_for(Engine, "begin")
    def begin(_: Any) -> None:
        _done.set([])

    def do_commit(self: DefaultDialect, connection: Any) -> None:
        reach(fuse, "before", "COMMIT")
        really_commit(self, connection)
        reach(fuse, "after", "COMMIT")

    def send(self: SMTPTransport, message: Any) -> None:
        reach(fuse, "before", "SEND")
        really_send(self, message)
        reach(fuse, "after", "SEND")

    def data(self: smtplib.SMTP, message: Any) -> Any:
        reach(fuse, "before", "DATA")
        return really_data(self, message)

    def write(self: smtplib.SMTP, content: Any) -> None:
        really_write(self, content)
        if isinstance(content, bytes) and content.endswith(END_OF_MAIL):
            reach(fuse, "after", "END OF MAIL")

    DefaultDialect.do_commit = do_commit  # type: ignore[method-assign]
    SMTPTransport.send = send  # type: ignore[method-assign]
    smtplib.SMTP.data = data  # type: ignore[method-assign]
    smtplib.SMTP.send = write  # type: ignore[method-assign,assignment]


def reach(fuse: Path, when: str, what: str) -> None:
    """Come to a point: die if the fuse names it."""
    try:
        point = json.loads(fuse.read_text())
    except FileNotFoundError:
        return
    if point["when"] != when or not re.search(point["what"], what):
        return
    if point["since"] and not any(re.search(point["since"], statement) for statement in _statements()):
        return
    if point["skip"]:
        arm(fuse, **point | {"skip": point["skip"] - 1})
        return
    fuse.unlink()
    os.kill(os.getpid(), signal.SIGKILL)


def _statements() -> list[str]:
    found = _done.get()
    if found is None:
        _done.set(found := [])
    return found
