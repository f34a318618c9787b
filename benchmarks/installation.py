"""An installation of the application to measure: production configuration, one programme, one published connection."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography.fernet import Fernet
from flask import Flask
from flask_migrate import upgrade

from benchmarks import load
from benchmarks.place import ATTRIBUTES, IDP_ENTITY_ID, Place
from benchmarks.responses import Errand, Signer
from rgapp import create_app, programmes
from rgapp.audit.service import COMMAND_LINE
from rgapp.demo.responses import make_idp_key, parse_authn_request
from rgapp.extensions import db
from rgapp.integrations import service
from rgapp.integrations.saml.kind import KIND, service_urls

BASE_URL = "https://rewards.example"


@dataclass(frozen=True)
class Installation:
    """A migrated database with a connection in it, and what serves it."""

    instance: Path
    environment: Mapping[str, str]
    signer: Signer
    login_path: str

    @property
    def place(self) -> Place:
        """Return where responses go."""
        return self.signer.place

    def app(self) -> Flask:
        """Make the application in this process."""
        return create_app(self.environment)


def install(instance: Path, database: str) -> Installation:
    """Migrate a new database and publish one connection with JIT."""
    instance.mkdir(parents=True, exist_ok=True)
    environment = {
        "INSTANCE": str(instance),
        "RGAPP_ENV": "production",
        "RGAPP_BASE_URL": BASE_URL,
        "RGAPP_DATABASE_URL": database,
        "RGAPP_SECRET_KEY": "only-for-the-benchmark-0123456789abcdef",
        "RGAPP_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "RGAPP_SMTP_URL": "folder",
        "RGAPP_TRUSTED_PROXIES": "1",  # The one that speaks TLS; every person comes from an address of their own.
    }
    now = datetime.now(UTC)
    key, certificate = make_idp_key(now, "Benchmark identity provider")
    app = create_app(environment)
    with app.app_context():
        upgrade()
        session = db.session()
        programme = programmes.create(session, actor=COMMAND_LINE, now=now, slug="acme", name="Acme", contact_email="")
        integration = service.create(
            session,
            programme,
            kind=KIND,
            provider="custom",
            name="Okta",
            sealer=app.extensions["sealer"],
            actor=COMMAND_LINE,
            now=now,
            draft=_settings(certificate),
        )
        service.publish(session, integration, actor=COMMAND_LINE, now=now, without_test=True)
        session.commit()
        urls = service_urls(integration.public_id, BASE_URL)
        db.engine.dispose()
    signer = Signer(key, certificate, Place(urls["entity_id"], urls["acs"]))
    return Installation(instance, environment, signer, urlsplit(urls["acs"]).path.removesuffix("acs") + "login")


def _settings(certificate: str) -> dict[str, Any]:
    mapping: dict[str, Any] = {field: {"attribute": name} for field, name in ATTRIBUTES.items()}
    mapping["date_of_birth"]["format"] = "%d/%m/%Y"
    return {
        "idp": {"entity_id": IDP_ENTITY_ID, "sso_url": "https://idp.example/sso", "certificates": [certificate]},
        "signed": "assertion",
        "sp_initiated": True,
        "jit": {"create": True, "update": False, "welcome_email": True},
        "mapping": mapping,
    }


def address_of(person: int) -> str:
    """Return the address from which a person comes."""
    return f"10.{person >> 16 & 255}.{person >> 8 & 255}.{person & 255}"


def start_sign_ins(port: int, where: Installation, people: range) -> tuple[list[Errand], load.Load]:
    """Let everybody open the login address; returns their errands, and how that load went."""
    host = where.place.host
    wanted = [load.get(where.login_path, host=host, client=address_of(person)) for person in people]
    done = load.run(port, wanted, clients=8, heads=True)
    return [errand_of(person, answer) for person, answer in zip(people, done.answers, strict=True)], done


def errand_of(person: int, answer: load.Answer) -> Errand:
    """Read what an answer of the login address gives the browser."""
    if answer.status != 302:
        raise RuntimeError(f"The login address answered {answer.status}.")
    headers = [line.partition(": ") for line in answer.head.decode().split("\r\n")]
    location = next(value for name, _, value in headers if name.lower() == "location")
    cookies = [value.partition(";")[0] for name, _, value in headers if name.lower() == "set-cookie"]
    query = urlsplit(location).query
    return Errand(
        person,
        parse_authn_request(query).id,
        parse_qs(query)["RelayState"][0],
        "; ".join(cookies),
    )
