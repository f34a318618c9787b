"""A company of its own for journeys of provisioning, and a SCIM client that others wrote, which speaks to it."""

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_models import PatchOp, PatchOperation, SearchRequest

from tests.journeys.live import Live

PASSWORD = "a long password for journeys"
EMPLOYEES = """
  - kind: inbound-saml
    name: Staff Login
    published: true
    idp: {{metadata_file: {metadata}}}
    signed: assertion
    jit: {{create: {jit}, update: true}}
    mapping:
      membership_no: {{attribute: employeeNumber}}
      email: {{attribute: mail}}
      first_name: {{attribute: givenName}}
      last_name: {{attribute: sn}}
      date_of_birth: {{attribute: birthDate, format: "%d/%m/%Y"}}
"""
#: The second one takes users of random words, as testers of protocols send them.
DIRECTORIES = """
  - kind: scim
    name: Directory
    published: true
  - kind: scim
    name: Second directory
    published: true
    on_delete: detach
    mapping:
      membership_no: {attribute: userName}
      email: {attribute: emails.value}
"""


@dataclass(frozen=True)
class Company:
    """A programme with an HR admin, whose employees the demo identity provider signs in."""

    live: Live
    slug: str

    @property
    def admin(self) -> str:
        """Return the HR admin's address."""
        return f"hr@{self.slug}.example"

    @property
    def integrations(self) -> str:
        """Return the path of the Integrations Dashboard."""
        return f"/manager/{self.slug}/integrations"

    @classmethod
    def found(cls, live: Live, folder: Path, slug: str, *, jit: bool = False, directories: bool = False) -> "Company":
        """Make the company, with directories that are connected already or without."""
        live.flask(
            "programme", "create", "--name", slug.title(), "--slug", slug, "--contact-email", f"hr@{slug}.example"
        )
        company = cls(live, slug)
        words = (
            "--email",
            company.admin,
            "--name",
            "Hilda Brook",
            "--programme",
            slug,
            "--password-env",
            "FIRST_PASSWORD",
        )
        live.flask("staff", "create", *words, environment={"FIRST_PASSWORD": PASSWORD})
        with urllib.request.urlopen(f"{live.idp_url}/metadata", timeout=5) as answer:
            (folder / "metadata.xml").write_bytes(answer.read())
        declared = f"programme: {slug}\nintegrations:" + EMPLOYEES.format(metadata="metadata.xml", jit=str(jit).lower())
        declared += DIRECTORIES if directories else ""
        (folder / f"{slug}.yaml").write_text(declared)
        live.flask("integration", "apply", str(folder / f"{slug}.yaml"))
        return company

    def integration(self, name: str = "Directory") -> dict[str, Any]:
        """Return what the command line says of one integration."""
        listed = json.loads(self.live.flask("integration", "list", "--programme", self.slug, "--json"))
        return next(one for one in listed if one["name"] == name)

    def people(self) -> dict[str, dict[str, Any]]:
        """Return the users by Membership No."""
        listed = json.loads(self.live.flask("user", "list", "--programme", self.slug, "--json"))
        return {user["membership_no"]: user for user in listed}

    def token(self, name: str = "Directory") -> str:
        """Issue a token by the command line."""
        return self.live.flask("integration", "token", self.integration(name)["id"]).strip()


class Directory:
    """The company's directory, with what it has in it: scim2-client, which learns our schemas from the service."""

    def __init__(self, client: SyncSCIMClient) -> None:
        self.client = client
        client.discover()
        self.user_model: Any = client.get_resource_model("User")

    def add(self, number: str, given: str, family: str, mail: str, **more: Any) -> Any:
        """Look somebody up and, as nobody is found, create them; returns the resource."""
        found: Any = self.client.query(self.user_model, query_parameters=SearchRequest(filter=f'userName eq "{mail}"'))
        assert found.total_results == 0, found
        emails = [{"value": mail, "type": "work", "primary": True}]
        name = {"givenName": given, "familyName": family}
        person = {"userName": mail, "externalId": number, "active": True, "name": name, "emails": emails, **more}
        return self.client.create(self.user_model.model_validate(person))

    def change(self, user_id: str, path: str, value: Any) -> Any:
        """Change one attribute of somebody; returns the resource as it is afterwards."""
        operation: Any = PatchOperation(op=PatchOperation.Op.replace_, path=path, value=value)
        model = self.user_model
        return self.client.modify(model, user_id, PatchOp[model](operations=[operation]))  # type: ignore[valid-type]

    def remove(self, user_id: str) -> None:
        """Delete somebody."""
        self.client.delete(self.user_model, user_id)


@contextmanager
def directory(base_url: str, token: str) -> Iterator[Directory]:
    """Connect a directory to the service."""
    with httpx2.Client(base_url=base_url, headers={"Authorization": f"Bearer {token}"}) as http:
        yield Directory(SyncSCIMClient(http))
