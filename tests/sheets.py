"""Spreadsheets as programs write them, with just as much in them as a test wants to see read."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from xml.sax.saxutils import escape

SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_BEGIN = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
_TYPES = (
    f'{_BEGIN}<Types xmlns="{PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/xl/workbook.xml"'
    ' ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>'
)
_ROOT = (
    f'{_BEGIN}<Relationships xmlns="{PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
)
# Styles 0 to 3: as it is, a date, a date with its time, digits with zeros before them.
_STYLES = (
    f'{_BEGIN}<styleSheet xmlns="{SPREADSHEET}">'
    '<numFmts count="1"><numFmt numFmtId="164" formatCode="00000"/></numFmts>'
    '<cellXfs count="4"><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="22"/><xf numFmtId="164"/></cellXfs>'
    "</styleSheet>"
)


class ErrorCell(str):
    """An error that a formula left, such as #N/A."""

    __slots__ = ()


class Padded(int):
    """A number that is shown with zeros before it."""


CellValue = str | int | float | bool | date | None


def spreadsheet(*sheets: Sequence[Sequence[CellValue]], hidden: Sequence[int] = (), first_row: int = 1) -> bytes:
    """Return an .xlsx with these sheets; those in `hidden`, by index, are not shown."""
    parts = []
    for n in range(1, len(sheets) + 1):
        state = ' state="hidden"' if n - 1 in hidden else ""
        parts.append(f'<sheet name="S{n}" sheetId="{n}"{state} r:id="rId{n}"/>')
    links = [
        f'<Relationship Id="rId{n}" Type="{RELATIONS}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in range(1, len(sheets) + 1)
    ]
    links.append(f'<Relationship Id="rId0" Type="{RELATIONS}/styles" Target="styles.xml"/>')
    members = {
        "[Content_Types].xml": _TYPES,
        "_rels/.rels": _ROOT,
        "xl/workbook.xml": f'{_BEGIN}<workbook xmlns="{SPREADSHEET}" xmlns:r="{RELATIONS}">'
        f"<sheets>{''.join(parts)}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'{_BEGIN}<Relationships xmlns="{PACKAGE}/relationships">'
        f"{''.join(links)}</Relationships>",
        "xl/styles.xml": _STYLES,
    }
    for number, rows in enumerate(sheets, 1):
        members[f"xl/worksheets/sheet{number}.xml"] = sheet_xml(rows, first_row)
    return package(members)


def package(members: Mapping[str, str | bytes]) -> bytes:
    """Return a .zip with these members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def sheet_xml(rows: Sequence[Sequence[CellValue]], first_row: int = 1) -> str:
    """Return the part of a package that holds one sheet."""
    lines = []
    for number, row in enumerate(rows, first_row):
        cells = [_cell(f"{_letters(index)}{number}", value) for index, value in enumerate(row) if value is not None]
        lines.append(f'<row r="{number}">{"".join(cells)}</row>')
    return f'{_BEGIN}<worksheet xmlns="{SPREADSHEET}"><sheetData>{"".join(lines)}</sheetData></worksheet>'


def _cell(place: str, value: CellValue) -> str:
    if isinstance(value, ErrorCell):
        return f'<c r="{place}" t="e"><v>{value}</v></c>'
    if isinstance(value, str):
        return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
    if isinstance(value, bool):
        return f'<c r="{place}" t="b"><v>{value:d}</v></c>'
    if isinstance(value, datetime):
        days = (value - datetime(1899, 12, 30)).total_seconds() / 86_400  # noqa: DTZ001 - spreadsheets have no zones.
        return f'<c r="{place}" s="2"><v>{days}</v></c>'
    if isinstance(value, date):
        return f'<c r="{place}" s="1"><v>{(value - date(1899, 12, 30)).days}</v></c>'
    style = ' s="3"' if isinstance(value, Padded) else ""
    return f'<c r="{place}"{style}><v>{value}</v></c>'


def _letters(index: int) -> str:
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
