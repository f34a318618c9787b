"""Files that are made when a test runs: archives, spreadsheets, encrypted messages, and what wants to hurt."""

import gzip
import io
import struct
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path

import pysequoia

from tests.sheets import CellValue, ErrorCell, Padded, package, sheet_xml, spreadsheet

HEADER = ["Employee ID", "E-mail", "First name", "Last name", "Birthday"]
PEOPLE = (
    ("E1001", "jane.carter@acme.example", "Jane", "Carter", "03/04/1990"),
    ("E1002", "zoe.muller@acme.example", "Zoë", "Müller", "14/11/1985"),
)
SHEET: list[list[CellValue]] = [
    [*HEADER],
    ["E1001", "jane.carter@acme.example", "Jane", "Carter", date(1990, 4, 3)],
    [1002, "zoe.muller@acme.example", "Zoë", "Müller", date(1985, 11, 14)],
]
BLANK_ROWS: list[list[CellValue]] = [
    [],
    [None, "ID", "Mail"],
    [],
    [None, "E1", "a@acme.example"],
    [None, " ", ""],
    [None, "E2", "b@acme.example"],
    [],
]
PASSPHRASE = "correct horse battery staple"
MEBI = 1 << 20
FIXTURES = Path(__file__).parents[2] / "fixtures" / "files"


@dataclass(frozen=True)
class Made:
    """A file, and the key of the integration that it arrives at."""

    content: bytes
    key: bytes | None = None
    passphrase: str | None = None


def csv_text() -> bytes:
    """Return the people of most cases as text."""
    return "".join(",".join(row) + "\n" for row in (HEADER, *PEOPLE)).encode()


def zipped(members: Mapping[str, bytes]) -> bytes:
    """Return a .zip."""
    return package(members)


@cache
def key() -> pysequoia.Tsk:
    """Return the integration's key."""
    return pysequoia.Tsk.generate("files@acme.example")


def encrypted(content: bytes, *, armor: bool = False) -> Made:
    """Return something encrypted for the integration."""
    message = pysequoia.encrypt(content, recipients=[key().extract_certificate()], armor=armor)
    return Made(message, bytes(key()))


def locked_key() -> bytes:
    """Return a key that GnuPG made and locked with the passphrase."""
    return (FIXTURES / "keys" / "locked.asc").read_bytes()


def _locked_wrong() -> Made:
    content = (FIXTURES / "good" / "openpgp-by-gnupg" / "people.csv.gpg").read_bytes()
    return Made(content, locked_key(), "wrong horse")


def _changed(content: bytes, position: int) -> bytes:
    changed = bytearray(content)
    changed[position] ^= 0x55
    return bytes(changed)


def _zip_password() -> Made:
    content = bytearray(zipped({"people.csv": csv_text()}))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return Made(bytes(content))


def _lying(content: bytes, member: bytes) -> bytes:
    """Return an archive that says its member has ten bytes, unpacked."""
    changed = bytearray(content)
    changed[22:26] = struct.pack("<I", 10)
    at = changed.index(b"PK\x01\x02")
    while not changed[at + 46 :].startswith(member):
        at = changed.index(b"PK\x01\x02", at + 4)
    changed[at + 24 : at + 28] = struct.pack("<I", 10)
    return bytes(changed)


def _zip_lzma() -> Made:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("people.csv", csv_text())
    return Made(buffer.getvalue())


def _zip_directory_bomb() -> Made:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(20_000):
            archive.writestr(f"{number}.csv", b"")
    return Made(buffer.getvalue())


def _quotes_hopeless() -> Made:
    return Made(b"ID,Mail\n" + b'a","b\n' * 200_000)


def xlsx_with(sheet: str | bytes) -> Made:
    with zipfile.ZipFile(io.BytesIO(spreadsheet([["ID"]]))) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    return Made(package({**members, "xl/worksheets/sheet1.xml": sheet}))


def _far_corner() -> Made:
    near, far = '<c r="A1"><v>1</v></c>', '<c r="XFD1048576"><v>1</v></c>'
    rows = f'<row r="1">{near}</row><row r="1048576">{far}</row>'
    return xlsx_with(sheet_xml([]).replace("<sheetData></sheetData>", f"<sheetData>{rows}</sheetData>"))


def _odd_cells() -> Made:
    return Made(
        spreadsheet(
            [
                ["ID", "Value"],
                ["padded", Padded(123)],
                ["long", 123456789012345],
                ["too long", 12345678901234567890],
                ["fraction", 1.5],
                ["small", 1e-07],
                ["true", True],
                ["error", ErrorCell("#N/A")],
                ["date and time", datetime(1990, 4, 3, 12, 0)],  # noqa: DTZ001 - spreadsheets have no zones.
                ["huge", 1e15],
            ]
        )
    )


def _other_key() -> Made:
    other = pysequoia.Tsk.generate("other@acme.example").extract_certificate()
    return Made(pysequoia.encrypt(csv_text(), recipients=[other]), bytes(key()))


def _nothing_of(made: Made) -> Made:
    return Made(made.content)


MAKERS: dict[str, Callable[[], Made]] = {
    "xlsx": lambda: Made(spreadsheet(SHEET)),
    "xlsx_odd_cells": _odd_cells,
    "xlsx_blank_rows": lambda: Made(spreadsheet(BLANK_ROWS, first_row=2)),
    "xlsx_hidden_first": lambda: Made(spreadsheet([["Secret"]], [["ID"], ["E1"]], hidden=[0])),
    "xlsx_too_many_cells": lambda: Made(
        spreadsheet([["ID", "Mail"], ["E1", "a@acme.example"], ["E2", "b@acme.example", "moved"]])
    ),
    "xlsx_empty": lambda: Made(spreadsheet([])),
    "xlsx_columns_501": lambda: Made(spreadsheet([[f"c{number}" for number in range(501)]])),
    "xlsx_broken_sheet": lambda: xlsx_with(sheet_xml(SHEET)[:-60]),
    "xlsx_bomb": lambda: xlsx_with(b" " * 4 * MEBI),
    "xlsx_far_corner": _far_corner,
    "xlsx_lying_size": lambda: Made(_lying(spreadsheet([["ID"]]), b"xl/worksheets/sheet1.xml")),
    "zip": lambda: Made(zipped({"people.csv": csv_text()})),
    "zip_folder": lambda: Made(
        zipped({"out/": b"", "out/People.CSV": csv_text(), "__MACOSX/out/._People.CSV": b"x", "out/.DS_Store": b"x"})
    ),
    "zip_xlsx": lambda: Made(zipped({"people.xlsx": spreadsheet(SHEET)})),
    "zip_cut": lambda: Made(zipped({"people.csv": csv_text() * 50})[:-30]),
    "zip_checksum": lambda: Made(_changed(zipped({"people.csv": csv_text()}), 60)),
    "zip_bomb": lambda: Made(zipped({"people.csv": b"a," * 2 * MEBI})),
    "zip_directory_bomb": _zip_directory_bomb,
    "zip_lying_size": lambda: Made(_lying(zipped({"people.csv": csv_text()}), b"people.csv")),
    "zip_nested": lambda: Made(zipped({"people.zip": zipped({"people.csv": csv_text()})})),
    "zip_empty": lambda: Made(zipped({"readme.pdf": b"x"})),
    "zip_several": lambda: Made(zipped({"a.csv": csv_text(), "b.txt": csv_text()})),
    "zip_password": _zip_password,
    "zip_lzma": _zip_lzma,
    "zip_climbing": lambda: Made(zipped({"../../etc/people.csv": csv_text()})),
    "zip_absolute": lambda: Made(zipped({"/etc/people.csv": csv_text()})),
    "zip_drive": lambda: Made(zipped({"C:people.csv": csv_text()})),
    "gzip": lambda: Made(gzip.compress(csv_text())),
    "gzip_members": lambda: Made(gzip.compress(csv_text()[:50]) + gzip.compress(csv_text()[50:])),
    "gzip_cut": lambda: Made(gzip.compress(csv_text())[:-20]),
    "gzip_checksum": lambda: Made(_changed(gzip.compress(csv_text()), -6)),
    "gzip_bomb": lambda: Made(gzip.compress(b"a," * 2 * MEBI)),
    "openpgp": lambda: encrypted(csv_text()),
    "openpgp_armored": lambda: encrypted(csv_text(), armor=True),
    "openpgp_zip": lambda: encrypted(zipped({"people.csv": csv_text()})),
    "openpgp_gzip": lambda: encrypted(gzip.compress(csv_text())),
    "openpgp_nameless": lambda: encrypted(csv_text()),
    "openpgp_xlsx_nameless": lambda: encrypted(spreadsheet(SHEET)),
    "openpgp_zip_nameless": lambda: encrypted(zipped({"people.csv": csv_text()})),
    "openpgp_gzip_nameless": lambda: encrypted(gzip.compress(csv_text())),
    "openpgp_cut": lambda: Made(encrypted(csv_text() * 500).content[:5_000], bytes(key())),
    "openpgp_changed": lambda: Made(_changed(encrypted(csv_text() * 500).content, 5_000), bytes(key())),
    "openpgp_other_key": _other_key,
    "openpgp_password": lambda: Made(pysequoia.encrypt(csv_text(), passwords=[PASSPHRASE]), bytes(key())),
    "openpgp_no_key": lambda: _nothing_of(encrypted(csv_text())),
    "openpgp_locked_wrong": _locked_wrong,
    "openpgp_bomb": lambda: encrypted(b"a," * 5 * MEBI),
    "columns_501": lambda: Made(",".join(f"c{number}" for number in range(501)).encode()),
    "quotes_hopeless": _quotes_hopeless,
}
