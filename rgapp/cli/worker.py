"""`flask worker`: run the queue's tasks and their schedules."""

import click
from flask import current_app
from flask.cli import with_appcontext

SHUTDOWN_SECONDS = 10


@click.command("worker")
@click.option("--workers", type=click.IntRange(1, 64), default=2, show_default=True, help="Threads that run tasks.")
@click.option("--periodic/--no-periodic", default=True, help="Also start what is scheduled.", show_default=True)
@with_appcontext
def worker(workers: int, periodic: bool) -> None:
    """Run the worker; SIGTERM and Ctrl-C let running tasks finish."""
    consumer = current_app.extensions["queue"].create_consumer(
        workers=workers,
        periodic=periodic,
        max_delay=1.0,
        graceful_signal="TERM",
        shutdown_timeout=SHUTDOWN_SECONDS,
    )
    click.echo(f"Worker with {workers} threads is running.", err=True)
    consumer.run()
