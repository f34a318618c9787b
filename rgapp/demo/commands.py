"""`flask demo …`: exists only where RGAPP_DEMO=1."""

from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup

from rgapp.clock import utcnow
from rgapp.demo import people
from rgapp.demo.bamboohr.service import KEY
from rgapp.demo.load import load_demo
from rgapp.demo.store import DemoStore
from rgapp.extensions import db, sealer

demo = AppGroup("demo", help="The demo programme and its identity provider.")


@demo.command("load")
def load() -> None:
    """Load what is missing of the demo, and print where to go."""
    store = DemoStore.of(Path(current_app.instance_path))
    load_demo(
        db.session(),
        store,
        sealer=sealer(),
        base_url=current_app.config["BASE_URL"],
        now=utcnow(),
    )
    db.session.commit()
    click.echo(welcome(store, current_app.config["BASE_URL"]))


def welcome(store: DemoStore, base_url: str) -> str:
    """Return who can go where, with the passwords of this installation's demo."""
    width = max(len(person.email) for person in people.STAFF)
    rows = [f"    {person.label:<9} {person.email:<{width}}  {store.password()}" for person in people.STAFF]
    return "\n".join(
        [
            f"  Employees sign in       {base_url}/p/{people.PROGRAMME_SLUG}/login",
            f"    with “{people.CONNECTION_NAME}”, choosing one of six people; no password is asked",
            f"  Simulated BambooHR      sub-domain acme, API key {KEY}",
            f"  Demo identity provider  {store.url}/   (opens {people.PROGRAMME_NAME} from its own page)",
            "",
            f"  Reward Manager          {base_url}/manager/",
            *rows,
            "    (passwords as they were made; one changed since then is not shown here)",
        ]
    )
