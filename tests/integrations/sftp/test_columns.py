"""Columns of an example file: guesses by name, verdicts by content, and dates that nobody guesses."""

from datetime import date
from pathlib import Path

import pytest

from rgapp.integrations.files.delimited import DelimitedTable
from rgapp.integrations.files.sheet import SheetTable
from rgapp.integrations.files.table import Unreadable
from rgapp.integrations.sftp import columns, headers
from rgapp.integrations.sftp.columns import Finding, Sample
from rgapp.integrations.sftp.settings import Columns
from rgapp.provisioning.record import Field, InvalidValue, ProblemCode
from rgapp.wording import long_date
from tests.sheets import spreadsheet

TODAY = date(2026, 11, 24)


@pytest.fixture
def sample_of(tmp_path: Path) -> "SampleMaker":
    """Return what reads the sample of a text."""
    return SampleMaker(tmp_path)


class SampleMaker:
    """Reads the sample of a text."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "example"

    def __call__(self, text: str, rows: int = columns.ROWS_LOOKED_AT) -> Sample:
        self._path.write_text(text, newline="")
        return columns.take_sample(DelimitedTable(self._path), rows)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (
            ["Employee ID", "E-mail", "First name", "Last name", "Birthday", "Status"],
            ["Employee ID", "E-mail", "First name", "Last name", "Birthday", "Status"],
        ),
        (
            ["Employee_Number", "Work Email Address", "Given Name", "Surname", "DOB", "Employment Status"],
            ["Employee_Number", "Work Email Address", "Given Name", "Surname", "DOB", "Employment Status"],
        ),
        (
            ["Employee #", "Home Email", "Work Email", "Preferred Name", "Last Name", "Birth Date (MM/DD/YYYY)"],
            ["Employee #", "Work Email", "Preferred Name", "Last Name", "Birth Date (MM/DD/YYYY)", None],
        ),
        (
            ["Personalnummer", "E-Mail-Adresse", "Vorname", "Name", "Geb.-Datum", "Abteilung"],
            ["Personalnummer", "E-Mail-Adresse", "Vorname", "Name", "Geb.-Datum", None],
        ),
        (
            ["Pers.-Nr.", "Geschäftliche E-Mail", "Rufname", "Nachname", "Geburtsdatum", "Beschäftigungsstatus"],
            ["Pers.-Nr.", "Geschäftliche E-Mail", "Rufname", "Nachname", "Geburtsdatum", "Beschäftigungsstatus"],
        ),
        (
            ["Matricule", "Nom", "Prénom", "Courriel", "Date de naissance", "Statut"],
            ["Matricule", "Courriel", "Prénom", "Nom", "Date de naissance", "Statut"],
        ),
        (
            ["N° salarié", "Adresse e-mail", "Prénom usuel", "Nom d'usage", "Né(e) le", "Situation"],
            ["N° salarié", "Adresse e-mail", "Prénom usuel", "Nom d'usage", None, None],
        ),
        (
            ["Nº de empleado", "Correo electrónico", "Nombre", "Apellidos", "Fecha de nacimiento", "Estado"],
            ["Nº de empleado", "Correo electrónico", "Nombre", "Apellidos", "Fecha de nacimiento", "Estado"],
        ),
        (
            ["Worker ID", "Worker - Email", "Worker First Name", "Worker Last Name", "Worker Date of Birth", "Active"],
            ["Worker ID", "Worker - Email", "Worker First Name", "Worker Last Name", "Worker Date of Birth", "Active"],
        ),
        (
            ["USERID", "EMAIL", "FIRSTNAME", "LASTNAME", "DATE_OF_BIRTH", "STATUS"],
            ["USERID", "EMAIL", "FIRSTNAME", "LASTNAME", "DATE_OF_BIRTH", "STATUS"],
        ),
        (
            ["Manager ID", "Manager email", "Manager first name", "Department", "Hire date", "Cost centre"],
            [None, None, None, None, None, None],
        ),
    ],
)
def test_columns_are_guessed_by_the_names_that_hr_systems_give_them(
    header: list[str], expected: list[str | None]
) -> None:
    found = headers.guess(header)
    order = [*(field.value for field in Field), "status"]
    assert [header[found[name]] if name in found else None for name in order] == expected


def test_column_that_is_there_twice_is_not_guessed() -> None:
    assert "email" not in headers.guess(["ID", "Email", "E-Mail"])


def test_no_name_stands_for_two_fields() -> None:
    names = [name for each in headers.NAMES.values() for name in each]
    assert len(names) == len(set(names))
    assert all(headers.plain(name) == name for name in names)


def test_addresses_are_known_by_their_looks(sample_of: SampleMaker) -> None:
    sample = sample_of("Nr;Kontakt;Ort\n" + "".join(f"{n};p{n}@acme.example;Bern\n" for n in range(9)))
    assert columns.guess(sample) == {"email": "Kontakt"}


def test_two_columns_of_addresses_are_for_a_person_to_choose_from(sample_of: SampleMaker) -> None:
    assert columns.guess(sample_of("Nr;One;Two\n1;a@acme.example;b@acme.example\n")) == {}


def test_faulty_rows_are_no_sample(sample_of: SampleMaker) -> None:
    sample = sample_of('ID,Mail\nE1,a@acme.example\nE2\nE3,"b\nE4,d@acme.example\n\n')
    assert sample.rows == 2
    assert sample.values("id") == ["E1", "E4"]
    assert sample.values("Salary") is None


def test_sample_has_an_end(sample_of: SampleMaker) -> None:
    assert sample_of("ID,Mail\n" + "E1,a@acme.example\n" * 50, rows=20).rows == 20


def mapping(**sources: str) -> Columns:
    """Return a mapping of the mandatory fields and these."""
    found = {"membership_no": "ID", "email": "Mail"} | sources
    birth = {"format": "%d/%m/%Y"}
    return Columns.model_validate(
        {name: {"column": column} | (birth if name == "date_of_birth" else {}) for name, column in found.items()}
    )


def test_columns_that_fit_say_so_with_examples(sample_of: SampleMaker) -> None:
    sample = sample_of("ID,Mail,Born\nE1,a@acme.example,03/04/1990\nE2,b@acme.example,14/11/1985\n")
    found = columns.verdicts(sample, mapping(date_of_birth="born"), today=TODAY)
    assert [verdict.finding for verdict in found] == [Finding.FITS] * 3
    assert found[2].examples == (("03/04/1990", date(1990, 4, 3)), ("14/11/1985", date(1985, 11, 14)))
    assert not any(verdict.stops for verdict in found)


@pytest.mark.parametrize(
    ("rows", "finding", "stops"),
    [
        ("", Finding.BLANK, True),
        ("E1,\n", Finding.BLANK, True),
        ("E1,Jane\nE2,Joe\nE3,c@acme.example\n", Finding.UNREADABLE, True),
        ("E1,a@acme.example\nE2,Joe\nE3,c@acme.example\n", Finding.SOME_UNREADABLE, False),
    ],
)
def test_column_of_addresses_holds_addresses(rows: str, finding: Finding, stops: bool, sample_of: SampleMaker) -> None:
    found = columns.verdicts(sample_of("ID,Mail\n" + rows), mapping(), today=TODAY)[1]
    assert found.finding is finding
    assert found.stops is stops
    if found.unreadable:
        assert found.problem is ProblemCode.NOT_AN_ADDRESS
        assert found.wrong in {"Jane", "Joe"}


def test_column_that_is_not_there_is_missing(sample_of: SampleMaker) -> None:
    found = columns.verdicts(sample_of("ID,E-Mail\nE1,a@acme.example\n"), mapping(first_name="Name"), today=TODAY)
    assert [(each.finding, each.stops) for each in found[1:]] == [(Finding.MISSING, True), (Finding.MISSING, False)]


def test_identifiers_that_repeat_are_none(sample_of: SampleMaker) -> None:
    sample = sample_of("ID,Mail\n" + "North,a@acme.example\nSouth,b@acme.example\n" * 2)
    assert columns.verdicts(sample, mapping(), today=TODAY)[0].finding is Finding.REPEATED


def test_dates_that_can_be_read_in_two_ways_are_offered_in_both(sample_of: SampleMaker) -> None:
    sample = sample_of("ID,Born\n1,03/04/1990\n2,05/06/1985\n")
    found = columns.dates_of(sample, "Born", today=TODAY)
    shown = {choice.label: [long_date(read) for _, read in choice.examples] for choice in found.choices}
    assert shown == {"dd/mm/yyyy": ["3 April 1990", "5 June 1985"], "mm/dd/yyyy": ["4 March 1990", "6 May 1985"]}


def test_one_value_can_rule_a_format_out(sample_of: SampleMaker) -> None:
    found = columns.dates_of(sample_of("ID,Born\n1,03/04/1990\n2,14/11/1985\n"), "Born", today=TODAY)
    assert [choice.format for choice in found.choices] == ["%d/%m/%Y"]


def test_two_formats_in_one_file_are_told_by_their_odd_values(sample_of: SampleMaker) -> None:
    found = columns.dates_of(sample_of("ID,Born\n1,13/04/1990\n2,14/11/1985\n3,1990-04-03\n"), "Born", today=TODAY)
    assert not found.choices
    assert found.odd == ["1990-04-03"]
    assert [(near.format, [text for text, _ in near.examples]) for near in found.nearest] == [
        ("%d/%m/%Y", ["13/04/1990", "14/11/1985"])
    ]


def test_format_that_reads_half_of_the_dates_is_not_near(sample_of: SampleMaker) -> None:
    found = columns.dates_of(sample_of("ID,Born\n1,13/04/1990\n2,1990-04-03\n"), "Born", today=TODAY)
    assert not found.nearest


def test_hidden_characters_are_no_date(sample_of: SampleMaker) -> None:
    assert not columns.dates_of(sample_of("ID,Born\n1,03/04/\u202e1990\n"), "Born", today=TODAY).choices


def test_blank_column_has_no_format(sample_of: SampleMaker) -> None:
    found = columns.dates_of(sample_of("ID,Born\n1,\n"), "Born", today=TODAY)
    assert not found.choices
    assert not found.kept_as_dates


def test_spreadsheets_need_no_format(tmp_path: Path) -> None:
    (tmp_path / "example").write_bytes(spreadsheet([["ID", "Born"], ["E1", date(1990, 4, 3)], ["E2", None]]))
    sample = columns.take_sample(SheetTable(tmp_path / "example", tmp_path / "rows"))
    assert columns.dates_of(sample, "Born", today=TODAY).kept_as_dates
    assert columns.verdict(sample, Field.DATE_OF_BIRTH, "Born", today=TODAY).finding is Finding.FITS


@pytest.mark.parametrize("cell", [date(1990, 4, 3), Unreadable("#N/A")])
def test_identifier_that_a_spreadsheet_spoiled_is_none(cell: str | date) -> None:
    with pytest.raises(InvalidValue):
        columns.read_cell(Field.MEMBERSHIP_NO, cell, "", TODAY)


def test_date_in_a_column_of_names_is_read_as_its_text() -> None:
    with pytest.raises(InvalidValue) as refused:
        columns.read_cell(Field.FIRST_NAME, date(1990, 4, 3), "", TODAY)
    assert refused.value.code is ProblemCode.BAD_CHARACTERS


def test_values_of_a_status_column_are_counted_and_those_of_leavers_marked(sample_of: SampleMaker) -> None:
    sample = sample_of("ID,Status\n1,Active\n2,LEFT\n3,active\n4,Left\n5,On leave\n6,Terminated\n7,\n")
    found = columns.status_values(sample, "Status")
    assert found.counts == {"Active": 2, "LEFT": 2, "On leave": 1, "Terminated": 1}
    assert found.leaver == ["LEFT", "Terminated"]
    assert not found.more


def test_no_means_left_where_the_column_asks_who_is_active(sample_of: SampleMaker) -> None:
    sample = sample_of("ID,Is active,Smoker\n1,Yes,No\n2,No,No\n")
    assert columns.status_values(sample, "Is active").leaver == ["No"]
    assert columns.status_values(sample, "Smoker").leaver == []


def test_column_with_many_values_is_no_status_column(sample_of: SampleMaker) -> None:
    sample = sample_of("ID,Status\n" + "".join(f"{number},s{number}\n" for number in range(40)))
    assert columns.status_values(sample, "Status").more
