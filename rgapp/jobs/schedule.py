"""The schedule that all workers share: what is due at a minute is put into the queue once, whoever sees it first."""

import logging
from datetime import datetime, timedelta
from typing import Any

from huey.consumer import Consumer, Scheduler

from rgapp.jobs.logs import shorten_errors

logger = logging.getLogger("huey.consumer.Scheduler")

SLOT = "slot:"
SLOT_FORMAT = "%Y-%m-%dT%H:%M"
# Slots are kept so that a worker whose clock is behind finds them taken; longer than clocks may differ.
SLOTS_KEPT = timedelta(hours=1)
# A scheduler that was held up catches up on the minutes it missed, but not on a night's.
MINUTES_CAUGHT_UP = 5
MINUTE = timedelta(minutes=1)


class SharedScheduler(Scheduler):  # type: ignore[misc]  # huey carries no types.
    """Puts each periodic task of each minute into the queue once, however many workers run.

    The queue's storage decides: only one worker can write the slot of a task and a minute. A worker that dies between
    that and the queue loses the task of that minute; each of our tasks finds at its next time what it left.
    """

    _seen: datetime | None = None

    def enqueue_periodic_tasks(self, now: datetime | None = None) -> None:
        """Put what is due at this minute, and at those since the last look, into the queue."""
        minute = (now or self.huey._get_timestamp()).replace(second=0, microsecond=0)
        due = minute if self._seen is None else max(self._seen + MINUTE, minute - MINUTES_CAUGHT_UP * MINUTE)
        try:
            while due <= minute:
                for task in self.huey.read_periodic(due):
                    if self._take(type(task).__name__, due):
                        self.huey.enqueue(task)
                self._seen = due
                due += MINUTE
            self._forget(minute - SLOTS_KEPT)
        except Exception:
            logger.exception("the schedule could not be kept; it goes on where it was at the next minute")

    def _take(self, name: str, minute: datetime) -> bool:
        taken: bool = self.huey.put_if_empty(f"{SLOT}{minute:{SLOT_FORMAT}}:{name}", 1)
        return taken

    def _forget(self, before: datetime) -> None:
        oldest = f"{SLOT}{before:{SLOT_FORMAT}}"
        for key in self.huey.all_results():
            text = key.decode() if isinstance(key, bytes) else key
            if text.startswith(SLOT) and text < oldest:
                self.huey.delete(text)


class SharedConsumer(Consumer):  # type: ignore[misc]
    """The worker's threads, with the schedule that all workers share."""

    scheduler_class = SharedScheduler


class SharedSchedule:
    """A queue whose workers share one schedule."""

    def create_consumer(self, **options: Any) -> SharedConsumer:
        """Return what runs the tasks of this queue."""
        shorten_errors()
        return SharedConsumer(self, **options)
