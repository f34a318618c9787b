"""What a queue has to do, on each of the three real ones: SQLite, PostgreSQL and Redis."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from huey import Huey, crontab

from rgapp.jobs.queue import TRIED_AGAIN, make_queue
from rgapp.jobs.schedule import MINUTES_CAUGHT_UP, SLOTS_KEPT, SharedScheduler
from tests.core import postgres, redis

AT = datetime(2026, 5, 3, 9, 30, 20)  # noqa: DTZ001 - Huey's own times are UTC without a zone.
MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    """Return the address of a PostgreSQL server."""
    with postgres.server() as address:
        yield address


@pytest.fixture(scope="module")
def redis_server() -> Iterator[redis.RedisServer]:
    """Return a Redis server."""
    with redis.server() as made:
        yield made


@pytest.fixture(params=["sqlite", "postgresql", "redis"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the address of a queue."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'queue.db'}"
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgresql"))
    return str(request.getfixturevalue("redis_server").address)


class Process:
    """What one process has of a queue: its own connection, and the same tasks as the others."""

    def __init__(self, address: str) -> None:
        self.queue: Huey = make_queue(address)
        self.ran: list[Any] = []
        self.failing = False
        self.note = self.queue.task(name="note", **TRIED_AGAIN)(self._note)
        self.queue.periodic_task(crontab(minute="*"), name="each_minute")(lambda: None)
        self.queue.periodic_task(crontab(minute="32", hour="9"), name="once_a_day")(lambda: None)
        self.scheduler = SharedScheduler(self.queue, None, 1, True)

    def _note(self, value: Any) -> None:
        self.ran.append(value)
        if self.failing:
            raise RuntimeError("not now")

    def work(self) -> list[Any]:
        """Run what waits in the queue, as a worker does; returns what ran."""
        self.ran = []
        while (task := self.queue.dequeue()) is not None:
            self.queue.execute(task)
        return self.ran

    def waiting(self) -> list[str]:
        """Return the names of what waits in the queue."""
        return sorted(type(task).__name__ for task in self.queue.pending())


@pytest.fixture
def join(address: str) -> Iterator[Callable[[], Process]]:
    """Return a function that joins the queue as another process does; the queue is empty at first."""
    made: list[Process] = []

    def connect() -> Process:
        process = Process(address)
        process.queue.storage.blocking = False  # Else an empty queue is waited on for a second each time.
        made.append(process)
        return process

    connect().queue.flush()
    yield connect
    for process in made:
        close = getattr(process.queue.storage, "close", None) or process.queue.storage.pool.disconnect
        close()


def huey_now() -> datetime:
    """Return the time as Huey counts it: UTC without a zone."""
    return datetime.now(UTC).replace(tzinfo=None)


Join = Callable[[], Process]


def test_what_one_process_asks_for_another_does_in_that_order(join: Join) -> None:
    web, worker = join(), join()
    for number in range(5):
        web.note(number)
    assert worker.work() == [0, 1, 2, 3, 4]
    assert worker.work() == []


def test_what_was_asked_for_while_no_worker_ran_is_done_by_the_next(join: Join) -> None:
    web = join()
    web.note("waiting")
    assert join().work() == ["waiting"]


def test_each_task_goes_to_one_of_many_workers(join: Join) -> None:
    web, workers = join(), [join() for _ in range(4)]
    for number in range(40):
        web.note(number)
    with ThreadPoolExecutor(len(workers)) as pool:
        ran = [value for values in pool.map(Process.work, workers) for value in values]
    assert Counter(ran) == Counter(range(40))


def test_what_failed_is_tried_again_after_growing_pauses_and_then_given_up(join: Join) -> None:
    worker = join()
    worker.failing = True
    worker.note("mail")
    for minutes in (1, 5, 25):
        before = huey_now()
        assert worker.work() == ["mail"]
        pause = minutes * MINUTE
        assert worker.queue.read_schedule(before + pause - timedelta(seconds=1)) == []
        (again,) = worker.queue.read_schedule(huey_now() + pause)
        again.eta = None
        worker.queue.enqueue(again)
    assert worker.work() == ["mail"]
    assert (worker.queue.scheduled_count(), worker.queue.pending_count()) == (0, 0)


def test_a_planned_task_outlives_the_worker_that_planned_it(join: Join) -> None:
    worker, later = join(), datetime.now(UTC) + timedelta(hours=1)
    worker.note.schedule(("later",), eta=later)
    assert worker.work() == []
    after, eta = join(), later.replace(tzinfo=None)
    assert after.queue.read_schedule(eta - MINUTE) == []
    (planned,) = after.queue.read_schedule(eta)
    after.queue.execute(planned, eta)
    assert after.ran == ["later"]


def test_what_is_due_is_queued_once_however_many_workers_run(join: Join) -> None:
    workers = [join() for _ in range(5)]
    for minute in range(3):
        with ThreadPoolExecutor(len(workers)) as pool:
            looks = [
                pool.submit(worker.scheduler.enqueue_periodic_tasks, AT + minute * MINUTE + timedelta(seconds=second))
                for second, worker in enumerate(workers)
            ]
            [look.result() for look in looks]
    assert workers[0].waiting() == ["each_minute"] * 3 + ["once_a_day"]


def test_a_worker_that_starts_again_within_the_minute_queues_nothing_twice(join: Join) -> None:
    for _ in range(2):
        join().scheduler.enqueue_periodic_tasks(AT)
    assert join().waiting() == ["each_minute"]


def test_a_schedule_that_was_held_up_misses_no_minute(join: Join) -> None:
    worker = join()
    worker.scheduler.enqueue_periodic_tasks(AT)
    worker.scheduler.enqueue_periodic_tasks(AT + 3 * MINUTE)
    assert worker.waiting() == ["each_minute"] * 4 + ["once_a_day"]
    worker.scheduler.enqueue_periodic_tasks(AT + timedelta(hours=8))
    assert worker.queue.pending_count() == 5 + MINUTES_CAUGHT_UP + 1


def test_a_clock_that_is_set_back_queues_nothing_twice(join: Join) -> None:
    worker = join()
    for minutes in (5, 3, 5, 6):
        worker.scheduler.enqueue_periodic_tasks(AT + minutes * MINUTE)
    assert worker.waiting() == ["each_minute"] * 2


def test_old_slots_are_forgotten_and_nothing_else(join: Join) -> None:
    worker = join()
    worker.queue.put_if_empty("of somebody else", 1)
    for hours in (0, 1, 2, 3):
        worker.scheduler._seen = None
        worker.scheduler.enqueue_periodic_tasks(AT + hours * (SLOTS_KEPT + MINUTE))
    assert worker.queue.result_count() == 2


def test_many_processes_may_make_the_queue_at_once(address: str) -> None:
    """On their first start web processes and workers do; each makes the tables where there are any to make."""
    if address.startswith("postgresql"):
        queue = make_queue(address)
        for table in ("kv", "schedule", "task", "counter"):
            queue.storage.sql(f"DROP TABLE IF EXISTS huey_{table}")
        queue.storage.close()

    def ask(number: int) -> None:
        process = Process(address)
        process.note(number)
        getattr(process.queue.storage, "close", lambda: None)()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(8)))
    worker = Process(address)
    worker.queue.storage.blocking = False
    assert sorted(worker.work()) == list(range(8))
    getattr(worker.queue.storage, "close", lambda: None)()
