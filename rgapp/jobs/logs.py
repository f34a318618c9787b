"""What the worker's log says of a queue or a database that is away: one line, and none of the values."""

import logging
import sqlite3

import psycopg
from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError

LOGGERS = ("huey", "huey.consumer", "huey.consumer.Worker", "huey.consumer.Scheduler")
SHORT = (psycopg.Error, RedisError, sqlite3.Error, DBAPIError)


class ShortErrors(logging.Filter):
    """Replaces the traceback of an error of queue or database by its name.

    While a server restarts there would be a traceback each second, and PostgreSQL names people's details in messages.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten the record; every record passes."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, SHORT):
            cause = getattr(error, "orig", None) or error
            record.msg, record.args = f"{record.getMessage()} {type(cause).__name__}", ()
            record.exc_info = record.exc_text = None
        return True


def shorten_errors() -> None:
    """Let Huey's loggers write such errors in one line."""
    for name in LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(found, ShortErrors) for found in logger.filters):
            logger.addFilter(ShortErrors())
