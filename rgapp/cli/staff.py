"""`flask staff …`: give people access to Reward Manager."""

import os
from typing import Any

import click
from flask import current_app
from sqlalchemy import select

from rgapp.audit import Tag
from rgapp.audit.service import COMMAND_LINE
from rgapp.auth import staff as service
from rgapp.auth.password_history import store_password
from rgapp.auth.passwords import NewPassword, PasswordRejected, new_password
from rgapp.auth.staff_events import record_access_event
from rgapp.cli.support import (
    CommandError,
    group,
    json_option,
    note,
    print_json,
    print_table,
    reads,
    role_choice,
    utcnow,
    writes,
)
from rgapp.database import without_lock
from rgapp.extensions import db
from rgapp.models import Programme, Role, Staff, StaffGrant
from rgapp.programmes import find
from rgapp.provisioning.record import InvalidValue
from rgapp.provisioning.validation import clean, read_email
from rgapp.wording_passwords import password_problems

NAME_LENGTH = 100

staff = group("staff", "Give people access to Reward Manager.")


@staff.command("create")
@click.option("--email", required=True)
@click.option("--name", default="", help="Default: the part of the address before the @.")
@click.option("--role", type=role_choice, default=Role.ADMIN.value, show_default=True)
@click.option("--programme", "slugs", multiple=True, metavar="SLUG", help="For admins; may be given repeatedly.")
@click.option("--password-env", metavar="NAME", help="Set the password found in this environment variable.")
@json_option
@writes
def create(email: str, name: str, role: str, slugs: tuple[str, ...], password_env: str | None, as_json: bool) -> None:
    """Create a staff member and print a one-time link to set the password."""
    problems: list[str] = []
    with without_lock():
        email, name = _identity(email, name, problems)
        granted = _programmes(Role(role), slugs, problems)
        password = _password(password_env, [email, name, *(each.name for each in granted)], problems)
    if problems:
        raise CommandError(*problems)
    now = utcnow()
    try:
        person = service.create_staff(
            db.session(),
            email=email,
            name=name,
            role=Role(role),
            programmes=granted,
            actor=COMMAND_LINE,
            now=now,
        )
    except service.StaffExists as error:
        raise CommandError(
            f"--email: {email} has access already. `flask staff link --email {email}` makes a new link."
        ) from error
    if password is not None:
        store_password(db.session(), person, password, now=now)
        record_access_event(db.session(), Tag.STAFF_PASSWORD_SET, person, COMMAND_LINE, now=now)
    link = None if password is not None else service.issue_link(db.session(), person, COMMAND_LINE, now=now)
    db.session.commit()
    data = _as_data(person, [each.slug for each in granted])
    if as_json:
        print_json(data | _link_data(link))
        return
    where = f" for {', '.join(data['programmes'])}" if granted else ""
    click.echo(f"Created {role} {person.name} ({person.email}){where}.")
    if link is None:
        click.echo(f"The password is the one in {password_env}.")
    else:
        _print_link(link)


@staff.command("link")
@click.option("--email", required=True)
@json_option
@writes
def link(email: str, as_json: bool) -> None:
    """Print a new one-time link to set the password; links made before stop working."""
    person = service.find_staff(db.session(), email.strip())
    if person is None or person.deactivated_at is not None:
        raise CommandError(f"--email: nobody with access has the address {email}.")
    issued = service.issue_link(db.session(), person, COMMAND_LINE, now=utcnow())
    db.session.commit()
    if as_json:
        print_json(_link_data(issued))
    else:
        _print_link(issued)


@staff.command("list")
@json_option
@reads
def list_staff(as_json: bool) -> None:
    """List who has access to Reward Manager, and to which programmes."""
    granted: dict[Any, list[str]] = {}
    pairs = select(StaffGrant.staff_id, Programme.slug).join(Programme, Programme.id == StaffGrant.programme_id)
    for staff_id, slug in db.session.execute(pairs.order_by(Programme.slug)):
        granted.setdefault(staff_id, []).append(slug)
    people = list(db.session.scalars(select(Staff).order_by(Staff.email_key)))
    if as_json:
        print_json([_as_data(person, granted.get(person.id, [])) for person in people])
        return
    rows = [
        (
            person.email,
            person.name,
            person.role,
            "all" if person.sees_all else ", ".join(granted.get(person.id, [])),
            "on" if person.has_second_factor else "off",
            "active" if person.is_active else "deactivated",
            person.last_sign_in_at.strftime("%Y-%m-%d %H:%M UTC") if person.last_sign_in_at else "never",
        )
        for person in people
    ]
    print_table(
        ("e-mail", "name", "role", "programmes", "second step", "access", "last sign-in"),
        rows,
        empty="There is no staff member yet.",
    )


def _identity(email: str, name: str, problems: list[str]) -> tuple[str, str]:
    """Return the address and the name, trimmed."""
    try:
        email = read_email(clean(email))
    except InvalidValue:
        problems.append("--email: this is not a complete e-mail address.")
    name = " ".join(name.split()) or email.partition("@")[0]
    if len(name) > NAME_LENGTH or not name.isprintable():
        problems.append(f"--name: use at most {NAME_LENGTH} printable characters.")
    return email, name


def _programmes(role: Role, slugs: tuple[str, ...], problems: list[str]) -> list[Programme]:
    if role is not Role.ADMIN:
        if slugs:
            note(f"Note: {role} sees every programme, so --programme is not needed.")
        return []
    if not slugs:
        problems.append("--programme: an admin needs at least one programme.")
    found = {slug: find(db.session(), slug) for slug in slugs}
    problems += [f"--programme: there is no programme called {slug!r}." for slug, each in found.items() if not each]
    return [each for each in found.values() if each]


def _password(variable: str | None, personal: list[str], problems: list[str]) -> NewPassword | None:
    """Return the password that the environment variable holds, checked and hashed."""
    if variable is None:
        return None
    password = os.environ.get(variable)
    if not password:
        problems.append(f"--password-env: the environment variable {variable} is not set.")
        return None
    try:
        return new_password(password, personal=personal)
    except PasswordRejected as rejected:
        words = " ".join(password_problems(rejected))
        problems.append(f"--password-env: the password in {variable} is refused. {words}")
        return None


def _address(issued: service.IssuedLink) -> str:
    return f"{current_app.config['BASE_URL']}/manager/password/{issued.token}"


def _print_link(issued: service.IssuedLink) -> None:
    until = issued.expires_at.strftime("%Y-%m-%d %H:%M UTC")
    click.echo(f"One-time link to set the password, until {until}:")
    click.echo(_address(issued))


def _link_data(issued: service.IssuedLink | None) -> dict[str, Any]:
    if issued is None:
        return {"link": None, "link_expires_at": None}
    return {"link": _address(issued), "link_expires_at": issued.expires_at.isoformat()}


def _as_data(person: Staff, slugs: list[str]) -> dict[str, Any]:
    return {
        "email": person.email,
        "name": person.name,
        "role": str(person.role),
        "programmes": slugs,
        "active": person.deactivated_at is None,
        "has_password": person.password_hash is not None,
        "has_second_factor": person.has_second_factor,
        "last_sign_in_at": person.last_sign_in_at.isoformat() if person.last_sign_in_at else None,
    }
