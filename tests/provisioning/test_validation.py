"""The rules for values: tables of good and bad ones, and properties for hostile ones."""

import unicodedata
from datetime import date, timedelta

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st

from rgapp.provisioning import Field, FieldRule, ProblemCode, SourceRecord, read_record
from rgapp.provisioning.record import InvalidValue
from rgapp.provisioning.validation import (
    DAY_FORMATS,
    READERS,
    clean,
    email_key,
    format_label,
    is_date_format,
    name_key,
    read_date_of_birth,
    read_email,
    read_membership_no,
    read_name,
)

TODAY = date(2026, 5, 3)
HOSTILE = st.text() | st.text(alphabet="a1.@-' \u200b\u202e\ud800\x00<>\u0301é", max_size=80)


@pytest.mark.parametrize(
    "name",
    [
        "Jane",
        "O'Brien",
        "O\u2019Brien",
        "Zoë",
        "de la Cruz",
        "Jean-Luc",
        "J. R.",
        "李",
        "Ğül",
        "नाम",
        "علی\u200cرضا",
        "x" * 50,
    ],
)
def test_names_of_any_script_are_taken(name: str) -> None:
    assert read_name(clean(name)) == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("x" * 51, ProblemCode.TOO_LONG),
        ("R2D2", ProblemCode.BAD_CHARACTERS),
        ("<b>Jane</b>", ProblemCode.BAD_CHARACTERS),
        ("=SUM(A1)", ProblemCode.BAD_CHARACTERS),
        ("-", ProblemCode.BAD_CHARACTERS),
        ("Jane 😀", ProblemCode.BAD_CHARACTERS),
    ],
)
def test_what_is_no_name_is_refused(name: str, code: ProblemCode) -> None:
    with pytest.raises(InvalidValue) as refused:
        read_name(clean(name))
    assert refused.value.code is code


@pytest.mark.parametrize("hidden", ["\x00", "\n", "\t", "\u202e", "\u200b", "\ud800", "\ue000", "\u2028"])
def test_text_that_does_not_look_like_what_it_is_is_refused(hidden: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        clean(f"a{hidden}b")
    assert refused.value.code is ProblemCode.HIDDEN_CHARACTERS


@pytest.mark.parametrize("number", ["0042", "a/b", "x" * 64, "Ünal-7", "E 1"])
def test_membership_numbers_are_kept_as_they_are(number: str) -> None:
    assert read_membership_no(clean(number)) == number


@pytest.mark.parametrize(
    "address",
    ["a@b.co", "jane.o'neil+x@sub.acme.example", "zoë@exämple.com", "a@acme.test", "a@host.local", "a" * 64 + "@b.co"],
)
def test_addresses_are_taken(address: str) -> None:
    assert read_email(address) == address


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("jane", ProblemCode.NOT_AN_ADDRESS),
        ("jane@", ProblemCode.NOT_AN_ADDRESS),
        ("@acme.example", ProblemCode.NOT_AN_ADDRESS),
        ("jane@acme", ProblemCode.NOT_AN_ADDRESS),
        ("Jane <jane@acme.example>", ProblemCode.NOT_AN_ADDRESS),
        ("a@b.co, c@d.co", ProblemCode.NOT_AN_ADDRESS),
        ("a b@acme.example", ProblemCode.NOT_AN_ADDRESS),
        ("x" * 190 + "@acme.example", ProblemCode.TOO_LONG),
    ],
)
def test_what_is_no_address_is_refused(address: str, code: ProblemCode) -> None:
    with pytest.raises(InvalidValue) as refused:
        read_email(address)
    assert refused.value.code is code


@pytest.mark.parametrize(
    ("value", "date_format", "expected"),
    [
        ("03/04/1990", "%d/%m/%Y", date(1990, 4, 3)),
        ("03/04/1990", "%m/%d/%Y", date(1990, 3, 4)),
        ("1990-04-03", "%Y-%m-%d", date(1990, 4, 3)),
        ("3 April 1990", "%d %B %Y", date(1990, 4, 3)),
        ("29/02/2000", "%d/%m/%Y", date(2000, 2, 29)),
        ("19900403", "%Y%m%d", date(1990, 4, 3)),
    ],
)
def test_dates_are_read_in_the_declared_format(value: str, date_format: str, expected: date) -> None:
    assert read_date_of_birth(value, date_format, TODAY) == expected


@pytest.mark.parametrize(
    ("value", "date_format", "code"),
    [
        ("1990-04-03", "%d/%m/%Y", ProblemCode.UNREADABLE_DATE),
        ("03/04/90", "%d/%m/%Y", ProblemCode.UNREADABLE_DATE),
        ("31/02/1990", "%d/%m/%Y", ProblemCode.IMPOSSIBLE_DATE),
        ("13/13/1990", "%d/%m/%Y", ProblemCode.IMPOSSIBLE_DATE),
        ("29/02/1900", "%d/%m/%Y", ProblemCode.IMPOSSIBLE_DATE),
        ("04/05/2026", "%d/%m/%Y", ProblemCode.FUTURE_DATE),
        ("31/12/1899", "%d/%m/%Y", ProblemCode.TOO_LONG_AGO),
        ("٠٣/٠٤/١٩٩٠", "%d/%m/%Y", ProblemCode.UNREADABLE_DATE),
        ("1990-04-03T00:00:00Z", "%Y-%m-%d", ProblemCode.UNREADABLE_DATE),
        ("0000-01-01", "%Y-%m-%d", ProblemCode.IMPOSSIBLE_DATE),
    ],
)
def test_other_dates_are_refused_and_never_guessed(value: str, date_format: str, code: ProblemCode) -> None:
    with pytest.raises(InvalidValue) as refused:
        read_date_of_birth(value, date_format, TODAY)
    assert (refused.value.code, refused.value.data["format"]) == (code, date_format)


@pytest.mark.parametrize("date_format", [*DAY_FORMATS, "%Y-%m-%dT%H:%M:%SZ", "born %d.%m.%Y"])
def test_formats_with_day_month_and_full_year_are_known(date_format: str) -> None:
    assert is_date_format(date_format)


@pytest.mark.parametrize(
    "date_format", ["", "%d/%m/%y", "%d/%m", "%d/%d/%m/%Y", "%m %B %d %Y", "%d/%m/%Y%", "%Q%d%m%Y", "%d%m%Y" + " " * 40]
)
def test_other_formats_are_not(date_format: str) -> None:
    assert not is_date_format(date_format)


def test_a_format_has_a_name_for_people() -> None:
    assert (format_label("%d/%m/%Y"), format_label("%d|%m|%Y")) == ("dd/mm/yyyy", "%d|%m|%Y")


@given(HOSTILE, st.sampled_from(list(READERS)))
def test_a_reader_refuses_or_returns_a_value_that_reads_the_same_again(raw: str, field: Field) -> None:
    try:
        value = READERS[field](clean(raw))
    except InvalidValue:
        return
    assert READERS[field](clean(value)) == value


@given(HOSTILE, st.sampled_from(list(DAY_FORMATS)))
def test_a_date_is_refused_or_read(raw: str, date_format: str) -> None:
    try:
        assert read_date_of_birth(raw, date_format, TODAY) <= TODAY
    except InvalidValue:
        return


@given(st.dates(date(1900, 1, 1), TODAY), st.sampled_from(list(DAY_FORMATS)))
def test_every_birthday_survives_being_written_and_read(born: date, date_format: str) -> None:
    assert read_date_of_birth(born.strftime(date_format), date_format, TODAY + timedelta(days=1)) == born


@given(st.text(max_size=45))
def test_any_format_is_judged_without_an_error(date_format: str) -> None:
    is_date_format(date_format)


@given(HOSTILE)
def test_keys_fit_their_columns_and_do_not_change_again(text: str) -> None:
    assert len(name_key(text)) <= 100
    assert email_key(email_key(text)) == email_key(text)


@given(
    st.text("ab.Z09_+'-\"@ ü!#", max_size=70),
    st.sampled_from(["acme.example", "a.invalid", "host.local", "-a.co", "a..co", "exämple.com", "acme", "b.c0", ""]),
)
def test_plain_addresses_are_judged_as_all_others_are(local: str, domain: str) -> None:
    address = f"{local}@{domain}"
    try:
        validate_email(address, check_deliverability=False, globally_deliverable=False)
        valid = "." in domain and "@" not in local.replace('"', "")
    except EmailNotValidError:
        valid = False
    try:
        taken = bool(read_email(address))
    except InvalidValue:
        taken = False
    assert taken == valid


@given(
    st.dictionaries(st.sampled_from([field.value for field in Field]), st.lists(HOSTILE, max_size=4), max_size=5),
    st.booleans(),
)
def test_any_record_is_read_without_an_error(values: dict[str, list[str]], blank_clears: bool) -> None:
    rules = {field: FieldRule(field.value) for field in Field}
    reading = read_record(SourceRecord("x", values), rules, today=TODAY, blank_clears=blank_clears)
    assert [entry.field for entry in reading.fields] == list(Field)
    assert reading.of(Field.EMAIL).field is Field.EMAIL


def test_what_is_kept_of_raw_values_is_bounded() -> None:
    rules = {field: FieldRule(field.value) for field in Field}
    reading = read_record(SourceRecord("x", {"first_name": ["y" * 5000] * 50}), rules, today=TODAY)
    raw = reading.of(Field.FIRST_NAME).raw
    assert (len(raw), len(raw[0])) == (5, 200)


def test_fields_that_are_not_mapped_are_errors_only_where_mandatory() -> None:
    reading = read_record(SourceRecord("x", {}), {}, today=TODAY)
    assert [entry.field for entry in reading.errors] == [Field.MEMBERSHIP_NO, Field.EMAIL]
    assert reading.warnings == ()


def test_the_same_value_twice_is_one_value() -> None:
    values = {"membership_no": ["E1", " E1 ", ""], "email": ["a@b.co", "A@B.co"]}
    rules = {field: FieldRule(field.value) for field in Field}
    assert read_record(SourceRecord("x", values), rules, today=TODAY).errors == ()


@pytest.mark.parametrize("number", ["E\u200d1", "\u212a1", "E\u200c1"])
def test_two_identifiers_of_the_source_never_become_one(number: str) -> None:
    rules = {field: FieldRule(field.value) for field in Field}
    reading = read_record(SourceRecord("x", {"membership_no": [number]}), rules, today=TODAY)
    problem = reading.of(Field.MEMBERSHIP_NO).problem
    assert problem is not None
    assert problem.code is ProblemCode.HIDDEN_CHARACTERS
