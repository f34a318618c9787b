"""Archives, spreadsheets and messages that were changed at random: read or refused, and nothing else."""

import errno
import gzip
import os
import struct
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rgapp.integrations.files import archives, opening, openpgp
from rgapp.integrations.files.contained import runner
from rgapp.integrations.files.errors import Reason, UnreadableFile
from rgapp.integrations.files.limits import LIMITS, Limits
from rgapp.integrations.files.opening import open_table
from rgapp.integrations.files.openpgp import PrivateKey
from tests.integrations.files.corpus import TIGHT, rows_of
from tests.integrations.files.makers import SHEET, csv_text, encrypted, key, xlsx_with, zipped
from tests.integrations.files.properties import few, patient
from tests.sheets import sheet_xml, spreadsheet


def read(content: bytes, name: str, limits: Limits = TIGHT, private: bytes | None = None) -> list[list[Any]]:
    """Return the rows of a file under this name."""
    with TemporaryDirectory() as folder:
        arrived, work = Path(folder) / "arrived", Path(folder) / "work"
        arrived.write_bytes(content)
        work.mkdir()
        pair = PrivateKey(private) if private else None
        return rows_of(list(open_table(arrived, name, work, key=pair, limits=limits).batches()))


def changed(content: bytes, changes: list[tuple[int, int]]) -> bytes:
    """Return bytes of which some are others."""
    found = bytearray(content)
    for position, value in changes:
        found[position % len(found)] = value
    return bytes(found)


CHANGES = st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 255)), min_size=1, max_size=6)


@patient
@given(changes=CHANGES, cut=st.integers(0, 400), name=st.sampled_from(["people.zip", "people.csv.gz"]))
def test_changed_archive_is_read_or_refused(changes: list[tuple[int, int]], cut: int, name: str) -> None:
    whole = zipped({"people.csv": csv_text()}) if name.endswith(".zip") else gzip.compress(csv_text())
    try:
        read(changed(whole, changes)[: len(whole) - cut or None], name)
    except UnreadableFile:
        return


@patient
@given(st.binary(max_size=300), st.sampled_from(["a.zip", "a.csv.gz", "a.gz"]))
def test_no_bytes_make_an_archive_raise_anything_but_our_error(content: bytes, name: str) -> None:
    try:
        read(content, name)
    except UnreadableFile:
        return


@few
@given(changes=CHANGES, seed=st.integers(0, 1000))
def test_changed_spreadsheet_is_read_or_refused(changes: list[tuple[int, int]], seed: int) -> None:
    try:
        read(changed(spreadsheet(SHEET), changes), "people.xlsx")
    except UnreadableFile:
        return


@few
@given(changes=CHANGES)
def test_sheet_with_changed_letters_is_read_or_refused(changes: list[tuple[int, int]]) -> None:
    try:
        read(xlsx_with(changed(sheet_xml(SHEET).encode(), changes)).content, "people.xlsx")
    except UnreadableFile:
        return


@few
@given(changes=CHANGES, armor=st.booleans())
def test_changed_message_is_read_or_refused(changes: list[tuple[int, int]], armor: bool) -> None:
    message = encrypted(csv_text(), armor=armor).content
    try:
        found = read(changed(message, changes), "people.csv.gpg", private=bytes(key()))
    except UnreadableFile:
        return
    assert len(found) == 2


def test_file_that_is_too_large_is_not_looked_at() -> None:
    with pytest.raises(UnreadableFile) as refused:
        read(csv_text(), "people.csv", replace(LIMITS, file_bytes=10))
    assert refused.value.reason == Reason.TOO_LARGE


def test_large_file_that_hardly_shrank_is_no_bomb() -> None:
    noise = os.urandom(2 << 20).hex().encode()
    content = gzip.compress(b"ID,Mail\n" + b"".join(noise[at : at + 60] + b",x\n" for at in range(0, len(noise), 60)))
    assert len(read(content, "people.csv.gz", TIGHT)) > 60_000


def test_archive_that_unpacks_to_more_than_allowed_is_refused() -> None:
    with pytest.raises(UnreadableFile) as refused:
        read(gzip.compress(csv_text()), "people.csv.gz", replace(LIMITS, plain_bytes=100))
    assert refused.value.reason == Reason.TOO_LARGE_UNPACKED


def test_full_disk_is_nothing_that_is_wrong_with_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(archives, "_copy", full)
    with pytest.raises(OSError, match="No space left"):
        read(gzip.compress(csv_text()), "people.csv.gz")


def test_full_disk_while_decrypting_is_nothing_that_is_wrong_with_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openpgp, "run", lambda *_, **__: {"reason": "no_space"})
    with pytest.raises(OSError, match="No space left"):
        read(b"x", "people.csv.gpg", private=b"x")


def test_program_that_dies_says_nothing() -> None:
    assert runner.run("decrypt", {}, seconds=10) is None


def test_program_that_takes_too_long_is_ended() -> None:
    assert runner.run("make_key", {"owner": "Acme"}, seconds=0) is None


def test_nothing_that_was_unpacked_lies_outside_the_folder(tmp_path: Path) -> None:
    arrived, work = tmp_path / "arrived", tmp_path / "work"
    arrived.write_bytes(zipped({"out/people.csv": csv_text()}))
    work.mkdir()
    open_table(arrived, "people.zip", work)
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["arrived", "plain-0"]


@pytest.mark.parametrize("name", ["out\\people.csv", "export 02:00:00.csv", "out/2026/people.csv"])
def test_names_that_lead_nowhere_are_read(name: str) -> None:
    assert len(read(zipped({name: csv_text()}), "people.zip")) == 2


@pytest.mark.parametrize("name", ["out\\..\\..\\people.csv", "\\people.csv", "c:\\people.csv", "a\x07.csv"])
def test_names_that_lead_out_are_refused(name: str) -> None:
    with pytest.raises(UnreadableFile) as refused:
        read(zipped({name: csv_text()}), "people.zip")
    assert refused.value.reason == Reason.UNSAFE_NAME


@pytest.mark.parametrize("name", ["people.zip", "people.xlsx"])
def test_reading_that_was_cut_off_is_begun_anew_in_the_same_folder(name: str, tmp_path: Path) -> None:
    arrived, work = tmp_path / "arrived", tmp_path / "work"
    arrived.write_bytes(zipped({"people.csv": csv_text()}) if name.endswith(".zip") else spreadsheet(SHEET))
    work.mkdir()
    open_table(arrived, name, work)
    assert len(rows_of(list(open_table(arrived, name, work).batches()))) == 2
    assert len(list(work.iterdir())) == 2


def test_text_without_an_ending_in_an_archive_without_one_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    assert opening.read_name("people.gz").form is None
    assert len(read(gzip.compress(csv_text()), "people.gz")) == 2


def test_larger_directory_of_a_large_archive_counts() -> None:
    content = zipped({"people.csv": csv_text()})
    end = content[-22:]
    large = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, 1 << 40, 0)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, len(content) - 22, 1)
    with pytest.raises(UnreadableFile) as refused:
        read(content[:-22] + large + locator + end, "people.zip")
    assert refused.value.reason == Reason.BOMB


def test_archive_in_a_gz_without_an_ending_is_nested() -> None:
    with pytest.raises(UnreadableFile) as refused:
        read(gzip.compress(zipped({"people.csv": csv_text()})), "people.gz")
    assert refused.value.reason == Reason.NESTED


def test_spreadsheet_with_encrypted_members_has_a_password() -> None:
    content = bytearray(spreadsheet(SHEET))
    at = content.index(b"PK\x01\x02")
    content[at + 8] |= 1
    with pytest.raises(UnreadableFile) as refused:
        read(bytes(content), "people.xlsx")
    assert refused.value.reason == Reason.PASSWORD


def test_more_rows_than_allowed_are_refused_in_spreadsheets_too() -> None:
    with pytest.raises(UnreadableFile) as refused:
        read(spreadsheet(SHEET), "people.xlsx", replace(TIGHT, rows=1))
    assert refused.value.reason == Reason.TOO_MANY_ROWS
