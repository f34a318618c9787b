"""Who works on a run: a lease that each write of that work names, and that lapses when its process is gone."""

import os
import socket
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import update
from sqlalchemy.orm import Session

from rgapp.models import SyncRun
from rgapp.tokens import new_token

# Every batch extends it. A process of another machine that says nothing for so long is gone.
LASTS: Final = timedelta(minutes=5)
# One of this machine that is there is left alone for longer: it may wait for the other side, five times and a half
# minute each, with up to a minute between them.
LASTS_WHILE_ALIVE: Final = timedelta(minutes=15)
# The leases under which this process works: one that it could not give back, for the database was away, is none.
_HERE: Final[set[str]] = set()


class LeaseLost(RuntimeError):
    """Somebody else works on the run by now; whatever this process still wanted to write is rolled back."""


@dataclass(frozen=True)
class Lease:
    """The right to work on one run."""

    programme_id: uuid.UUID
    run_id: uuid.UUID
    token: str

    def keep(self, session: Session, now: datetime, **values: Any) -> None:
        """Write to the run and hold it for longer, in the caller's transaction.

        Raises `LeaseLost`.
        """
        written = session.execute(
            update(SyncRun)
            .where(SyncRun.programme_id == self.programme_id, SyncRun.id == self.run_id, SyncRun.lease == self.token)
            .values(lease_until=now + LASTS, **values)
            .execution_options(synchronize_session=False)
        )
        if written.rowcount != 1:  # type: ignore[attr-defined]  # CursorResult has it.
            raise LeaseLost


def new_lease_token() -> str:
    """Make a token that tells this machine which of its processes holds the lease; it does until `put_down`."""
    token = f"{socket.gethostname()[:100]}:{os.getpid()}:{_started(os.getpid())}:{new_token(12)}"
    _HERE.add(token)
    return token


def put_down(token: str) -> None:
    """Note that this process does not work under this token any more, whether or not the database could be told."""
    _HERE.discard(token)


def is_held(run: SyncRun, now: datetime) -> bool:
    """Tell whether somebody works on a run."""
    if run.lease is None or run.lease_until is None:
        return False
    host, pid, started, _ = run.lease.rsplit(":", 3)
    if host != socket.gethostname()[:100]:
        return run.lease_until > now
    if _started(int(pid)) != started or (int(pid) == os.getpid() and run.lease not in _HERE):
        return False
    return run.lease_until - LASTS + LASTS_WHILE_ALIVE > now


def _started(pid: int) -> str:
    """Return when a process of this machine began: that tells it from a later one of its number. Empty if gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except OSError:
        pass
    return "there"
