"""What the commands share: a group that turns errors into lines on stderr, options, JSON and tables."""

import functools
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import click
from flask.cli import AppGroup, with_appcontext
from sqlalchemy.exc import DBAPIError

from rgapp.clock import utcnow
from rgapp.database import reading
from rgapp.extensions import db
from rgapp.integrations.base import SettingsError
from rgapp.models import Programme, Role
from rgapp.programmes import ProgrammeError, find


class CommandError(click.ClickException):
    """Something the person at the terminal has to put right; each problem is one line on stderr."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))

    def show(self, file: Any = None) -> None:
        """Print each problem on a line of its own."""
        for line in self.message.splitlines():
            click.echo(f"Error: {line}", file=file, err=file is None)


def reads(function: Callable[..., Any]) -> Callable[..., Any]:
    """Run a command that only reads: it holds nobody up, however long its output takes."""

    @with_appcontext
    @functools.wraps(function)
    def command(*args: Any, **kwargs: Any) -> Any:
        with explained_errors(), reading():
            try:
                return function(*args, **kwargs)
            finally:
                db.session.rollback()

    return command


def writes(function: Callable[..., Any]) -> Callable[..., Any]:
    """Run a command that writes: all of it is committed, or nothing."""

    @with_appcontext
    @functools.wraps(function)
    def command(*args: Any, **kwargs: Any) -> Any:
        with explained_errors():
            try:
                result = function(*args, **kwargs)
                db.session.commit()
            except BaseException:
                db.session.rollback()
                raise
            return result

    return command


class explained_errors:
    """Turn the errors of services into a `CommandError` without a traceback."""

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: Any, error: BaseException | None, _: Any) -> None:
        """Translate what services raise; anything else is a bug and stays what it is."""
        if isinstance(error, ProgrammeError):
            raise CommandError(*(f"{name}: {text}" for name, text in error.errors.items())) from error
        if isinstance(error, SettingsError):
            raise CommandError(*(f"{each.path}: {each.message}" for each in error.problems)) from error
        if isinstance(error, DBAPIError):
            raise CommandError(_database_sentence(error)) from error


def _database_sentence(error: DBAPIError) -> str:
    reason = " ".join(str(error.orig).split())
    missing = "no such table" in reason or "no such column" in reason or "does not exist" in reason
    if missing:
        return f"The database is not up to date ({reason}). Run `flask db upgrade` first."
    return f"The database cannot be used: {reason}"


def group(name: str, text: str) -> AppGroup:
    """Return a group of commands."""
    return AppGroup(name, help=text, short_help=text)


programme_option = click.option(
    "--programme", "slug", required=True, metavar="SLUG", help="The programme's short name."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, and nothing else, on stdout.")
role_choice = click.Choice([role.value for role in Role])


def programme_called(slug: str) -> Programme:
    """Return the programme with this slug.

    Raises `CommandError`.
    """
    programme = find(db.session(), slug)
    if programme is None:
        raise CommandError(f"There is no programme called {slug!r}. `flask programme list` shows those there are.")
    return programme


def print_json(value: Any) -> None:
    """Print one JSON document."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_json_array(items: Iterable[Any]) -> None:
    """Print a JSON array one item a line, without holding all of it in memory."""
    separator = "["
    for item in items:
        click.echo(separator + "\n  " + json.dumps(item, ensure_ascii=False), nl=False)
        separator = ","
    click.echo("[]" if separator == "[" else "\n]")


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str | None]], *, empty: str) -> None:
    """Print rows in aligned columns; on stderr, say so where there are none."""
    table = [[value or "-" for value in row] for row in rows]
    if not table:
        click.echo(empty, err=True)
        return
    widths = [max(len(row[column]) for row in [list(headings), *table]) for column in range(len(headings))]
    for row in [list(headings), *table]:
        click.echo("  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)).rstrip())


def note(sentence: str) -> None:
    """Say something beside the data, on stderr."""
    click.echo(sentence, err=True)


__all__ = [
    "CommandError",
    "group",
    "json_option",
    "note",
    "print_json",
    "print_json_array",
    "print_table",
    "programme_called",
    "programme_option",
    "reads",
    "role_choice",
    "utcnow",
    "writes",
]
