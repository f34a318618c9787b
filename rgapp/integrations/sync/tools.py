"""What working on runs needs besides the database, and where each run keeps its files."""

import errno
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.exc import OperationalError

from rgapp.integrations.sync.work import Progress
from rgapp.sealing import Sealer
from rgapp.turnstile import Bell


@dataclass(frozen=True)
class Tools:
    """What working on runs needs besides the database; `folder` is private, and the same for every worker.

    `bell` says where others wait for SQLite's write lock; `outbound_allow` are the origins that pulls may reach
    although they are private.
    """

    folder: Path
    sealer: Sealer
    clock: Callable[[], datetime]
    progress: Progress | None = None
    bell: Bell | None = None
    outbound_allow: frozenset[str] = frozenset()


def run_folder(folder: Path, run_id: uuid.UUID) -> Path:
    """Return the folder of a run: what it stages, and what its kind keeps meanwhile."""
    return folder / "runs" / run_id.hex


def kept_folder(folder: Path, run_id: uuid.UUID) -> Path:
    """Return where the pull of a run is kept until the run is settled, below the folder of all runs."""
    return folder / "pulls" / run_id.hex


def is_outage(error: BaseException) -> bool:
    """Tell whether something is away that every run needs, which says nothing of this one: it waits for its return."""
    if isinstance(error, OSError):
        return error.errno in {errno.ENOSPC, errno.EDQUOT}
    return isinstance(error, OperationalError)
