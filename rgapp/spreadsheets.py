"""What we hand out as CSV: safe to open in a spreadsheet, whoever wrote the values."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

# It starts with a byte order mark, without which Excel misreads names.
BYTE_ORDER_MARK = "\ufeff"
# A cell that starts like this is a formula to a spreadsheet.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def safe_cell(value: Any) -> str:
    """Return a value as text that no spreadsheet runs: what looks like a formula gets an apostrophe in front."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA_STARTS) else text


def csv_text(rows: Iterable[Sequence[Any]]) -> str:
    """Return rows as lines of CSV, every cell safe."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows([safe_cell(value) for value in row] for row in rows)
    return out.getvalue()
