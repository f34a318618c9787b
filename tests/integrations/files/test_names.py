"""What the name of a file says of its content."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rgapp.integrations.files.errors import Reason, UnreadableFile
from rgapp.integrations.files.names import Form, Layer, read_name
from tests.integrations.files.properties import patient


@pytest.mark.parametrize(
    ("name", "layers", "form"),
    [
        ("people.csv", [], Form.TEXT),
        ("People.of.2026.TXT", [], Form.TEXT),
        ("a b.tsv", [], Form.TEXT),
        ("a.Xlsx", [], Form.XLSX),
        ("a.csv.gz", [Layer.GZIP], Form.TEXT),
        ("a.zip", [Layer.ZIP], None),
        ("a.csv.zip", [Layer.ZIP], None),
        ("a.csv.gpg", [Layer.OPENPGP], Form.TEXT),
        ("a.xlsx.PGP", [Layer.OPENPGP], Form.XLSX),
        ("a.csv.gz.asc", [Layer.OPENPGP, Layer.GZIP], Form.TEXT),
        ("a.zip.gpg", [Layer.OPENPGP, Layer.ZIP], None),
        ("a.gpg", [Layer.OPENPGP], None),
        ("a.gz", [Layer.GZIP], None),
        ("people 24.11.2026.gpg", [Layer.OPENPGP], None),
    ],
)
def test_endings_say_what_is_inside(name: str, layers: list[Layer], form: Form | None) -> None:
    named = read_name(name)
    assert list(named.layers) == layers
    assert named.form is form


@pytest.mark.parametrize("name", ["", "people", "people.", ".csv", "people.exe", "people.csv ~", "people.csv.bak"])
def test_other_endings_are_not_read(name: str) -> None:
    with pytest.raises(UnreadableFile) as refused:
        read_name(name)
    assert refused.value.reason == Reason.UNKNOWN_ENDING


@patient
@given(st.text(max_size=50))
def test_any_name_is_read_or_refused(name: str) -> None:
    try:
        named = read_name(name)
    except UnreadableFile:
        return
    assert named.layers or named.form
