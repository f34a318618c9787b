"""The export: the same people as the list, in a file that no spreadsheet runs."""

import csv
import io

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from rgapp.audit import Tag
from rgapp.clock import utcnow
from rgapp.models import AuditEvent, UserStatus
from rgapp.spreadsheets import FORMULA_STARTS, safe_cell
from rgapp.users import queries
from tests.factories import Factory
from tests.users.conftest import Platform


def rows_of(client: FlaskClient, query: str = "") -> list[dict[str, str]]:
    """Return the rows of the exported file."""
    answer = client.get(f"/users/export.csv{query}")
    assert answer.status_code == 200
    assert answer.mimetype == "text/csv"
    text = answer.get_data(as_text=True)
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def test_the_file_has_the_people_and_their_fields(admin: FlaskClient, make: Factory, platform: Platform) -> None:
    user = make.user(platform.acme, membership_no="007", first_name="Žofie", email="zofie@acme.example")
    user.last_sign_in_at = utcnow().replace(2026, 5, 3, 9, 30)
    assert rows_of(admin) == [
        {
            "Programme": "Acme Rewards",
            "Membership No.": "007",
            "E-mail address": "zofie@acme.example",
            "First name": "Žofie",
            "Last name": "Field",
            "Date of birth": "1990-04-03",
            "Status": "active",
            "Source": "By hand",
            "Last sign-in (UTC)": "2026-05-03 09:30",
        }
    ]


def test_the_filters_of_the_list_hold(admin: FlaskClient, make: Factory, platform: Platform) -> None:
    make.user(platform.acme, first_name="Ann")
    make.user(platform.acme, first_name="Bob").status = UserStatus.LEAVER
    make.user(platform.other, first_name="Elsewhere")
    assert [row["First name"] for row in rows_of(admin)] == ["Ann", "Bob"]
    assert [row["First name"] for row in rows_of(admin, "?status=leaver")] == ["Bob"]
    assert [row["First name"] for row in rows_of(admin, "?q=ann")] == ["Ann"]


def test_support_exports_across_programmes(support: FlaskClient, make: Factory, platform: Platform) -> None:
    make.user(platform.acme)
    make.user(platform.other)
    assert {row["Programme"] for row in rows_of(support)} == {"Acme Rewards", "Other Rewards"}


def test_batches_join_without_loss(
    admin: FlaskClient, make: Factory, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "EXPORT_BATCH", 2)
    numbers = {make.user(platform.acme).membership_no for _ in range(5)}
    assert {row["Membership No."] for row in rows_of(admin)} == numbers


def test_formulas_arrive_as_text(admin: FlaskClient, make: Factory, platform: Platform) -> None:
    make.user(platform.acme, membership_no='=HYPERLINK("http://evil.example")', email="+1@acme.example")
    (row,) = rows_of(admin)
    assert row["Membership No."] == '\'=HYPERLINK("http://evil.example")'
    assert row["E-mail address"] == "'+1@acme.example"


@given(st.text())
def test_no_cell_is_a_formula(value: str) -> None:
    cell = safe_cell(value)
    assert cell == "" or not cell.lstrip(" ").startswith(FORMULA_STARTS)
    assert cell in (value, f"'{value}")


def test_who_took_the_list_is_recorded_without_the_search(
    admin: FlaskClient, make: Factory, session: Session, platform: Platform
) -> None:
    make.user(platform.acme)
    rows_of(admin, "?q=robin&status=active")
    event = session.scalars(select(AuditEvent).where(AuditEvent.tag == Tag.USERS_EXPORTED)).one()
    assert (event.programme_id, event.actor_label) == (platform.acme.id, "Ada Admin")
    assert event.facts == {"filters": "a search, status active"}
