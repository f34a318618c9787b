"""Every folder in fixtures/files is read as it says, or refused with the reason it names."""

from pathlib import Path

import pytest

from rgapp.integrations.files.errors import Reason, UnreadableFile
from tests.integrations.files.corpus import Case, cases, faults_of, rows_of


@pytest.mark.parametrize("case", cases("good"), ids=lambda case: case.folder.name)
def test_good_file_is_read_as_its_case_says(case: Case, tmp_path: Path) -> None:
    table = case.open(tmp_path)
    batches = list(table.batches())
    found = faults_of(batches)
    assert list(table.layout.header) == case.data["header"]
    assert rows_of(batches) == case.data["rows"]
    assert {number: fault for number, (fault, _) in found.items()} == case.data.get("faults", {})
    for number, line in case.data.get("lines", {}).items():
        assert found[number][1] == line
    assert table.findings.damaged == case.data.get("damaged", False)
    assert table.findings.unclosed_quote == case.data.get("unclosed_quote")
    assert table.findings.rows == len(case.data["rows"])


@pytest.mark.parametrize("case", cases("good"), ids=lambda case: case.folder.name)
def test_second_reading_is_the_same(case: Case, tmp_path: Path) -> None:
    table = case.open(tmp_path)
    once, findings = list(table.batches()), table.findings
    assert list(table.batches()) == once
    assert table.findings == findings


@pytest.mark.parametrize("case", cases("bad"), ids=lambda case: case.folder.name)
def test_bad_file_is_refused_with_its_own_reason(case: Case, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile) as refused:
        list(case.open(tmp_path).batches())
    assert refused.value.reason == case.data["reason"]


def test_every_reason_has_a_case_or_a_test_of_its_own() -> None:
    with_own_tests = {Reason.TOO_LARGE, Reason.TOO_MANY_ROWS}
    assert {case.data["reason"] for case in cases("bad")} | with_own_tests == set(Reason)
