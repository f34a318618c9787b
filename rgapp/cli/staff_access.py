"""`flask staff …` for people who have access: grant and revoke, deactivate, sign out, reset the second step."""

import click

from rgapp.audit.service import COMMAND_LINE
from rgapp.auth import second_factor, staff_access, staff_sessions
from rgapp.auth import staff as service
from rgapp.cli.staff import staff
from rgapp.cli.support import CommandError, programme_called, programme_option, utcnow, writes
from rgapp.extensions import db
from rgapp.models import Role, Staff

group = staff  # With the commands of this module.


def _staff_called(email: str) -> Staff:
    person = service.find_staff(db.session(), email.strip())
    if person is None:
        raise CommandError(f"There is nobody with the address {email}. `flask staff list` shows those there are.")
    return person


def _ended(count: int) -> str:
    return f"{count} session{'' if count == 1 else 's'} ended"


@staff.command("grant")
@click.argument("email")
@programme_option
@writes
def grant(email: str, slug: str) -> None:
    """Let an admin run one more programme."""
    person, programme = _staff_called(email), programme_called(slug)
    if person.role != Role.ADMIN:
        raise CommandError(f"{person.email} is {person.role} and sees every programme already.")
    service.grant(db.session(), person, programme, COMMAND_LINE, now=utcnow())
    click.echo(f"{person.email} runs {programme.slug}.")


@staff.command("revoke")
@click.argument("email")
@programme_option
@writes
def revoke(email: str, slug: str) -> None:
    """Let an admin run a programme no longer."""
    person, programme = _staff_called(email), programme_called(slug)
    if not staff_access.revoke(db.session(), person, programme, COMMAND_LINE, now=utcnow()):
        raise CommandError(f"{person.email} has no grant for {programme.slug}.")
    click.echo(f"{person.email} does not run {programme.slug} any more.")


@staff.command("deactivate")
@click.argument("email")
@writes
def deactivate(email: str) -> None:
    """Take all access from somebody, at once."""
    person = _staff_called(email)
    ended = staff_access.deactivate(db.session(), person, COMMAND_LINE, now=utcnow())
    click.echo(f"{person.email} has no access any more; {_ended(ended)}.")


@staff.command("reactivate")
@click.argument("email")
@writes
def reactivate(email: str) -> None:
    """Give somebody back the access that was taken."""
    person = _staff_called(email)
    if not staff_access.reactivate(db.session(), person, COMMAND_LINE, now=utcnow()):
        raise CommandError(f"{person.email} has access already.")
    click.echo(f"{person.email} has access again, with the programmes and the password of before.")


@staff.command("sign-out")
@click.argument("email")
@writes
def sign_out(email: str) -> None:
    """End all sessions of somebody; they can sign in again."""
    person = _staff_called(email)
    ended = staff_sessions.end_sessions(db.session(), person, COMMAND_LINE, now=utcnow())
    click.echo(f"{person.email} is signed out; {_ended(ended)}.")


@staff.command("reset-second-factor")
@click.argument("email")
@writes
def reset_second_factor(email: str) -> None:
    """Forget somebody's second step, so that they can set it up anew; make sure first that it is they who ask."""
    person = _staff_called(email)
    if not second_factor.switch_off(db.session(), person, COMMAND_LINE, now=utcnow()):
        raise CommandError(f"{person.email} signs in without a second step.")
    click.echo(f"{person.email} signs in with the password alone until they set a second step up again.")
