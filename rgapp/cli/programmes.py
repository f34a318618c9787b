"""`flask programme …`: create, change, list and show programmes."""

from typing import Any

import click
from flask import current_app
from sqlalchemy import select

from rgapp import programmes as service
from rgapp.audit.service import COMMAND_LINE
from rgapp.cli.support import (
    group,
    json_option,
    print_json,
    print_table,
    programme_called,
    reads,
    utcnow,
    writes,
)
from rgapp.extensions import db
from rgapp.models import Colour, Programme, Region

SECOND_FACTOR = "Everyone who runs the programme signs in with a second step."

programme = group("programme", "Create, change, list and show programmes.")


@programme.command("create")
@click.option("--name", required=True, help="The name employees see.")
@click.option("--slug", required=True, help="The short name in addresses: lower-case letters, digits, hyphens.")
@click.option(
    "--region",
    type=click.Choice([region.value for region in Region], case_sensitive=False),
    default=Region.INTERNATIONAL.value,
    show_default=True,
)
@click.option("--timezone", default="UTC", show_default=True, help="For example Europe/London.")
@click.option("--contact-name", default="", help="Whom refused employees are pointed to.")
@click.option("--contact-email", default="", help="Where refused employees can ask.")
@click.option(
    "--colour",
    type=click.Choice([colour.value for colour in Colour], case_sensitive=False),
    default=Colour.INDIGO.value,
    show_default=True,
)
@click.option("--passwords/--no-passwords", default=False, help="Let employees also sign in with a password.")
@click.option("--second-factor/--no-second-factor", default=False, help=SECOND_FACTOR)
@json_option
@writes
def create(as_json: bool, passwords: bool, second_factor: bool, **details: str) -> None:
    """Create a programme."""
    switches = {"password_sign_in": passwords, "second_factor_required": second_factor}
    made = service.create(db.session(), actor=COMMAND_LINE, now=utcnow(), **switches, **details)
    db.session.commit()
    if as_json:
        print_json(_as_data(made))
    else:
        click.echo(f"Created programme {made.slug} ({made.name}): {_site(made)}")


@programme.command("update")
@click.argument("slug")
@click.option("--name", help="The name employees see.")
@click.option("--timezone", help="For example Europe/London.")
@click.option("--contact-name", help="Whom refused employees are pointed to.")
@click.option("--contact-email", help="Where refused employees can ask.")
@click.option("--passwords/--no-passwords", "password_sign_in", default=None, help="Sign-in with a password, too.")
@click.option("--second-factor/--no-second-factor", "second_factor_required", default=None, help=SECOND_FACTOR)
@writes
def update(slug: str, **details: str | bool | None) -> None:
    """Change what is given of a programme's settings."""
    found = programme_called(slug)
    given = {key: value for key, value in details.items() if value is not None}
    changed = service.update(db.session(), found, actor=COMMAND_LINE, now=utcnow(), **given)
    click.echo(f"Changed programme {found.slug}." if changed else "Nothing was different, so nothing was changed.")


@programme.command("list")
@json_option
@reads
def list_programmes(as_json: bool) -> None:
    """List the programmes."""
    found = db.session.scalars(select(Programme).order_by(Programme.slug))
    if as_json:
        print_json([_as_data(each) for each in found])
        return
    rows = [(each.slug, each.name, each.region, each.timezone) for each in found]
    print_table(("slug", "name", "region", "time zone"), rows, empty="There is no programme yet.")


@programme.command("show")
@click.argument("slug")
@json_option
@reads
def show(slug: str, as_json: bool) -> None:
    """Show one programme."""
    data = _as_data(programme_called(slug))
    if as_json:
        print_json(data)
        return
    for key, value in data.items():
        click.echo(f"{key.replace('_', ' ')}: {value}")


def _site(made: Programme) -> str:
    return f"{current_app.config['BASE_URL']}/p/{made.slug}/"


def _as_data(made: Programme) -> dict[str, Any]:
    return {
        "id": str(made.id),
        "slug": made.slug,
        "name": made.name,
        "region": str(made.region),
        "timezone": made.timezone,
        "contact_name": made.contact_name,
        "contact_email": made.contact_email,
        "colour": str(made.colour),
        "password_sign_in": made.password_sign_in,
        "second_factor_required": made.second_factor_required,
        "guard": {"percent": made.guard_percent, "people": made.guard_people},
        "guard_second_person": made.guard_second_person,
        "url": _site(made),
    }
