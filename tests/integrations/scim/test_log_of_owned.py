"""A field that another directory owns is left out where a person is linked, and the log says so."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from rgapp.integrations.scim.log import note
from rgapp.integrations.scim.settings import DEFAULT_MAPPING
from rgapp.integrations.scim.tokens import Bearer
from rgapp.models import Integration, Programme, SCIMRequest
from tests.conftest import NOW
from tests.factories import Factory
from tests.integrations.scim.test_people import JANE, People, acme, entra

__all__ = ["acme", "entra"]


def test_the_second_directory_reads_what_was_left_out(
    session: Session, make: Factory, acme: Programme, entra: Integration
) -> None:
    People(session, entra).directory.create(JANE, active=True)
    okta = make.integration(acme, {"mapping": DEFAULT_MAPPING}, kind="scim", provider="scim", name="Okta")
    second = People(session, okta)
    second.directory.create(JANE | {"name": {"givenName": "Janet", "familyName": "Carter"}}, active=True)
    note(session, Bearer(acme.id, okta.id, okta.id, "abcd"), second.entry, listening=False, now=NOW)
    fields = {each["field"]: each for each in session.scalars(select(SCIMRequest)).one().fields}
    assert (fields["first_name"]["state"], fields["first_name"]["code"]) == ("wrong", "owned")
    assert fields["last_name"]["state"] == "ok"
    assert second.user().first_name == "Jane"
