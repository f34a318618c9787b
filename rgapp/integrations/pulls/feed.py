"""A pull as a feed: first all of it comes onto the disk, then it is fed from there, and never in part."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from rgapp.integrations.pulls.account import AccountError
from rgapp.integrations.pulls.store import PullStore
from rgapp.integrations.sync.feed import Damage, FeedContext, FeedFailure, FeedRow, Pulled
from rgapp.provisioning import Rules

INCOMPLETE: Final = "incomplete_pull"
CHANGED: Final = "The settings were changed since this pull was held. Discard it, and pull again."
GONE: Final = "What was pulled is no longer there. Discard this run, and pull again."

# Brings every row into the store; returns whether it is a full pull, and what it says of itself.
Pull = Callable[[PullStore], tuple[bool, Pulled]]


class PullFeed:
    """One pull. `fingerprint` is that of the settings, under which its rows were written."""

    def __init__(self, context: FeedContext, rules: Rules, fingerprint: bytes, pull: Pull) -> None:
        self.rules = rules
        self.full = context.wants_full
        self.share: float | None = None
        self.pulled: Pulled | None = None
        self._context = context
        self._fingerprint = fingerprint.hex()
        self._pull = pull
        self._store = PullStore(context.kept or context.folder / "pull")

    def fetch(self) -> None:
        """Pull, unless an earlier process did; a run that was released is about what was held.

        Raises `FeedFailure`.
        """
        said = self._store.said()
        if said is None or said["fingerprint"] != self._fingerprint:
            if self._context.released:
                raise FeedFailure(
                    "pull_gone" if said is None else "settings_changed", GONE if said is None else CHANGED
                )
            said = self._fresh()
        self.full, self.pulled = said["full"], Pulled.of(said["pulled"])
        self._rows = said["rows"]

    _rows = 0

    def batches(self) -> Iterator[Sequence[FeedRow]]:
        """Yield the rows."""
        done = 0
        for batch in self._store.batches():
            done += len(batch)
            self.share = done / max(self._rows, 1)
            yield batch

    def damage(self) -> Damage:
        """Return nothing: a pull is whole, or it is none."""
        return Damage()

    def close(self) -> None:
        """Let go of the file."""
        self._store.close()

    def _fresh(self) -> dict[str, Any]:
        self._store.begin()
        try:
            full, pulled = self._pull(self._store)
        except AccountError as error:
            at = getattr(error, "data", {}).get("at")
            facts = {"retry_at": at.isoformat()} if isinstance(at, datetime) else {}
            raise FeedFailure(INCOMPLETE, error.sentence, code=error.code, **facts) from error
        said = {
            "fingerprint": self._fingerprint,
            "full": full,
            "rows": self._store.rows,
            "pulled": pulled.as_data(),
        }
        self._store.end(said)
        return said
