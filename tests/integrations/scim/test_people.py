"""SCIM resources on their way through provisioning: created, linked, changed, cleared, taken out, refused."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from rgapp.integrations.scim.log import Entry
from rgapp.integrations.scim.people import Directory, PersonRefused, SCIMConnection
from rgapp.integrations.scim.settings import DEFAULT_MAPPING, PERSON_SCHEMA, SCIMSettings
from rgapp.models import Alert, ExternalIdentity, Integration, Programme, User, UserStatus
from rgapp.provisioning import OutcomeKind, Refusal
from rgapp.provisioning.ownership import owned_fields
from rgapp.scim.errors import scim_error
from tests.conftest import NOW
from tests.factories import Factory

JANE: dict[str, Any] = {
    "userName": "jane.carter@acme.example",
    "externalId": "E1001",
    "name": {"givenName": "Jane", "familyName": "Carter"},
    "emails": [{"value": "jane.carter@acme.example", "type": "work", "primary": True}],
    PERSON_SCHEMA: {"dateOfBirth": "1990-04-03"},
}


@pytest.fixture
def acme(make: Factory) -> Programme:
    """Return the programme acme."""
    return make.programme("acme")


@pytest.fixture
def entra(make: Factory, acme: Programme) -> Integration:
    """Return a live SCIM integration."""
    return make.integration(acme, {"mapping": DEFAULT_MAPPING}, kind="scim", provider="scim", name="Entra")


class People:
    """One integration's directory, and a look at what came of it."""

    def __init__(self, session: Session, integration: Integration, **settings: Any) -> None:
        chosen = SCIMSettings.model_validate({"mapping": DEFAULT_MAPPING} | settings)
        self.connection = SCIMConnection(integration.programme_id, integration.id, integration.name, "UTC", chosen)
        self.session, self.now = session, NOW

    @property
    def directory(self) -> Directory:
        """Return the directory as one request has it."""
        self.entry = Entry("POST", "/Users")
        return Directory(self.session, self.connection, self.entry, now=self.now)

    def user(self, membership_no: str = "E1001") -> User:
        """Return an account by its Membership No."""
        return self.session.scalars(
            select(User).where(User.programme_id == self.connection.programme_id, User.membership_no == membership_no)
        ).one()


@pytest.fixture
def people(session: Session, entra: Integration) -> People:
    """Return the people of Entra under the usual settings."""
    return People(session, entra)


def test_somebody_new_has_an_account_with_every_field(people: People) -> None:
    outcome = people.directory.create(JANE, active=True)
    user = people.user()
    assert (outcome.kind, outcome.user_id) == (OutcomeKind.CREATED, user.id)
    assert (user.email, user.first_name, user.last_name) == ("jane.carter@acme.example", "Jane", "Carter")
    assert str(user.date_of_birth) == "1990-04-03"
    assert user.field_sources["email"]["name"] == "Entra"
    assert (people.entry.outcome, people.entry.user_id) == ("created", user.id)


def test_somebody_with_an_account_is_linked_and_owned_from_then_on(
    people: People, make: Factory, acme: Programme
) -> None:
    known = make.user(acme, membership_no="E1001", email="jane.carter@acme.example", first_name="Jane")
    outcome = people.directory.create(JANE, active=True)
    assert (outcome.kind, outcome.user_id) == (OutcomeKind.UPDATED, known.id)
    assert {given["name"] for given in people.user().field_sources.values()} == {"Entra"}


def test_an_address_of_somebody_else_is_refused_and_nothing_is_linked(
    people: People, make: Factory, acme: Programme
) -> None:
    make.user(acme, membership_no="M9", email="jane.carter@acme.example")
    with pytest.raises(PersonRefused) as refused:
        people.directory.create(JANE, active=True)
    assert refused.value.outcome.refusal is Refusal.EMAIL_CONFLICT
    assert (people.entry.outcome, people.entry.reason) == ("rejected", "email_conflict")


def test_every_field_that_is_wrong_is_named_at_once(people: People) -> None:
    with pytest.raises(PersonRefused) as refused:
        people.directory.create({"userName": "jane", "emails": [{"value": "nonsense"}]}, active=True)
    assert [entry.field.value for entry in refused.value.outcome.reading.errors] == ["membership_no", "email"]


def test_a_value_that_the_client_takes_away_is_cleared_and_one_it_never_said_is_kept(people: People) -> None:
    user_id = people.directory.create(JANE, active=True).user_id
    assert user_id is not None
    without_birth = {key: value for key, value in JANE.items() if key != PERSON_SCHEMA}
    outcome = people.directory.update(user_id, JANE, without_birth, active=True)
    assert [change.field.value for change in outcome.changes] == ["date_of_birth"]
    assert people.user().date_of_birth is None
    nameless = {key: value for key, value in without_birth.items() if key != "name"}
    assert people.directory.update(user_id, nameless, nameless, active=True).kind is OutcomeKind.UNCHANGED
    assert people.user().first_name == "Jane"


def test_a_mandatory_value_cannot_be_taken_away(people: People) -> None:
    user_id = people.directory.create(JANE, active=True).user_id
    assert user_id is not None
    with pytest.raises(PersonRefused):
        people.directory.update(user_id, JANE, JANE | {"emails": []}, active=True)


def test_who_is_set_inactive_leaves_and_returns_with_the_same_account(people: People) -> None:
    user_id = people.directory.create(JANE, active=True).user_id
    assert user_id is not None
    assert people.directory.update(user_id, JANE, JANE, active=False).kind is OutcomeKind.DEACTIVATED
    assert people.user().status == UserStatus.LEAVER
    outcome = people.directory.create(JANE, active=True)
    assert (outcome.kind, outcome.user_id) == (OutcomeKind.REACTIVATED, user_id)


def test_a_second_directory_takes_out_and_brings_back_whom_it_names_otherwise(
    people: People, session: Session, make: Factory, acme: Programme
) -> None:
    people.directory.create(JANE, active=True)
    okta = People(session, make.integration(acme, {"mapping": DEFAULT_MAPPING}, kind="scim", provider="scim"))
    janet = JANE | {"name": {"givenName": "Janet", "familyName": "Carter"}}
    user_id = okta.directory.create(janet, active=True).user_id
    assert user_id is not None
    assert okta.directory.update(user_id, janet, janet, active=False).kind is OutcomeKind.DEACTIVATED
    assert okta.directory.update(user_id, janet, janet | {"title": "x"}, active=True).kind is OutcomeKind.REACTIVATED
    with pytest.raises(PersonRefused):
        okta.directory.update(user_id, janet, janet | {"name": {"givenName": "Jana"}}, active=True)
    assert people.user().first_name == "Jane"


@pytest.mark.parametrize(("on_delete", "status"), [("deactivate", "leaver"), ("detach", "active")])
def test_a_delete_means_what_the_settings_say(
    session: Session, entra: Integration, on_delete: str, status: str
) -> None:
    people = People(session, entra, on_delete=on_delete)
    user_id = people.directory.create(JANE, active=True).user_id
    assert user_id is not None
    people.directory.delete(user_id, JANE)
    assert people.user().status == status
    # The client says nothing of her any more, so it is HR's again to keep her details right.
    assert owned_fields(session, people.user(), by_others_than=None) == frozenset()
    assert people.user().field_sources["email"]["name"] == "Entra"


def test_a_delete_goes_through_whatever_the_resource_says(people: People) -> None:
    user_id = people.directory.create(JANE, active=True).user_id
    assert user_id is not None
    outcome = people.directory.delete(user_id, {"userName": "x"})
    assert outcome is not None
    assert outcome.kind is OutcomeKind.DEACTIVATED


def test_the_clients_own_identifier_finds_a_person_whose_number_changed(session: Session, entra: Integration) -> None:
    mapping = DEFAULT_MAPPING | {"membership_no": {"attribute": "userName"}}
    people = People(session, entra, mapping=mapping)
    first = people.directory.create(JANE | {"userName": "E1", "externalId": "object-1"}, active=True)
    people.directory.delete(first.user_id, JANE | {"userName": "E1"})  # type: ignore[arg-type]  # It was created.
    again = people.directory.create(JANE | {"userName": "E2", "externalId": "object-1"}, active=True)
    assert (again.kind, again.user_id) == (OutcomeKind.REACTIVATED, first.user_id)
    assert people.user("E2").id == first.user_id


@pytest.mark.parametrize("becomes", ["object-2", None])
def test_an_identifier_that_was_changed_does_not_bring_its_former_owner_back(
    session: Session, entra: Integration, becomes: str | None
) -> None:
    people = People(session, entra, mapping=DEFAULT_MAPPING | {"membership_no": {"attribute": "userName"}})
    before = JANE | {"userName": "E1", "externalId": "object-1"}
    after = {name: value for name, value in (before | {"externalId": becomes}).items() if value is not None}
    jane = people.directory.create(before, active=True).user_id
    assert jane is not None
    people.directory.update(jane, before, after, active=True)
    people.directory.update(jane, after, after, active=False)
    bob = {"userName": "E2", "externalId": "object-1", "emails": [{"value": "bob@acme.example"}]}
    assert people.directory.create(bob, active=True).kind is OutcomeKind.CREATED
    assert (people.user("E1").status, people.user("E1").first_name) == (UserStatus.LEAVER, "Jane")


@pytest.fixture
def named(session: Session, entra: Integration) -> People:
    """Return people whose Membership No. is their userName, so that externalId is an identity of its own."""
    mapping = DEFAULT_MAPPING | {"membership_no": {"attribute": "userName"}}
    people = People(session, entra, mapping=mapping)
    people.directory.create(JANE | {"userName": "E1", "externalId": "object-1"}, active=True)
    people.directory.create(BOB, active=True)
    return people


def meant_by(session: Session, external_id: str) -> list[str]:
    """Return the Membership No. of whom an identifier means."""
    query = select(User.membership_no).join(ExternalIdentity, ExternalIdentity.user_id == User.id)
    return list(session.scalars(query.where(ExternalIdentity.external_id == external_id)))


BOB = {"userName": "E2", "externalId": "object-2", "emails": [{"value": "bob@acme.example"}]}


def test_an_identifier_of_a_leaver_passes_to_whom_it_means_now(named: People, session: Session) -> None:
    jane, bob = named.user("E1"), named.user("E2")
    named.directory.delete(jane.id, JANE | {"userName": "E1", "externalId": "object-1"})
    named.directory.update(bob.id, BOB, BOB | {"externalId": "object-1"}, active=True)
    assert (meant_by(session, "object-1"), meant_by(session, "object-2")) == (["E2"], [])
    with pytest.raises(PersonRefused) as refused:
        named.directory.create(JANE | {"userName": "E1", "externalId": "object-1"}, active=True)
    assert refused.value.outcome.refusal is Refusal.MEMBERSHIP_CONFLICT


def test_an_identifier_of_somebody_active_is_refused(named: People, session: Session) -> None:
    bob = named.user("E2")
    with pytest.raises(PersonRefused) as refused:
        named.directory.update(bob.id, BOB, BOB | {"externalId": "object-1"}, active=True)
    assert refused.value.outcome.refusal is Refusal.IDENTITY_CONFLICT
    assert scim_error(refused.value).scim_type == "uniqueness"
    assert refused.value.outcome.conflict_user_id == named.user("E1").id
    assert (meant_by(session, "object-1"), meant_by(session, "object-2")) == (["E1"], ["E2"])


def test_who_leaves_goes_whatever_identifier_comes_with_that(named: People, session: Session) -> None:
    bob = named.user("E2")
    outcome = named.directory.update(bob.id, BOB, BOB | {"externalId": "object-1"}, active=False)
    assert (outcome.kind, outcome.only_leaves) == (OutcomeKind.DEACTIVATED, True)
    assert (meant_by(session, "object-1"), meant_by(session, "object-2")) == (["E1"], ["E2"])


def test_no_identity_is_kept_beside_a_membership_number_that_is_the_same(people: People, session: Session) -> None:
    people.directory.create(JANE, active=True)
    assert session.scalars(select(ExternalIdentity)).all() == []


def test_a_day_is_the_programmes_own(session: Session, entra: Integration) -> None:
    people = People(session, entra)
    people.connection = replace(people.connection, timezone="Pacific/Kiritimati")  # 14 hours ahead.
    people.now = NOW + timedelta(hours=1)
    people.directory.create(JANE | {PERSON_SCHEMA: {"dateOfBirth": "2026-05-04"}}, active=True)
    assert str(people.user().date_of_birth) == "2026-05-04"


def test_many_leavers_in_a_day_raise_an_alert(people: People, session: Session) -> None:
    made = [
        people.directory.create(
            JANE | {"externalId": f"E{number}", "emails": [{"value": f"p{number}@acme.example"}]}, active=True
        )
        for number in range(8)
    ]
    for outcome in made[:6]:
        assert outcome.user_id is not None
        people.directory.delete(outcome.user_id, JANE)
    assert [alert.kind for alert in session.scalars(select(Alert))] == ["unusual_leavers"]
