"""`flask user …`: look at, create, deactivate and reactivate the users of a programme."""

from collections.abc import Iterator
from typing import Any

import click
from sqlalchemy import select

from rgapp.audit.service import COMMAND_LINE
from rgapp.cli.support import (
    CommandError,
    group,
    json_option,
    note,
    print_json,
    print_json_array,
    programme_called,
    programme_option,
    reads,
    utcnow,
    writes,
)
from rgapp.extensions import db
from rgapp.models import Programme, User, UserStatus
from rgapp.provisioning import (
    Field,
    FieldRule,
    Outcome,
    SourceRecord,
    deactivate,
    hand_policy,
    provision,
    reactivate,
    read_record,
)
from rgapp.wording import form_sentence, refusal_title

BATCH = 500
RULES = {field: FieldRule(field.value, "%Y-%m-%d" if field is Field.DATE_OF_BIRTH else None) for field in Field}
membership_option = click.option("--membership-no", required=True, metavar="NO")

user = group("user", "Look at and change the users of a programme.")


@user.command("list")
@programme_option
@click.option("--status", type=click.Choice([status.value for status in UserStatus]), help="Only these.")
@json_option
@reads
def list_users(slug: str, status: str | None, as_json: bool) -> None:
    """List the users by Membership No."""
    found = _users(programme_called(slug), status)
    if as_json:
        print_json_array(summary(each) for each in found)
        return
    columns = ("membership_no", "email", "first_name", "last_name", "date_of_birth", "status", "source")
    click.echo("\t".join(columns))
    for each in found:
        data = summary(each)
        click.echo("\t".join(data[column] or "" for column in columns))


@user.command("show")
@programme_option
@membership_option
@json_option
@reads
def show(slug: str, membership_no: str, as_json: bool) -> None:
    """Show one user, and where each detail came from."""
    data = details(_user(programme_called(slug), membership_no))
    if as_json:
        print_json(data)
        return
    for key, value in data.items():
        if isinstance(value, dict):
            value = ", ".join(f"{name}: {text}" for name, text in value.items())
        click.echo(f"{key.replace('_', ' ')}: {value or '-'}")


@user.command("create")
@programme_option
@membership_option
@click.option("--email", required=True)
@click.option("--first-name", default="")
@click.option("--last-name", default="")
@click.option("--date-of-birth", default="", metavar="YYYY-MM-DD")
@click.option("--welcome-email/--no-welcome-email", default=True, show_default=True)
@writes
def create(slug: str, welcome_email: bool, **fields: str) -> None:
    """Create a user by hand, with the same checks as every other source."""
    programme, now = programme_called(slug), utcnow()
    record = SourceRecord("command line", {name: [value] for name, value in fields.items()})
    reading = read_record(record, RULES, today=now.date(), blank_clears=True)
    problems = [
        f"--{entry.field.value.replace('_', '-')}: {form_sentence(entry.field, entry.problem.code, entry.problem.data)}"
        for entry in reading.fields
        if entry.problem is not None
    ]
    if problems:
        raise CommandError(*problems)
    holder = _find(programme, str(reading.person.membership_no))
    if holder is not None:
        raise CommandError(f"--membership-no: {holder.membership_no} is {holder.display_name} already.")
    policy = hand_policy(staff_name=COMMAND_LINE.label, welcome_email=welcome_email)
    outcome = provision(db.session(), programme.id, reading, policy, COMMAND_LINE, now=now)
    if not outcome.accepted:
        raise CommandError(_refusal(programme, outcome))
    db.session.commit()
    click.echo(f"Created {_label(_user(programme, str(reading.person.membership_no)))}.")


@user.command("deactivate")
@programme_option
@membership_option
@writes
def deactivate_user(slug: str, membership_no: str) -> None:
    """Make a user a leaver: every session ends, sign-in is refused, the history stays."""
    person = _user(programme_called(slug), membership_no)
    changed = deactivate(db.session(), person, COMMAND_LINE, now=utcnow())
    db.session.commit()
    click.echo(f"Deactivated {_label(person)}." if changed else f"{_label(person)} is a leaver already: unchanged.")


@user.command("reactivate")
@programme_option
@membership_option
@writes
def reactivate_user(slug: str, membership_no: str) -> None:
    """Give a leaver access again."""
    person = _user(programme_called(slug), membership_no)
    changed = reactivate(db.session(), person, COMMAND_LINE, now=utcnow())
    db.session.commit()
    click.echo(f"Reactivated {_label(person)}." if changed else f"{_label(person)} is active already: unchanged.")
    if person.email is None:
        note("Note: there is no e-mail address on file, because another person has taken it over.")


def summary(person: User) -> dict[str, Any]:
    """Return what `user list --json` gives of each user; part of the public interface."""
    return {
        "membership_no": person.membership_no,
        "email": person.email,
        "first_name": person.first_name,
        "last_name": person.last_name,
        "date_of_birth": person.date_of_birth.isoformat() if person.date_of_birth else None,
        "status": str(person.status),
        "source": person.source,
    }


def details(person: User) -> dict[str, Any]:
    """Return what `user show --json` gives: the summary, times, gaps and the source of each field."""
    times = ("created_at", "updated_at", "deactivated_at", "last_sign_in_at")
    moments = {name: getattr(person, name) for name in times}
    return {
        "id": str(person.id),
        **summary(person),
        **{name: moment.isoformat() if moment else None for name, moment in moments.items()},
        "gaps": person.gaps,
        "field_sources": {name: source["name"] for name, source in sorted(person.field_sources.items())},
    }


def _users(programme: Programme, status: str | None) -> Iterator[User]:
    """Yield the users by Membership No., a batch at a time: a list of any length takes little memory."""
    after = ""
    while True:
        wanted = select(User).where(User.programme_id == programme.id, User.membership_no > after)
        if status:
            wanted = wanted.where(User.status == status)
        batch = list(db.session.scalars(wanted.order_by(User.membership_no).limit(BATCH)))
        yield from batch
        if len(batch) < BATCH:
            return
        after = batch[-1].membership_no
        db.session.expunge_all()


def _find(programme: Programme, membership_no: str) -> User | None:
    return db.session.scalar(select(User).where(User.programme_id == programme.id, User.membership_no == membership_no))


def _user(programme: Programme, membership_no: str) -> User:
    person = _find(programme, membership_no)
    if person is None:
        raise CommandError(f"--membership-no: nobody in {programme.slug} has the Membership No. {membership_no!r}.")
    return person


def _refusal(programme: Programme, outcome: Outcome) -> str:
    other = db.session.get(User, (programme.id, outcome.conflict_user_id)) if outcome.conflict_user_id else None
    who = f" ({_label(other)})" if other is not None else ""
    return f"Refused because {refusal_title(outcome.refusal or '')}{who}."


def _label(person: User) -> str:
    return f"{person.display_name} ({person.membership_no})"
