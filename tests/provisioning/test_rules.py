"""The table of what each source may do, matching, and every refusal."""

from collections.abc import Callable

import pytest

from rgapp.models import User, UserStatus
from rgapp.provisioning import (
    Field,
    OutcomeKind,
    ProblemCode,
    Refusal,
    Source,
    hand_policy,
    preview,
    saml_policy,
)
from rgapp.provisioning.record import UNSET
from tests.provisioning.conftest import Bench, reading_of

CREATED, UPDATED, UNCHANGED = OutcomeKind.CREATED, OutcomeKind.UPDATED, OutcomeKind.UNCHANGED
DEACTIVATED, REACTIVATED, REJECTED = OutcomeKind.DEACTIVATED, OutcomeKind.REACTIVATED, OutcomeKind.REJECTED


def saml(bench: Bench, *, create: bool = True, update: bool = False, welcome_email: bool = True):
    return saml_policy(
        integration_id=bench.directory(owner=False).id,
        name="Okta",
        create=create,
        update=update,
        welcome_email=welcome_email,
    )


@pytest.mark.parametrize(
    ("create", "expected", "refusal"), [(True, CREATED, None), (False, REJECTED, Refusal.NO_ACCOUNT)]
)
def test_saml_creates_only_where_the_box_is_ticked(
    bench: Bench, create: bool, expected: OutcomeKind, refusal: Refusal | None
) -> None:
    outcome = bench.take(policy=saml(bench, create=create))
    assert (outcome.kind, outcome.refusal) == (expected, refusal)
    assert len(bench.users()) == (1 if create else 0)


@pytest.mark.parametrize(("update", "expected", "name"), [(False, UNCHANGED, "Jane"), (True, UPDATED, "Janet")])
def test_saml_updates_only_where_that_is_on(bench: Bench, update: bool, expected: OutcomeKind, name: str) -> None:
    bench.take(policy=saml(bench))
    outcome = bench.take(reading_of(first_name="Janet"), saml(bench, update=update))
    assert (outcome.kind, bench.user().first_name) == (expected, name)


def test_saml_never_deactivates(bench: Bench) -> None:
    bench.take(policy=saml(bench))
    assert bench.take(reading_of(active=False), saml(bench, update=True)).kind is UNCHANGED
    assert bench.user().status == UserStatus.ACTIVE


@pytest.mark.parametrize("active", [True, UNSET])
def test_saml_never_revives_a_leaver(bench: Bench, leaver: Callable[..., User], active: object) -> None:
    leaver()
    outcome = bench.take(reading_of(active=active), saml(bench, update=True))
    assert (outcome.kind, outcome.refusal, outcome.user_id) == (REJECTED, Refusal.LEAVER, bench.user().id)
    assert bench.user().status == UserStatus.LEAVER


@pytest.mark.parametrize("source", [Source.SCIM, Source.SFTP, Source.BAMBOOHR, Source.HAND])
def test_the_other_sources_may_do_everything(bench: Bench, source: Source) -> None:
    policy = bench.policy(source)
    kinds = [
        bench.take(reading_of(), policy).kind,
        bench.take(reading_of(), policy).kind,
        bench.take(reading_of(last_name="Baker"), policy).kind,
        bench.take(reading_of(last_name="Baker", active=False), policy).kind,
        bench.take(reading_of(last_name="Baker", active=False), policy).kind,
        bench.take(reading_of(last_name="Baker", active=True), policy).kind,
    ]
    assert kinds == [CREATED, UNCHANGED, UPDATED, DEACTIVATED, UNCHANGED, REACTIVATED]


def test_a_leaver_stays_one_where_the_source_may_not_reactivate(bench: Bench, leaver: Callable[..., User]) -> None:
    leaver()
    outcome = bench.take(reading_of(active=True), bench.policy(reactivate=False))
    assert outcome.refusal is Refusal.LEAVER


def test_a_leaver_cannot_be_deactivated_by_a_source_that_may_not(bench: Bench, leaver: Callable[..., User]) -> None:
    leaver()
    outcome = bench.take(reading_of(active=False), bench.policy(deactivate=False, reactivate=False))
    assert outcome.refusal is Refusal.LEAVER


def test_nobody_is_created_as_a_leaver(bench: Bench) -> None:
    outcome = bench.take(reading_of(active=False))
    assert (outcome.kind, outcome.refusal, bench.users()) == (REJECTED, Refusal.NO_ACCOUNT, [])


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"membership_no": None}, {Field.MEMBERSHIP_NO: ProblemCode.MISSING}),
        ({"membership_no": "  "}, {Field.MEMBERSHIP_NO: ProblemCode.EMPTY}),
        ({"email": None}, {Field.EMAIL: ProblemCode.MISSING}),
        ({"email": "jane"}, {Field.EMAIL: ProblemCode.NOT_AN_ADDRESS}),
        ({"membership_no": ["E1", "E2"]}, {Field.MEMBERSHIP_NO: ProblemCode.AMBIGUOUS}),
        (
            {"membership_no": "E" * 65, "email": None},
            {Field.MEMBERSHIP_NO: ProblemCode.TOO_LONG, Field.EMAIL: ProblemCode.MISSING},
        ),
    ],
)
def test_a_mandatory_field_that_is_missing_or_wrong_refuses_the_record(
    bench: Bench, fields: dict[str, object], wrong: dict[Field, ProblemCode]
) -> None:
    outcome = bench.take(reading_of(**fields))
    assert (outcome.kind, outcome.refusal, outcome.accepted) == (REJECTED, Refusal.FIELDS, False)
    assert {each.field: each.problem.code for each in outcome.reading.errors if each.problem} == wrong
    assert (bench.users(), bench.tags(), bench.mails()) == ([], [], [])


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("first_name", None, ProblemCode.MISSING),
        ("first_name", "", ProblemCode.EMPTY),
        ("last_name", "R2D2", ProblemCode.BAD_CHARACTERS),
        ("last_name", ["Carter", "Baker"], ProblemCode.AMBIGUOUS),
        ("date_of_birth", "31/12/1990", ProblemCode.UNREADABLE_DATE),
        ("date_of_birth", "1990-02-31", ProblemCode.IMPOSSIBLE_DATE),
        ("date_of_birth", "2190-01-01", ProblemCode.FUTURE_DATE),
    ],
)
def test_a_recommended_field_never_refuses_and_the_gap_is_kept(
    bench: Bench, field: str, value: object, code: ProblemCode
) -> None:
    outcome = bench.take(reading_of(**{field: value}))
    user = bench.user()
    assert outcome.kind is CREATED
    assert (getattr(user, field), user.gaps, user.incomplete) == (None, {field: code.value}, True)


def test_a_gap_closes_when_the_value_comes(bench: Bench) -> None:
    bench.take(reading_of(first_name=None))
    bench.take(reading_of())
    assert (bench.user().gaps, bench.user().incomplete) == ({}, False)


def test_what_is_not_mentioned_is_not_blanked(bench: Bench) -> None:
    bench.take()
    outcome = bench.take(reading_of(date_of_birth=None, first_name="", last_name="R2D2"))
    user = bench.user()
    assert outcome.kind is UNCHANGED
    assert (user.first_name, user.last_name, user.date_of_birth.isoformat()) == ("Jane", "Carter", "1990-04-03")


def test_what_a_person_clears_in_a_form_is_cleared(bench: Bench) -> None:
    bench.take()
    outcome = bench.take(reading_of(date_of_birth="", blank_clears=True), bench.policy(Source.HAND))
    user = bench.user()
    assert outcome.kind is UPDATED
    assert (user.date_of_birth, user.gaps) == (None, {"date_of_birth": "not_mapped"})
    assert "date_of_birth" not in user.field_sources


def test_a_mandatory_field_cannot_be_cleared(bench: Bench) -> None:
    bench.take()
    outcome = bench.take(reading_of(email="", blank_clears=True), bench.policy(Source.HAND))
    assert outcome.refusal is Refusal.FIELDS


def test_a_change_of_case_in_an_address_is_no_update(bench: Bench) -> None:
    bench.take()
    assert bench.take(reading_of(email="Jane.Carter@ACME.example")).kind is UNCHANGED
    assert bench.user().email == "jane.carter@acme.example"


def test_membership_numbers_are_compared_exactly(bench: Bench) -> None:
    for number in ("e1", "E1", "01", "1"):
        assert (
            bench.take(reading_of(membership_no=number, email=f"{number.encode().hex()}@acme.example")).kind is CREATED
        )
    assert len(bench.users()) == 4


def test_an_address_of_somebody_else_is_a_conflict_and_never_linked(bench: Bench) -> None:
    bench.take()
    outcome = bench.take(reading_of(membership_no="E2", email="JANE.carter@acme.example"))
    assert (outcome.refusal, outcome.conflict_user_id) == (Refusal.EMAIL_CONFLICT, bench.user().id)
    assert len(bench.users()) == 1


def test_the_address_of_a_leaver_is_a_conflict_for_a_sign_in(bench: Bench, leaver: Callable[..., User]) -> None:
    gone = leaver()
    outcome = bench.take(reading_of(membership_no="E2"), saml(bench))
    assert (outcome.refusal, outcome.conflict_user_id) == (Refusal.EMAIL_CONFLICT, gone.id)


def test_the_address_of_a_leaver_passes_on_where_the_policy_says_so(bench: Bench, leaver: Callable[..., User]) -> None:
    gone = leaver()
    outcome = bench.take(reading_of(membership_no="E2"), hand_policy(staff_name="Ann", welcome_email=False))
    assert outcome.kind is CREATED
    assert (gone.email, gone.email_key, "email" in gone.field_sources) == (None, None, False)
    assert bench.user("E2").email == "jane.carter@acme.example"
    assert bench.tags()[-2:] == ["user:email-released", "user:created"]


def test_a_leavers_address_can_pass_to_an_existing_person(bench: Bench, leaver: Callable[..., User]) -> None:
    gone = leaver()
    policy = hand_policy(staff_name="Ann", welcome_email=False)
    bench.take(reading_of(membership_no="E2", email="old@acme.example"), policy)
    assert bench.take(reading_of(membership_no="E2"), policy).kind is UPDATED
    assert (gone.email, bench.user("E2").email) == (None, "jane.carter@acme.example")


def test_a_leavers_address_stays_where_nothing_takes_it(bench: Bench, leaver: Callable[..., User]) -> None:
    gone = leaver()
    policy = bench.policy(takes_leaver_email=True, update=False)
    bench.take(reading_of(membership_no="E2", email="old@acme.example"), policy)
    assert bench.take(reading_of(membership_no="E2"), policy).kind is UNCHANGED
    assert gone.email == "jane.carter@acme.example"


@pytest.mark.parametrize(("identifies", "expected"), [(True, REJECTED), (False, UPDATED)])
def test_a_contradicting_birth_date_refuses_who_identifies_and_corrects_elsewhere(
    bench: Bench, identifies: bool, expected: OutcomeKind
) -> None:
    bench.take()
    outcome = bench.take(reading_of(date_of_birth="1991-04-03"), bench.policy(identifies=identifies))
    assert outcome.kind is expected
    assert outcome.refusal is (Refusal.BIRTH_DATE_CONFLICT if identifies else None)


@pytest.mark.parametrize("missing", ["on file", "in the record"])
def test_a_birth_date_that_is_not_known_contradicts_nothing(bench: Bench, missing: str) -> None:
    bench.take(reading_of(date_of_birth=None if missing == "on file" else "1990-04-03"))
    said = "1991-04-03" if missing == "on file" else None
    assert bench.take(reading_of(date_of_birth=said), bench.policy(identifies=True)).accepted


def test_matching_never_leaves_the_programme(bench: Bench) -> None:
    elsewhere = Bench(bench.session, bench.make.programme("globex"), bench.make)
    elsewhere.take()
    assert bench.take().kind is CREATED
    assert bench.user().id != elsewhere.user().id


def test_an_external_identity_is_matched_before_the_membership_number(bench: Bench) -> None:
    policy = bench.policy(integration_id=bench.directory().id)
    bench.take(reading_of(external_id="x-1"), policy)
    outcome = bench.take(reading_of(external_id="x-1", membership_no="E9"), policy)
    assert outcome.kind is UPDATED
    assert [user.membership_no for user in bench.users()] == ["E9"]


def test_an_account_that_was_there_is_linked_by_its_membership_number(bench: Bench) -> None:
    policy = bench.policy(integration_id=bench.directory().id)
    bench.take()
    for number in ("E1001", "E1001", "E7"):
        bench.take(reading_of(external_id="x-1", membership_no=number), policy)
    assert [user.membership_no for user in bench.users()] == ["E7"]


def test_external_identities_of_other_integrations_do_not_match(bench: Bench) -> None:
    first, second = (bench.policy(integration_id=bench.directory(owner=False).id) for _ in range(2))
    bench.take(reading_of(external_id="x-1"), first)
    other = reading_of(external_id="x-1", membership_no="E2", email="two@acme.example")
    assert bench.take(other, second).kind is CREATED


def test_a_number_of_somebody_else_is_a_conflict_for_a_linked_account(bench: Bench) -> None:
    policy = bench.policy(integration_id=bench.directory().id)
    bench.take(reading_of(external_id="x-1"), policy)
    bench.take(reading_of(external_id="x-2", membership_no="E2", email="two@acme.example"), policy)
    outcome = bench.take(reading_of(external_id="x-1", membership_no="E2"), policy)
    assert (outcome.refusal, outcome.conflict_user_id) == (Refusal.MEMBERSHIP_CONFLICT, bench.user("E2").id)


def test_a_given_account_is_matched_whatever_the_record_says(bench: Bench) -> None:
    bench.take()
    outcome = bench.take(reading_of(membership_no="E5"), bench.policy(Source.HAND), target_id=bench.user().id)
    assert (outcome.kind, [user.membership_no for user in bench.users()]) == (UPDATED, ["E5"])


@pytest.mark.parametrize("fields", [{"email": None}, {"email": "taken@acme.example"}, {"membership_no": "E2"}])
def test_who_has_left_goes_at_once_whatever_else_is_wrong(bench: Bench, fields: dict[str, str]) -> None:
    policy = bench.policy(integration_id=bench.directory().id)
    bench.take(reading_of(external_id="x-1"), policy)
    bench.take(reading_of(membership_no="E2", email="taken@acme.example"), policy)
    record = reading_of(external_id="x-1", active=False, last_name="Other", **fields)
    assert bench.take(record, policy).kind is DEACTIVATED
    assert (bench.user().status, bench.user().last_name) == (UserStatus.LEAVER, "Carter")
    assert bench.take(record, policy).kind is UNCHANGED


class TestOwnedFields:
    """Provision Master: fields that a live directory integration owns."""

    def test_a_sign_in_leaves_them_alone_and_says_so(self, bench: Bench) -> None:
        bench.take(policy=bench.policy(integration_id=bench.directory().id))
        outcome = bench.take(reading_of(first_name="Janet"), saml(bench, update=True))
        assert (outcome.kind, outcome.blocked, bench.user().first_name) == (UNCHANGED, (Field.FIRST_NAME,), "Jane")

    def test_a_person_is_refused_instead(self, bench: Bench) -> None:
        bench.take(policy=bench.policy(integration_id=bench.directory().id))
        outcome = bench.take(reading_of(first_name="Janet"), hand_policy(staff_name="Ann", welcome_email=False))
        assert (outcome.refusal, outcome.blocked) == (Refusal.OWNED_FIELDS, (Field.FIRST_NAME,))

    def test_the_owner_changes_its_own(self, bench: Bench) -> None:
        policy = bench.policy(integration_id=bench.directory().id)
        bench.take(policy=policy)
        assert bench.take(reading_of(first_name="Janet"), policy).kind is UPDATED

    def test_fields_it_never_gave_stay_editable(self, bench: Bench) -> None:
        bench.take(reading_of(date_of_birth=None), bench.policy(integration_id=bench.directory().id))
        outcome = bench.take(reading_of(), hand_policy(staff_name="Ann", welcome_email=False))
        assert outcome.kind is UPDATED

    @pytest.mark.parametrize("state", [{"owner": False}, {"enabled": False}])
    def test_an_integration_that_is_off_owns_nothing(self, bench: Bench, state: dict[str, bool]) -> None:
        directory = bench.directory(**state)
        bench.take(policy=bench.policy(integration_id=directory.id))
        assert bench.take(reading_of(first_name="Janet"), saml(bench, update=True)).kind is UPDATED


def test_a_preview_decides_the_same_and_writes_nothing(bench: Bench) -> None:
    for policy in (bench.policy(), bench.policy(create=False)):
        seen = preview(bench.session, bench.programme.id, reading_of(), policy)
        assert (bench.users(), bench.tags(), bench.mails()) == ([], [], [])
        assert (seen.kind, seen.refusal) == ((CREATED, None) if policy.create else (REJECTED, Refusal.NO_ACCOUNT))
