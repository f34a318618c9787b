"""Write the rows of a spreadsheet's first sheet as lines of JSON; the task and the verdict go through pipes.

It runs alone, by path and isolated: of this application it knows nothing. calamine builds a whole sheet in memory, and
ends its process where that is not enough; two cells in opposite corners are enough for that.
"""

import json
import math
import re
import resource
import sys
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from lxml import etree
from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

ROWS_IN_BATCH = 1_000
PIECE = 1 << 20
# What a double holds exactly; digits of a longer number are made up.
EXACT = 2**53
ERROR_CELL = re.compile(rb"""\st=["']e["']""")
REFERENCE = re.compile("([A-Z]{1,3})([0-9]{1,7})")

Position = tuple[int, int]


def convert(task: dict[str, Any]) -> dict[str, Any]:
    """Do one task and return the verdict: `reason` is empty where all went well."""
    resource.setrlimit(resource.RLIMIT_AS, (task["memory"], task["memory"]))
    resource.setrlimit(resource.RLIMIT_CPU, (task["seconds"], task["seconds"]))
    resource.setrlimit(resource.RLIMIT_FSIZE, (task["bytes"], task["bytes"]))
    try:
        with CalamineWorkbook.from_path(task["source"]) as workbook:
            names = [
                number
                for number, sheet in enumerate(workbook.sheets_metadata)
                if sheet.typ is SheetTypeEnum.WorkSheet and sheet.visible is SheetVisibleEnum.Visible
            ]
            if not names:
                return {"reason": "not_a_spreadsheet"}
            errors = error_cells(task["source"], names[0])
            sheet = workbook.get_sheet_by_index(names[0])
            return write(numbered(sheet), errors, task)
    except PasswordError:
        return {"reason": "password"}
    except MemoryError:
        return {"reason": "spreadsheet_too_large"}
    except (CalamineError, zipfile.BadZipFile, etree.XMLSyntaxError, LookupError, ValueError, StopIteration):
        return {"reason": "not_a_spreadsheet"}


def numbered(sheet: Any) -> Iterator[tuple[int, list[Any]]]:
    """Yield the rows with their numbers as the spreadsheet shows them; columns begin at A."""
    if sheet.start is None:
        return
    # Rows above the first cell are handed out as blank ones; columns left of it are not.
    left = [""] * sheet.start[1]
    for number, row in enumerate(sheet.iter_rows(), 1):
        yield number, left + row


def write(rows: Iterator[tuple[int, list[Any]]], errors: dict[Position, str], task: dict[str, Any]) -> dict[str, Any]:
    """Write the rows that are not blank, as wide as the header or wider where something stands there."""
    batch: list[Any] = []
    width = count = 0
    with open(task["target"], "w", encoding="utf-8") as file:
        for number, cells in rows:
            texts = [cell if cell.__class__ is str else text_of(cell) for cell in cells]
            for column in range(len(texts)) if errors else ():
                if (number, column) in errors:
                    texts[column] = {"x": errors[number, column]}
            length = len(texts)
            while length and is_blank(texts[length - 1]):
                length -= 1
            if not length:
                continue
            width = width or length
            if width > task["columns"]:
                return {"reason": "too_many_columns", "limit": task["columns"], "count": width}
            batch.append([number, texts if len(texts) == width else texts[:length] + [""] * (width - length)])
            count += 1
            if len(batch) == ROWS_IN_BATCH:
                file.write(json.dumps(batch, ensure_ascii=True) + "\n")
                batch = []
        if batch:
            file.write(json.dumps(batch, ensure_ascii=True) + "\n")
    return {"reason": "", "rows": count}


def text_of(cell: Any) -> Any:
    """Return a cell as text, `{"d": …}` for a date (ISO 8601), `{"x": …}` for what holds no value."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, int | float):
        return number_text(cell)
    if isinstance(cell, datetime):
        return {"d": cell.date().isoformat()}
    if isinstance(cell, date):
        return {"d": cell.isoformat()}
    if isinstance(cell, time | timedelta):
        return {"x": str(cell)}
    return {"x": str(cell)}


def number_text(value: float) -> Any:
    """Return a number as people read it: no ".0", no exponent; too long a one has lost digits already."""
    if not math.isfinite(value):
        return {"x": str(value)}
    if abs(value) < EXACT and value == int(value):
        return str(int(value))
    text = format(Decimal(repr(value)), "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return {"x": text} if abs(value) >= EXACT else text


def is_blank(text: Any) -> bool:
    """Tell whether nothing stands in a cell."""
    return isinstance(text, str) and (not text or text.isspace())


def error_cells(path: str, index: int) -> dict[Position, str]:
    """Return where the sheet has errors such as #N/A, which calamine hands out as blank."""
    with zipfile.ZipFile(path) as archive:
        member = sheet_member(archive, index)
        with archive.open(member) as file:
            before, found = b"", False
            while not found and (piece := file.read(PIECE)):
                found = ERROR_CELL.search(before + piece) is not None
                before = piece[-8:]
        if not found:
            return {}
        errors: dict[Position, str] = {}
        with archive.open(member) as file:
            for _, cell in etree.iterparse(file, tag="{*}c", resolve_entities=False, no_network=True):
                reference = REFERENCE.fullmatch(cell.get("r") or "")
                if cell.get("t") == "e" and reference:
                    value = cell.findtext("{*}v") or "#ERROR"
                    errors[int(reference[2]), column_index(reference[1])] = value[:20]
                row = cell.getparent()
                cell.clear()
                while row is not None and cell.getprevious() is not None:
                    del row[0]
        return errors


def column_index(letters: str) -> int:
    """Return the index of a column: A is 0."""
    index = 0
    for letter in letters:
        index = index * 26 + ord(letter) - 64
    return index - 1


def sheet_member(archive: zipfile.ZipFile, index: int) -> str:
    """Return the member of the archive that holds the sheet with this index."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    workbook = etree.fromstring(archive.read("xl/workbook.xml"), parser)
    links = etree.fromstring(archive.read("xl/_rels/workbook.xml.rels"), parser)
    sheet = workbook.findall("{*}sheets/{*}sheet")[index]
    link = next(value for name, value in sheet.items() if str(name).endswith("}id"))
    target = next(each.get("Target") or "" for each in links.iter("{*}Relationship") if each.get("Id") == link)
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"


if __name__ == "__main__":
    json.dump(convert(json.load(sys.stdin)), sys.stdout)
